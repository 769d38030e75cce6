import type { Watcher } from '../engine/driver.ts'
import { formatMs } from '../engine/duration.ts'
import { ConfigError } from '../engine/errors.ts'
import type { Secrets } from '../shared/secrets.ts'
import { SshChannels } from './ssh-channels.ts'
import { Cli } from './ssh-cli.ts'
import { openCliChannel } from './ssh-cli-open.ts'
import { type CliOptions, findCliProblems, type ResolvedCliOptions, resolveCliOptions } from './ssh-cli-options.ts'
import { CliTurns } from './ssh-cli-turns.ts'
import { SshError } from './ssh-errors.ts'
import { checkRunOptions, collect, type RunOptions, type RunResult } from './ssh-exec.ts'
import { leftIn, ping } from './ssh-internals.ts'
import { limited, timeoutOf } from './ssh-limit.ts'
import type { SshLink } from './ssh-link.ts'
import type { ResolvedSshOptions } from './ssh-options.ts'

/**
 * All that is done with one session, for its borrower and for the pool: commands and CLIs, checks, and what was left
 * behind in it.
 */
export class SessionKeeper {
  readonly link: SshLink
  readonly #options: ResolvedSshOptions
  readonly #secrets: Secrets
  readonly #channels: SshChannels
  /** Of the CLI that stays open over all leases. */
  #kept: CliTurns | undefined
  #spoiled: Error | undefined
  #letGo = false
  #probe: Promise<void> | undefined

  constructor(link: SshLink, options: ResolvedSshOptions, secrets: Secrets) {
    this.link = link
    this.#options = options
    this.#secrets = secrets
    this.#channels = new SshChannels(link)
  }

  async run(command: string, options: RunOptions): Promise<RunResult> {
    checkRunOptions(options)
    const { timeout, signal, input, maxOutput, encoding } = options
    const ms = timeoutOf(timeout, this.#options.commandTimeoutMs)
    const { name } = this.link
    const late = (): SshError => {
      const shown = this.#secrets.all.reduce((masked, secret) => masked.replaceAll(secret, '***'), command)
      return new SshError('SSH_TIMEOUT', `${name}: "${shown}" did not end within ${formatMs(ms)}`)
    }
    return limited({ ms, signal, late }, async (inner) => {
      const channel = await this.#channels.exec(command, inner)
      const limits = { input, maxOutput: maxOutput ?? this.#options.maxOutput, encoding: encoding ?? 'utf8' }
      const result = await this.link.whileAlive(collect(channel, { ...limits, signal: inner, name }))
      if (leftIn(this.link.client).open.length === 0) this.link.noteLastChannel()
      return result
    })
  }

  async openCli(options: CliOptions, signal?: AbortSignal): Promise<Cli> {
    const problems = findCliProblems(options)
    if (problems.length > 0) throw new ConfigError(problems)
    return (await this.#openCli(resolveCliOptions(options), signal)).cli
  }

  /** Opens the CLI that stays open over all leases. */
  async keepCli(options: ResolvedCliOptions, signal: AbortSignal): Promise<Cli> {
    const { turns, cli } = await this.#openCli(options, signal)
    this.#kept = turns
    return cli
  }

  watch(watcher: Watcher): void {
    const report = (error: unknown): void => {
      // Whoever spoils the session hears of it by the error of his call.
      if (!this.#letGo && this.#spoiled === undefined) watcher.lost(error)
    }
    this.link.onLost(report)
    this.#kept?.dialog.stream.onClosed(report)
  }

  /** A round trip in the session. Whoever gives it up leaves it on its way, and the next joins it. */
  probe(): Promise<void> {
    if (this.#spoiled !== undefined) return Promise.reject(this.#spoiled)
    if (this.#kept !== undefined) return this.#kept.probe()
    const ask = (): Promise<void> =>
      this.#options.healthCommand === '' ? this.link.whileAlive(ping(this.link.client)) : this.#execHealth()
    this.#probe ??= ask().finally(() => {
      this.#probe = undefined
    })
    return this.#probe
  }

  /** Undoes what a borrower has left. Returns nothing when there is nothing to do. */
  reset(): Promise<unknown> | undefined {
    if (this.#spoiled !== undefined) throw this.#spoiled
    const atBase = this.#kept?.reset()
    const closed = this.#channels.closeAllBut(this.#kept?.dialog.stream.channel)
    return atBase === undefined && closed === undefined ? undefined : Promise.all([atBase, closed])
  }

  async close(): Promise<void> {
    this.#letGo = true
    await this.link.close()
  }

  destroy(): void {
    this.#letGo = true
    this.link.destroy()
  }

  async #openCli(options: ResolvedCliOptions, signal?: AbortSignal): Promise<{ readonly turns: CliTurns; readonly cli: Cli }> {
    const opening = openCliChannel({ channels: this.#channels, options, secrets: this.#secrets, link: this.link, signal })
    const opened = await this.link.whileAlive(opening)
    const turns = new CliTurns(opened, (error) => {
      this.#spoiled ??= error
    })
    return { turns, cli: new Cli(turns, opened.banner) }
  }

  async #execHealth(): Promise<void> {
    try {
      const { signal } = new AbortController()
      const channel = await this.#channels.exec(this.#options.healthCommand, signal)
      const limits = { input: '', maxOutput: this.#options.maxOutput, encoding: 'utf8' } as const
      await this.link.whileAlive(collect(channel, { ...limits, signal, name: this.link.name }))
      this.link.noteLastChannel()
    } catch (error) {
      if (this.link.lost !== undefined || !(error instanceof SshError)) throw error
      // It has opened a channel and has answered that it runs nothing there: it lives. The channel is being closed.
      if (error.code === 'SSH_EXEC_REFUSED') {
        this.link.noteLastChannel()
        return
      }
      // It has answered that it has no room beside what is open in this very session. Ways to other hosts take none.
      const isFull = error.code === 'SSH_NO_SESSIONS' && leftIn(this.link.client).open.some(({ type }) => type === 'session')
      if (!isFull) throw error
    }
  }
}
