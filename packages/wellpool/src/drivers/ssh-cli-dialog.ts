import type { Secrets } from '../shared/secrets.ts'
import type { ResolvedCliOptions } from './ssh-cli-options.ts'
import type { CliStream } from './ssh-cli-stream.ts'
import { type EchoEnd, EchoFinder } from './ssh-echo.ts'
import { CliCommandError } from './ssh-errors.ts'
import type { CliLevel } from './ssh-platform.ts'
import { type Prompt, PromptMatcher } from './ssh-prompt.ts'

/** One line that is sent, and what it is to be answered by. */
export interface Question {
  readonly send: string
  /** Ends the answer beside a prompt: it is looked for in the last line, then in all that came. */
  readonly expect?: RegExp | undefined
  /** Whether it is a secret: it is not echoed, and must not be seen anywhere. */
  readonly hidden?: boolean | undefined
}

/** What the device answered. */
export interface Answer {
  /** Between the echo and the prompt; all that came when the device asks. */
  readonly output: string
  /** Where the device waits for a command; undefined when it waits for what a question of its own wants. */
  readonly prompt: Prompt | undefined
  /** Whether what was expected has come. */
  readonly met: boolean
}

/** How many of the last lines are looked through for what is expected. */
const EXPECTED_LINES = 50

/** Where the dialog is. */
type Step = 'prompt' | 'asked' | 'waiting'

/**
 * Question and answer over one CLI, in step: what comes back before the echo of a question is never taken for its
 * answer. It knows no time-outs, and takes one question at a time.
 */
export class CliDialog {
  readonly stream: CliStream
  readonly matcher: PromptMatcher
  readonly options: ResolvedCliOptions
  readonly #secrets: Secrets
  #prompt: Prompt | undefined
  #step: Step = 'waiting'
  /** Looks for the echo of what was sent last; undefined when none is to come. */
  #echo: EchoFinder | undefined
  #echoEnd: EchoEnd | undefined
  /** The line on which it was typed. */
  #typedAt = ''
  /** The lines, as the terminal counts them, on which the device waited for the reader. */
  readonly #pagers = new Set<number>()

  constructor(stream: CliStream, options: ResolvedCliOptions, secrets: Secrets) {
    this.stream = stream
    this.options = options
    this.matcher = new PromptMatcher(options.platform, options.prompt)
    this.#secrets = secrets
  }

  /** `prompt`: the device waits for a command; `asked`: for what a question of its own wants; `waiting`: we wait for it. */
  get step(): Step {
    return this.#step
  }

  /** The last prompt. */
  get prompt(): Prompt | undefined {
    return this.#prompt
  }

  /** Whether what was sent last has come back, as far as it is to. */
  get echoed(): boolean {
    return this.#echo === undefined || this.#echoEnd !== undefined
  }

  /** Takes note of a prompt at which the device waits. */
  arriveAt(prompt: Prompt): void {
    this.matcher.accept(prompt)
    this.#prompt = prompt
    this.#step = 'prompt'
  }

