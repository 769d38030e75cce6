import { formatMs } from '../engine/duration.ts'
import type { Secrets } from '../shared/secrets.ts'
import type { SshChannels } from './ssh-channels.ts'
import { CliDialog } from './ssh-cli-dialog.ts'
import { CliLevels } from './ssh-cli-levels.ts'
import type { ResolvedCliOptions } from './ssh-cli-options.ts'
import { CliStream } from './ssh-cli-stream.ts'
import { SshError, saysNoSessions } from './ssh-errors.ts'
import { limited } from './ssh-limit.ts'
import type { SshLink } from './ssh-link.ts'
import type { Prompt } from './ssh-prompt.ts'

/** Banners come in bursts, and may hold what looks like a prompt: for the first one it has to be quiet for longer, ms. */
const FIRST_SETTLE_MS = 150
/** How many candidates for a prompt are looked at. */
const MAX_TRIES = 10
/** As many lines as terminals go: devices that look at it don't page. */
const ROWS = 1000
/** How much of a greeting stands in an error, characters. */
const MAX_SAID = 500

/** A CLI that has greeted: its dialog is at the prompt of the level in which commands are sent. */
export interface OpenedCli {
  readonly dialog: CliDialog
  readonly levels: CliLevels
  /** What the device said before its first prompt. */
  readonly banner: string
}

/** What a CLI is opened with. */
export interface OpeningCli {
  readonly channels: SshChannels
  readonly options: ResolvedCliOptions
  readonly secrets: Secrets
  readonly link: SshLink
  /** Gives it up. Beside it the CLI's own time-out runs. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens a shell and waits for its prompt, learns what the device's prompts look like, turns paging off, and goes to
 * the level that is asked for. When it rejects, the channel is closed.
 */
export function openCliChannel({ channels, options, secrets, link, signal }: OpeningCli): Promise<OpenedCli> {
  const { columns, encoding, settleMs, maxOutput, timeoutMs } = options
  const { name } = link
  let stream: CliStream | undefined
  const late = (): SshError =>
    new SshError('CLI_NO_PROMPT', `${name}: the CLI was not ready within ${formatMs(timeoutMs)}${wordsOf(stream)}`)
  return limited({ ms: timeoutMs, signal, late }, async (inner) => {
    const channel = await channels.shell({ columns, rows: ROWS }, inner)
    stream = new CliStream(channel, { columns, encoding, settleMs, maxOutput, name, lost: () => link.lost })
    try {
      return await prepare(new CliDialog(stream, options, secrets), inner)
    } catch (error) {
      stream.destroy(new SshError('CLI_CLOSED', `${name}: the CLI was not opened`))
      throw error
    }
  })
}

async function prepare(dialog: CliDialog, signal: AbortSignal): Promise<OpenedCli> {
  const { platform, level } = dialog.options
  const levels = new CliLevels(dialog)
  const banner = await greet(dialog, signal)
  await levels.fixPrompt(signal)
  for (const command of platform.prepare ?? []) await dialog.command(command, signal, true)
  await levels.elevate(signal)
  if (level !== undefined) await levels.goTo(level, signal)
  return { dialog, levels, banner }
}

/** Waits for the first prompt, and for the same one again in answer to an empty line: banners don't come twice. */
async function greet(dialog: CliDialog, signal: AbortSignal): Promise<string> {
  const { stream, matcher, options } = dialog
  const { terminal } = stream
  const { greetings = [] } = options.platform
  const answered = new Set<unknown>()
  let before: { readonly line: string; readonly ended: number } | undefined
  const look = (): Prompt | { readonly send: string } | undefined => {
    const { lastLine } = terminal
    const greeting = greetings.find((candidate) => !answered.has(candidate) && candidate.expect.test(lastLine))
    return greeting ?? (terminal.endedCount === before?.ended ? undefined : matcher.match(lastLine))
  }
  try {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await stream.until(look, signal, before === undefined ? Math.max(FIRST_SETTLE_MS, options.settleMs) : options.settleMs)
      if ('send' in found) {
        answered.add(found)
        stream.write(found.send + options.newline)
        continue
      }
      if (found.line === before?.line || matcher.base !== undefined) {
        matcher.learn(matcher.base ?? found.base)
        dialog.arriveAt(found)
        return bannerOf(terminal.linesFrom(0), found.line)
      }
      before = { line: found.line, ended: terminal.endedCount }
      stream.write(options.newline)
    }
  } catch (error) {
    throw explain(error, dialog)
  }
  throw new SshError(
    'CLI_NO_PROMPT',
    `${dialog.name}: the prompt is another one each time, the last "${before?.line}": give the option prompt`,
  )
}

/** What stands before the prompts. */
function bannerOf(lines: readonly string[], prompt: string): string {
  return lines.slice(0, lines.indexOf(prompt)).join('\n').trim()
}

/** Why there is no prompt, when the device has closed the CLI. */
function explain(error: unknown, { stream, name }: CliDialog): unknown {
  if (!(error instanceof SshError) || error.code !== 'CLI_CLOSED') return error
  const words = wordsOf(stream)
  const code = saysNoSessions(words) ? 'SSH_NO_SESSIONS' : 'CLI_NO_PROMPT'
  return new SshError(code, `${name}: the device closed the CLI before it showed a prompt${words}`, error)
}

function wordsOf(stream: CliStream | undefined): string {
  const said = stream?.terminal.linesFrom(0).join('\n').trim().slice(-MAX_SAID) ?? ''
  return said === '' ? '' : `; it said: ${JSON.stringify(said)}`
}
