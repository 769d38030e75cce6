import type { CliHands, DeviceLevel, DeviceRule, Lines } from './platform.ts'
import type { DeviceState } from './state.ts'

/** What a command answers: a text, or a function that is asked for it. */
export type DeviceCommand = string | ((context: CommandContext) => string)

/** What a command's function is given. */
export interface CommandContext {
  /** The id of the session, as {@link Device.sessions} has it. */
  readonly session: number
  readonly user: string
  readonly command: string
}

/** Who talks to the CLI, and how it answers. */
export interface CliSurroundings {
  readonly session: number
  readonly user: string
  readonly state: DeviceState
  readonly commands: Readonly<Record<string, DeviceCommand>>
  /** Lines for each page at the beginning. */
  readonly pageLength: number
  /** Ends the session. */
  readonly leave: () => void
}

/** A question of the device that waits for its answer. */
interface Question {
  readonly text: string
  readonly hidden: boolean
  readonly answered: (answer: string) => Lines
}

const NOTHING: Lines = []

/** The command interpreter of one session: where it is, what it knows, and what it asks. */
export class DeviceCli implements CliHands {
  readonly #around: CliSurroundings
  readonly #prompts = new Map<DeviceLevel, string>()
  #level: DeviceLevel
  #mode = ''
  #question: Question | undefined
  #pageLength: number

  constructor(around: CliSurroundings) {
    this.#around = around
    this.#level = around.state.kind.loginLevel
    this.#pageLength = around.pageLength
  }

  /** What stands in front of the next input. */
  get prompt(): string {
    if (this.#question !== undefined) return this.#question.text
    const { state, user } = this.#around
    const parts = { hostname: state.hostname, user, level: this.#level, mode: this.#mode, changed: this.changed }
    return this.#prompts.get(this.#level) ?? state.kind.prompt(parts)
  }

  /** Whether the next input is secret. */
  get hidden(): boolean {
    return this.#question?.hidden === true
  }

  get pageLength(): number {
    return this.#pageLength
  }

  get level(): DeviceLevel {
    return this.#level
  }

  get mode(): string {
    return this.#mode
  }

  get changed(): boolean {
    return this.#around.state.hasChanged(this.#around.session)
  }

  get running(): Lines {
    return this.#around.state.running
  }

  get hasSecret(): boolean {
    return this.#around.state.enableSecret !== undefined
  }

  /** Takes a line, and returns what the device answers, line by line. */
  take(line: string): Lines {
    const question = this.#question
    if (question !== undefined) {
      this.#question = undefined
      return question.answered(line)
    }
    const command = line.trim().replaceAll(/\s+/g, ' ')
    return command === '' ? [] : this.#obey(command)
  }

  /** Whether the device knows the command where it is now. */
  knows(command: string): boolean {
    return Object.hasOwn(this.#around.commands, command) || this.#ruleFor(command) !== undefined
  }

  isSecret(answer: string): boolean {
    return answer === this.#around.state.enableSecret
  }

  go(level: DeviceLevel, mode = ''): Lines {
    // Who comes here anew finds the usual prompt.
    if (level !== this.#level) this.#prompts.delete(level === 'exec' ? 'enable' : level)
    this.#level = level
    this.#mode = mode
    return NOTHING
  }

  page(lines: number): Lines {
    this.#pageLength = lines
    return NOTHING
  }

  ask(text: string, hidden: boolean, answered: Question['answered']): Lines {
    this.#question = { text, hidden, answered }
    return NOTHING
  }

  setPrompt(prompt: string): Lines {
    this.#prompts.set(this.#level, prompt)
    return NOTHING
  }

  configure(line: string): Lines {
    this.#around.state.configure(this.#around.session, line)
    return NOTHING
  }

  rename(hostname: string): Lines {
    this.#around.state.rename(this.#around.session, hostname)
    return NOTHING
  }

  commit(): Lines {
    return this.#around.state.commit(this.#around.session)
  }

  rollback(): Lines {
    this.#around.state.rollback(this.#around.session)
    return NOTHING
  }

  leave(): Lines {
    this.#around.leave()
    return NOTHING
  }

  #obey(command: string): Lines {
    const { commands, session, user, state } = this.#around
    const own = this.#level !== 'config' && Object.hasOwn(commands, command) ? commands[command] : undefined
    if (own !== undefined) return (typeof own === 'string' ? own : own({ session, user, command })).split('\n')
    const rule = this.#ruleFor(command)
    if (rule !== undefined) return rule.run(this, ...(rule.command.exec(command)?.slice(1) ?? []))
    return state.kind.unknown(command, (this.prompt.split('\n').at(-1) ?? '').length)
  }

  #ruleFor(command: string): DeviceRule | undefined {
    return this.#around.state.kind.rules.find(({ levels, command: pattern }) => levels.includes(this.#level) && pattern.test(command))
  }
}