  /** Sends a line, and resolves when the device has answered it. */
  async ask({ send, expect, hidden = false }: Question, signal: AbortSignal): Promise<Answer> {
    const { stream, options } = this
    const { terminal } = stream
    signal.throwIfAborted()
    if (hidden) this.#secrets.add(send)
    terminal.forget()
    this.#typedAt = terminal.lastLine
    this.#echo = hidden || !options.echo ? undefined : new EchoFinder(this.#typedAt, send)
    this.#echoEnd = undefined
    this.#pagers.clear()
    stream.write(send + options.newline)
    this.#step = 'waiting'
    for (;;) {
      const found = await stream.until(() => this.#look(expect), signal)
      if (found === 'pager') {
        this.#pagers.add(terminal.endedCount)
        stream.write(' ')
        continue
      }
      // What was expected may be the prompt itself, or stand before it.
      const prompt = found === 'expected' ? this.#promptThere : found
      const output = this.#output(hidden, prompt !== undefined)
      if (prompt === undefined) this.#step = 'asked'
      else this.arriveAt(prompt)
      return { output, prompt, met: found === 'expected' }
    }
  }

  /**
   * Sends a command, and resolves with its output.
   *
   * @throws CliCommandError when the output has one of the platform's error marks
   */
  async command(command: string, signal: AbortSignal, allowErrors = false): Promise<string> {
    const { output } = await this.ask({ send: command }, signal)
    if (!allowErrors) this.refuseErrors(command, output)
    return output
  }

  /** @throws CliCommandError when the output has one of the platform's error marks */
  refuseErrors(command: string, output: string): void {
    const lines = output.split('\n')
    const mark = lines.find((line) => this.options.platform.errors.some((error) => error.test(line)))
    if (mark === undefined) return
    throw new CliCommandError(this.mask(`${this.name}: the device refuses "${command}": ${mark.trim()}`), this.mask(command), output)
  }

  /** `host:port`, as it stands in front of messages. */
  get name(): string {
    return this.stream.name
  }

  /** The text without what must not be seen. */
  mask(text: string): string {
    return this.#secrets.all.reduce((masked, secret) => masked.replaceAll(secret, '***'), text)
  }

  levelNamed(name: string): CliLevel | undefined {
    return this.options.platform.levels.find((level) => level.name === name)
  }

  #look(expect: RegExp | undefined): Prompt | 'pager' | 'expected' | undefined {
    const { terminal } = this.stream
    this.#echoEnd ??= this.#echo?.find(terminal)
    if (!this.echoed) return undefined
    const { lastLine } = terminal
    // What stands there yet is what was there before.
    if (terminal.endedCount === 0 && lastLine === this.#typedAt) return undefined
    if (expect !== undefined && this.#isThere(expect)) return 'expected'
    if (this.options.platform.pager?.test(lastLine) === true) return 'pager'
    return this.#promptThere
  }

  /** The prompt in the last line. On the line on which was typed stands the old one. */
  get #promptThere(): Prompt | undefined {
    const { terminal } = this.stream
    return terminal.endedCount === 0 ? undefined : this.matcher.match(terminal.lastLine)
  }

  #isThere(expect: RegExp): boolean {
    const { lastLine, cursorLine } = this.stream.terminal
    return expect.test(lastLine) || expect.test(cursorLine) || expect.test(this.#answer(EXPECTED_LINES).join('\n'))
  }

  /** The lines of the answer so far; with `last` no more than so many of the last. */
  #answer(last = Number.POSITIVE_INFINITY): string[] {
    const { terminal } = this.stream
    const typed = terminal.endedCount === 0 ? terminal.lastLine : terminal.endedLine(0)
    const first = this.#echoEnd ?? { line: 0, rest: typed.startsWith(this.#typedAt) ? typed.slice(this.#typedAt.length).trimStart() : '' }
    const from = Math.max(first.line + 1, terminal.endedCount + 1 - last)
    const lines = from > terminal.endedCount ? [] : terminal.linesFrom(from)
    return first.rest === '' || from > first.line + 1 ? lines : [first.rest, ...lines]
  }

  #output(hidden: boolean, atPrompt: boolean): string {
    const { noise, pager } = this.options.platform
    const answer = this.#answer()
    const first = this.stream.terminal.endedCount + 1 - answer.length
    // Devices wipe it out before they go on. Those that don't leave it as a line.
    const lines = answer.filter((line, index) => !this.#pagers.has(first + index) || pager?.test(line) !== true)
    if (atPrompt) lines.pop()
    while (lines.length > 0 && (lines.at(-1) === '' || noise?.test(lines.at(-1) as string) === true)) lines.pop()
    return hidden ? this.mask(lines.join('\n')) : lines.join('\n')
  }
}
