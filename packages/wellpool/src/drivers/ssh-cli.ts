import { type Duration, formatMs } from '../engine/duration.ts'
import { abortable } from '../shared/abortable.ts'
import type { CliDialog } from './ssh-cli-dialog.ts'
import type { CliLevels } from './ssh-cli-levels.ts'
import type { OpenedCli } from './ssh-cli-open.ts'
import { CliCommandError, SshError } from './ssh-errors.ts'
import { limited, timeoutOf } from './ssh-limit.ts'

/** How long a call on a CLI may take. */
export interface CliCallOptions {
  /** The longest that each command may take, ms or text; 0: for ever. Default: the CLI's `timeout`. */
  readonly timeout?: Duration | undefined
  /** Gives it up: the call rejects with the signal's reason. Once something has been sent, the CLI is of no more use after that. */
  readonly signal?: AbortSignal | undefined
}

/** How a command is sent. */
export interface SendOptions extends CliCallOptions {
  /** What ends the answer beside a prompt: a question that the next call answers. */
  readonly expect?: RegExp | undefined
  /** Whether an answer with one of the platform's error marks is returned like any other. Default false: it rejects. */
  readonly allowErrors?: boolean | undefined
}

/** One step of a dialog. */
export interface InteractStep {
  readonly send: string
  /** What the device then says. Default: its prompt. */
  readonly expect?: RegExp | string | undefined
  /** Whether it is a secret: it is masked wherever it would be seen. Default false. */
  readonly hidden?: boolean | undefined
}

/**
 * The command line of a device, open at its prompt. Calls are done one after the other, in the order in which they are
 * made. After a time-out or an abort in the middle of an answer nobody knows what belongs to what: every further call
 * rejects with CLI_OUT_OF_STEP, and the connection is rebuilt.
 */
export class Cli {
  readonly #dialog: CliDialog
  readonly #levels: CliLevels
  readonly #baseLevel: string
  readonly #spoil: (error: Error) => void
  /** What the device said before its first prompt. */
  readonly banner: string
  #spoiled: SshError | undefined
  /** Settles when the last of the calls has. It never rejects. */
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #probe: Promise<void> | undefined

  /**
   * Made by `openCli`, or by the driver with its option `cli`.
   *
   * @param spoil is told when the connection is of no more use because of this CLI
   */
  constructor({ dialog, levels, banner }: OpenedCli, spoil: (error: Error) => void) {
    this.#dialog = dialog
    this.#levels = levels
    this.#baseLevel = levels.current.name
    this.#spoil = spoil
    this.banner = banner
  }
  /** The level in which the device is: `exec`, `enable`, `config`, … */
  get level(): string {
    return this.#levels.current.name
  }

  /** The last prompt that the device showed, without blanks at its end. */
  get prompt(): string {
    return this.#dialog.prompt?.line ?? ''
  }

