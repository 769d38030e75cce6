import type { CliCallOptions, CliTurns } from './ssh-cli-turns.ts'

/**
 * Puts lines into the configuration, in one turn: goes there, commits, and comes back to where it was. What fails on the
 * way is undone as far as that can be.
 *
 * @returns what the device said to each line
 */
export function configure(turns: CliTurns, lines: readonly string[], call: CliCallOptions): Promise<string[]> {
  const { dialog, levels } = turns
  const { platform, commitTimeoutMs } = dialog.options
  const { config } = levels
  if (config === undefined) return Promise.reject(new TypeError(`the platform ${platform.name} has no level for the configuration`))
  return turns.takeSeveral(async () => {
    const from = levels.current.name
    const outputs: string[] = []
    try {
      await turns.limit(call, config.enter ?? '', (signal) => levels.goTo(config.name, signal))
      let renamed = false
      for (const line of lines) {
        renamed ||= platform.renames?.test(line) === true
        // The new name may show at once, with the commit, or when the level is left.
        if (renamed) dialog.matcher.expectAnother()
        outputs.push(await turns.limit(call, line, (signal) => dialog.command(line, signal)))
      }
      if (renamed) dialog.matcher.expectAnother()
      await turns.limit({ ...call, timeout: call.timeout ?? commitTimeoutMs }, 'commit', (signal) => commit(turns, signal))
      if (renamed) dialog.matcher.expectAnother()
      await turns.limit(call, config.leave ?? '', (signal) => levels.goTo(from, signal))
      return outputs
    } catch (error) {
      // What failed first is what its caller has to know. Where this fails too, a reset sees to it.
      if (turns.spoiled === undefined) await turns.limit({}, 'discard', (signal) => turns.returnTo(from, signal)).catch(() => {})
      throw error
    }
  }, call.signal)
}

async function commit({ dialog }: CliTurns, signal: AbortSignal): Promise<void> {
  const { commit: how } = dialog.options.platform
  if (how === undefined || how.when?.test(dialog.prompt?.line ?? '') === false) return
  await dialog.command(how.send, signal)
}
