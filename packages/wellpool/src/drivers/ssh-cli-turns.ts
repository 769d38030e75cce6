import { type Duration, formatMs } from '../engine/duration.ts'
import { abortable } from '../shared/abortable.ts'
import type { CliDialog } from './ssh-cli-dialog.ts'
import type { CliLevels } from './ssh-cli-levels.ts'
import type { OpenedCli } from './ssh-cli-open.ts'
import { SshError } from './ssh-errors.ts'
import { limited, timeoutOf } from './ssh-limit.ts'

/** How long a call on a CLI may take. */
export interface CliCallOptions {
  /** The longest that each command may take, ms or text; 0: for ever. Default: the CLI's `timeout`. */
  readonly timeout?: Duration | undefined
  /** Gives it up: the call rejects with the signal's reason. Once something has been sent, the CLI is of no more use after that. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Whose turn it is on one CLI, how long a turn may take, and what becomes of the CLI when one does not end well: after
 * a time-out or an abort in the middle of an answer nobody knows any more what belongs to what.
 */
export class CliTurns {
  readonly dialog: CliDialog
  readonly levels: CliLevels
  readonly #baseLevel: string
  readonly #spoil: (error: Error) => void
  #spoiled: SshError | undefined
  /** Settles when the last of the turns has. It never rejects. */
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #probe: Promise<void> | undefined

  /** @param spoil is told when the connection is of no more use because of this CLI */
  constructor({ dialog, levels }: OpenedCli, spoil: (error: Error) => void) {
    this.dialog = dialog
    this.levels = levels
    this.#baseLevel = levels.current.name
    this.#spoil = spoil
  }

  /** Why the CLI has lost step; undefined while it has not. */
  get spoiled(): SshError | undefined {
    return this.#spoiled
  }

  /** Runs it when all turns before it have ended, within its time. */
  take<T>(call: CliCallOptions, what: string, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.takeSeveral(() => this.limit(call, what, task), call.signal)
  }

  /** Runs it when all turns before it have ended; it bounds its steps by itself. */
  async takeSeveral<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#last
    let done = (): void => {}
    this.#last = new Promise((resolve) => {
      done = resolve
    })
    this.#waiting++
    try {
      await (signal === undefined ? before : abortable(before, signal))
      if (this.#spoiled !== undefined) throw this.#spoiled
      return await task()
    } finally {
      this.#waiting--
      // Who gave up while waiting still stands between those before it and those behind.
      void before.then(done)
    }
  }

  /** Bounds one exchange, in a turn. When it ends in the middle of an answer, the CLI has lost step. */
  async limit<T>({ timeout, signal }: CliCallOptions, what: string, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ms = timeoutOf(timeout, this.dialog.options.timeoutMs)
    let begun = false
    try {
      return await limited({ ms, signal, late: () => this.#late(what, ms) }, (inner) => {
        begun = true
        return task(inner)
      })
    } catch (error) {
      if (begun && this.dialog.step !== 'prompt') this.#loseStep(what, error)
      throw error
    }
  }

  /**
   * A round trip for checks, without a time-out. Whoever gives it up leaves it on its way: the next turn waits for its
   * end, and the next check joins it.
   */
  probe(): Promise<void> {
    this.#probe ??= this.takeSeveral(async () => {
      await this.dialog.command(this.dialog.options.healthCommand, neverAborted(), true)
    }).finally(() => {
      this.#probe = undefined
    })
    return this.#probe
  }

  /** Brings the CLI back to where it was opened. Returns nothing when it is there, and nothing can have been left. */
  reset(): Promise<void> | undefined {
    if (this.#spoiled !== undefined) throw this.#spoiled
    const { dialog, levels } = this
    const atBase = levels.current.name === this.#baseLevel && !this.#mayHoldChanges
    if (this.#waiting === 0 && dialog.step === 'prompt' && atBase) return undefined
    return this.takeSeveral(async () => {
      if (dialog.step !== 'prompt') throw new SshError('CLI_OUT_OF_STEP', `${dialog.name}: the CLI was left in the middle of a dialog`)
      await this.returnTo(this.#baseLevel, neverAborted())
    })
  }

  /** Goes to a level, in a turn; changes of the configuration that were not committed are thrown away, also where it is that level. */
  async returnTo(level: string, signal: AbortSignal): Promise<void> {
    if (this.#mayHoldChanges) await this.levels.discard(signal)
    await this.levels.goTo(level, signal)
  }

  /** Whether it is where changes wait for a commit: the next one, whoever's it is, would put what is left there into force. */
  get #mayHoldChanges(): boolean {
    const { current, config } = this.levels
    return current === config && this.dialog.options.platform.discard !== undefined
  }

  #loseStep(what: string, cause: unknown): void {
    if (this.#spoiled !== undefined) return
    const why = cause instanceof Error ? cause.message : 'it was given up'
    const { dialog } = this
    this.#spoiled = new SshError(
      'CLI_OUT_OF_STEP',
      `${dialog.name}: the CLI has lost step with the device, at "${dialog.mask(what)}": ${why}`,
      cause,
    )
    this.#spoil(this.#spoiled)
    dialog.stream.destroy(this.#spoiled)
  }

  #late(what: string, ms: number): SshError {
    const { name, echoed, stream } = this.dialog
    const last = JSON.stringify(stream.terminal.lastLine.slice(-100))
    const hint = echoed ? '' : ' (it has not come back from the device: give echo: false if it never echoes)'
    const message = `${name}: no prompt within ${formatMs(ms)} after "${what}"${hint}; the last line is ${last}`
    return new SshError('CLI_TIMEOUT', this.dialog.mask(message))
  }
}

/** One for each call: hundreds of sessions would listen to the same. */
const neverAborted = (): AbortSignal => new AbortController().signal
