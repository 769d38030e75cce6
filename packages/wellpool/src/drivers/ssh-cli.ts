import { configure } from './ssh-cli-configure.ts'
import type { CliCallOptions, CliTurns } from './ssh-cli-turns.ts'
import { CliCommandError } from './ssh-errors.ts'

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
  readonly #turns: CliTurns
  /** What the device said before its first prompt. */
  readonly banner: string

  /** Made by `openCli`, or by the driver with its option `cli`. */
  constructor(turns: CliTurns, banner: string) {
    this.#turns = turns
    this.banner = banner
  }

  /** The level in which the device is: `exec`, `enable`, `config`, … */
  get level(): string {
    return this.#turns.levels.current.name
  }

  /** The last prompt that the device showed, without blanks at its end. */
  get prompt(): string {
    return this.#turns.dialog.prompt?.line ?? ''
  }

  /**
   * Sends a command, and resolves with its output: what stands between the echo and the next prompt.
   *
   * @throws CliCommandError when the device answers with an error
   * @throws SshError CLI_TIMEOUT, CLI_OUT_OF_STEP, CLI_CLOSED, SSH_OUTPUT_LIMIT, SSH_CONNECTION_LOST; the reason of the
   *   signal when that is aborted
   * @throws TypeError when it is more than one line
   */
  async send(command: string, { expect, allowErrors = false, ...call }: SendOptions = {}): Promise<string> {
    oneLine(command)
    const { dialog } = this.#turns
    return this.#turns.take(call, command, async (signal) => {
      const { output } = await dialog.ask({ send: command, expect: toPattern(expect) }, signal)
      if (!allowErrors) dialog.refuseErrors(command, output)
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
   * @throws TypeError when a line is more than one, and where the platform has no configuration
   */
  async configure(lines: readonly string[], call: CliCallOptions = {}): Promise<string[]> {
    for (const line of lines) oneLine(line)
    return configure(this.#turns, lines, call)
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
    return this.#turns.takeSeveral(async () => {
      const said: string[] = []
      for (const step of steps) said.push(await this.#take(step, call))
      return said.join('\n')
    }, call.signal)
  }

  /** Goes to a level: `exec`, `enable`, `config`, … A reset brings it back. */
  async enter(level: string, call: CliCallOptions = {}): Promise<void> {
    const { dialog, levels } = this.#turns
    if (dialog.levelNamed(level) === undefined) throw new TypeError(`the platform ${dialog.options.platform.name} has no level ${level}`)
    await this.#turns.take(call, level, (signal) => levels.goTo(level, signal))
  }

  /** Closes the CLI; its session lives on. Resolves when the device has closed it as well. */
  async close(): Promise<void> {
    await this.#turns.dialog.stream.close()
  }

  async #take({ send, expect, hidden = false }: InteractStep, call: CliCallOptions): Promise<string> {
    const { dialog } = this.#turns
    const shown = hidden ? '***' : send
    const pattern = toPattern(expect)
    const { output, met } = await this.#turns.limit(call, shown, (signal) => dialog.ask({ send, expect: pattern, hidden }, signal))
    dialog.refuseErrors(shown, output)
    if (met || pattern === undefined) return output
    const message = `${dialog.name}: to "${shown}" the device did not say what was expected (${expect})`
    throw new CliCommandError(dialog.mask(message), shown, output)
  }
}

/** A line break would be a second command, whose answer nobody waits for. */
function oneLine(text: string): void {
  if (/[\r\n]/.test(text)) throw new TypeError('a command is one line: send several with sendAll or configure')
}

/** A pattern that does not remember where it looked last. */
function toPattern(expect: RegExp | string | undefined): RegExp | undefined {
  if (typeof expect === 'string') return new RegExp(expect.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return expect === undefined ? undefined : new RegExp(expect.source, expect.flags.replaceAll(/[gy]/g, ''))
}