  /**
   * Sends a command, and resolves with its output: what stands between the echo and the next prompt.
   *
   * @throws CliCommandError when the device answers with an error
   * @throws SshError CLI_TIMEOUT, CLI_OUT_OF_STEP, CLI_CLOSED, SSH_OUTPUT_LIMIT
   * @throws TypeError when it is more than one line
   */
  async send(command: string, { expect, allowErrors = false, ...call }: SendOptions = {}): Promise<string> {
    oneLine(command)
    return this.#inTurn(call, command, async (signal) => {
      const { output } = await this.#dialog.ask({ send: command, expect }, signal)
      if (!allowErrors) this.#dialog.refuseErrors(command, output)
      return output
    })
  }

  /** Sends commands one after the other, and resolves with their outputs. The first that fails ends it, as in {@link send}. */
  async sendAll(commands: readonly string[], options: Omit<SendOptions, 'expect'> = {}): Promise<string[]> {
    const outputs: string[] = []
    for (const command of commands) outputs.push(await this.send(command, options))
    return outputs
  }

  /**
   * Changes the configuration: goes to the config level, puts the lines in, commits where the platform does, and comes
   * back to the level from which it went. The first line that is refused ends it: what can still be thrown away is, the
   * config level is left, and the error has the line and what the device said. On platforms without a commit the lines
   * before it are in force.
   *
   * @returns what the device said to each line
   * @throws CliCommandError when the device refuses a line or the commit
   * @throws SshError as {@link send}; CLI_SECRET when the way there needs a secret that is not given
   */
  async configure(lines: readonly string[], call: CliCallOptions = {}): Promise<string[]> {
    for (const line of lines) oneLine(line)
    const config = this.#levels.config
    if (config === undefined) throw new TypeError(`the platform ${this.#dialog.options.platform.name} has no level for the configuration`)
    const { commitTimeoutMs } = this.#dialog.options
    return this.#exclusively(async () => {
      const from = this.level
      await this.#limitedTo(call, config.enter ?? '', (signal) => this.#levels.goTo(config.name, signal))
      try {
        const { renames } = this.#dialog.options.platform
        const outputs: string[] = []
        for (const line of lines) {
          // The new name may show at once, with the commit, or when the level is left.
          const renamed = renames !== undefined && lines.slice(0, outputs.length + 1).some((done) => renames.test(done))
          if (renamed) this.#dialog.matcher.expectAnother()
          outputs.push(await this.#limitedTo(call, line, (signal) => this.#dialog.command(line, signal)))
        }
        const renamed = renames !== undefined && lines.some((line) => renames.test(line))
        if (renamed) this.#dialog.matcher.expectAnother()
        await this.#limitedTo({ ...call, timeout: call.timeout ?? commitTimeoutMs }, 'commit', (signal) => this.#commit(signal))
        if (renamed) this.#dialog.matcher.expectAnother()
        await this.#limitedTo(call, config.leave ?? '', (signal) => this.#levels.goTo(from, signal))
        return outputs
      } catch (error) {
        if (this.#spoiled === undefined && this.level === config.name) {
          await this.#limitedTo({}, 'discard', (signal) => this.#discard(from, signal))
        }
        throw error
      }
    }, call.signal)
  }

  /**
   * Holds a dialog with a command that asks: `copy`, `reload`, `clear`. Each step is sent when the one before it has
   * been answered as expected; an answer that ends at a prompt before that ends the dialog with an error.
   *
   * @returns all that the device said, hidden input masked
   * @throws CliCommandError when the dialog takes another turn, or an answer has one of the platform's error marks
   * @throws SshError as {@link send}
   */
  async interact(steps: readonly InteractStep[], call: CliCallOptions = {}): Promise<string> {
    for (const { send } of steps) oneLine(send)
    return this.#exclusively(async () => {
      const said: string[] = []
      for (const { send, expect, hidden = false } of steps) {
        const shown = hidden ? '***' : send
        const { output, prompt } = await this.#limitedTo(call, shown, (signal) =>
          this.#dialog.ask({ send, expect: toPattern(expect), hidden }, signal),
        )
        said.push(output)
        this.#dialog.refuseErrors(shown, output)
        if (prompt === undefined || expect === undefined) continue
        // The prompt may itself be what is expected.
        if (toPattern(expect)?.test(prompt.line) === true) continue
        const message = `${this.#dialog.name}: to "${shown}" the device did not say what was expected (${expect})`
        throw new CliCommandError(this.#dialog.mask(message), shown, output)
      }
      return said.join('\n')
    }, call.signal)
  }

  /** Goes to a level: `exec`, `enable`, `config`, … A reset brings it back. */
  async enter(level: string, call: CliCallOptions = {}): Promise<void> {
    if (this.#dialog.levelNamed(level) === undefined)
      throw new TypeError(`the platform ${this.#dialog.options.platform.name} has no level ${level}`)
    await this.#inTurn(call, level, (signal) => this.#levels.goTo(level, signal))
  }

  /** Closes the CLI; its session lives on. Resolves when the device has closed it as well. */
  async close(): Promise<void> {
    await this.#dialog.stream.close()
  }

  /**
   * A round trip for checks, without a time-out. Whoever gives it up leaves it on its way: the next call waits for its
   * end, and the next check joins it.
   */
  probe(): Promise<void> {
    this.#probe ??= this.#exclusively(async () => {
      await this.#dialog.command(this.#dialog.options.healthCommand, neverAborted(), true)
    }).finally(() => {
      this.#probe = undefined
    })
    return this.#probe
  }

  /** Brings the CLI back to where it was opened. Returns nothing when it is there. */
  reset(): Promise<void> | undefined {
    if (this.#spoiled !== undefined) throw this.#spoiled
    if (this.#waiting === 0 && this.#dialog.step === 'prompt' && this.level === this.#baseLevel) return undefined
    return this.#exclusively(async () => {
      if (this.#dialog.step !== 'prompt')
        throw new SshError('CLI_OUT_OF_STEP', `${this.#dialog.name}: the CLI was left in the middle of a dialog`)
      if (this.#levels.current === this.#levels.config) await this.#levels.discard(neverAborted())
      await this.#levels.goTo(this.#baseLevel, neverAborted())
    })
  }

  /** Calls back once, when the device has closed the CLI. */
  onClosed(listener: (error: unknown) => void): void {
    this.#dialog.stream.onClosed(listener)
  }

  async #commit(signal: AbortSignal): Promise<void> {
    const { commit } = this.#dialog.options.platform
    if (commit === undefined || commit.when?.test(this.prompt) === false) return
    await this.#dialog.command(commit.send, signal)
  }

  async #discard(level: string, signal: AbortSignal): Promise<void> {
    await this.#levels.discard(signal)
    await this.#levels.goTo(level, signal)
  }

  #inTurn<T>(call: CliCallOptions, what: string, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#exclusively(() => this.#limitedTo(call, what, task), call.signal)
  }

  /** Runs it when all calls before it have settled. */
  async #exclusively<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
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

  /** Bounds one exchange. When it ends in the middle of an answer, the CLI has lost step. */
  async #limitedTo<T>({ timeout, signal }: CliCallOptions, what: string, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ms = timeoutOf(timeout, this.#dialog.options.timeoutMs)
    let begun = false
    try {
      return await limited({ ms, signal, late: () => this.#late(what, ms) }, (inner) => {
        begun = true
        return task(inner)
      })
    } catch (error) {
      if (begun && this.#dialog.step !== 'prompt') this.#loseStep(what, error)
      throw error
    }
  }

  #loseStep(what: string, cause: unknown): void {
    if (this.#spoiled !== undefined) return
    const why = cause instanceof Error ? cause.message : 'it was given up'
    const message = `${this.#dialog.name}: the CLI has lost step with the device, at "${this.#dialog.mask(what)}": ${why}`
    this.#spoiled = new SshError('CLI_OUT_OF_STEP', message, cause)
    this.#spoil(this.#spoiled)
    this.#dialog.stream.destroy(this.#spoiled)
  }

  #late(what: string, ms: number): SshError {
    const { name, echoed, stream } = this.#dialog
    const last = JSON.stringify(stream.terminal.lastLine.slice(-100))
    const hint = echoed ? '' : ' (it has not come back from the device: give echo: false if it never echoes)'
    return new SshError(
      'CLI_TIMEOUT',
      this.#dialog.mask(`${name}: no prompt within ${formatMs(ms)} after "${what}"${hint}; the last line is ${last}`),
    )
  }
}

/** One for each call: hundreds of sessions would listen to the same. */
const neverAborted = (): AbortSignal => new AbortController().signal

/** A line break would be a second command, whose answer nobody waits for. */
function oneLine(text: string): void {
  if (/[\r\n]/.test(text)) throw new TypeError('a command is one line: send several with sendAll or configure')
}

function toPattern(expect: RegExp | string | undefined): RegExp | undefined {
  return typeof expect === 'string' ? new RegExp(expect.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')) : expect
}
