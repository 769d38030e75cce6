import type ssh2 from 'ssh2'
import { ConfigError } from '../engine/errors.ts'
import { abortable } from '../shared/abortable.ts'
import { askForPassword } from '../shared/password.ts'
import type { Secrets } from '../shared/secrets.ts'
import { SshError } from './ssh-errors.ts'
import type { KeyboardQuestion, SshHop } from './ssh-options.ts'

/** A way to log in, as it is configured. An agent's keys are public keys to the peer. */
type Method = 'publickey' | 'agent' | 'password' | 'keyboard-interactive'

/** What ssh2 asks for the next way to log in; it sends `null` at first, when the peer has not yet said what it takes. */
type NextMethod = (offered: readonly string[] | null, partly: boolean | null, next: (method: ssh2.AnyAuthMethod) => void) => void

/**
 * Logs in to one server, once: each way that is configured and that the peer offers is tried once, in this order:
 * key, agent, password, questions. A password that was refused is not sent a second time as an answer to questions:
 * devices count failures and lock accounts.
 */
export class SshLogin {
  readonly #hop: SshHop
  readonly #secrets: Secrets
  readonly #signal: AbortSignal
  readonly #fail: (error: unknown) => void
  readonly #left: Method[]
  readonly #refused: Method[] = []
  #trying: Method | undefined
  #offered: readonly string[] = []
  /** Whether the peer took what it was shown last, and wants more; undefined while it has not answered. */
  #taken: boolean | undefined
  #round = 0
  #passwordSent = false

  /**
   * @param secrets remembers what is asked for
   * @param fail is told once why the log-in can't go on; the caller ends the connection
   */
  constructor(hop: SshHop, secrets: Secrets, signal: AbortSignal, fail: (error: unknown) => void) {
    this.#hop = hop
    this.#secrets = secrets
    this.#signal = signal
    this.#fail = fail
    this.#left = configuredMethods(hop)
  }

  /** Whether the peer has been shown anything. */
  get tried(): boolean {
    return this.#trying !== undefined
  }

  /** Whether the peer has refused something that it was shown. */
  get refused(): boolean {
    return this.#refused.length > 0
  }

  readonly next: NextMethod = (offered, partly, next) => {
    const { username } = this.#hop.options
    if (offered === null) {
      // Asks what the peer takes, as every client does; some let in who asks.
      next({ type: 'none', username })
      return
    }
    if (this.#taken === undefined) this.hear(offered, partly === true)
    if (this.#trying !== undefined && this.#taken !== true) this.#refused.push(this.#trying)
    this.#taken = undefined
    const method = this.#left.find(
      (candidate) => this.#offered.includes(candidate === 'agent' ? 'publickey' : candidate) && !this.#repeats(candidate),
    )
    if (method === undefined) {
      this.#fail(this.#noneLeft())
      return
    }
    this.#left.splice(this.#left.indexOf(method), 1)
    this.#trying = method
    this.#prepare(method).then(next, this.#fail)
  }

  /** Takes note of what the peer takes next. One way may have several answers, as an agent has several keys: one that is right counts. */
  hear(offered: readonly string[], partly: boolean): void {
    this.#offered = offered
    this.#taken = this.#taken === true || partly
  }

  /** The log-in can't go on, whatever is tried. */
  refuse(why: string): void {
    this.#fail(this.#error(why))
  }

  /** What to say of a peer that ended the connection in the middle of the log-in. */
  describe(): string {
    return this.#refused.length === 0 ? '' : `, after it refused ${this.#refused.join(', ')}`
  }

  async #prepare(method: Method): Promise<ssh2.AnyAuthMethod> {
    const { options, privateKey, agent } = this.#hop
    const { username } = options
    if (method === 'publickey') return { type: 'publickey', username, key: privateKey as ssh2.ParsedKey }
    if (method === 'agent') return { type: 'agent', username, agent: agent as string }
    if (method === 'password') {
      this.#passwordSent = true
      return { type: 'password', username, password: await this.#password() }
    }
    return {
      type: 'keyboard-interactive',
      username,
      prompt: (name, instructions, _language, prompts, finish) => {
        const questions = prompts.map(({ prompt, echo }) => ({ prompt, echo: echo === true }))
        this.#answer(name, instructions, questions).then((answers) => finish([...answers]), this.#fail)
      },
    }
  }

  async #answer(name: string, instructions: string, questions: readonly KeyboardQuestion[]): Promise<readonly string[]> {
    const { keyboardInteractive } = this.#hop.options
    this.#round++
    if (keyboardInteractive === undefined) return this.#answerWithPassword(questions)
    const context = { name, instructions, round: this.#round, signal: this.#signal }
    const asked = async (): Promise<unknown> => keyboardInteractive(questions, context)
    const answers = await abortable(asked(), this.#signal)
    if (!Array.isArray(answers) || answers.length !== questions.length || !answers.every((answer) => typeof answer === 'string')) {
      const allowed = `a function that returns one text for each question: ${questions.length}`
      throw new ConfigError([{ path: 'keyboardInteractive', given: 'a function that returned something else', allowed }])
    }
    questions.forEach(({ echo }, index) => {
      if (!echo) this.#secrets.add(answers[index] as string)
    })
    return answers
  }

  async #answerWithPassword(questions: readonly KeyboardQuestion[]): Promise<readonly string[]> {
    const [question] = questions
    if (questions.length !== 1 || question === undefined || question.echo || this.#passwordSent) {
      const asked = questions.map(({ prompt }) => `"${prompt.trim()}"`).join(', ')
      const again = this.#passwordSent ? ' once more' : ''
      throw this.#error(`it asks${again} for ${asked}, which the password does not answer: give the option keyboardInteractive`)
    }
    this.#passwordSent = true
    return [await this.#password()]
  }

  async #password(): Promise<string> {
    const password = (await askForPassword(this.#hop.options.password, this.#signal)) as string
    this.#secrets.add(password)
    return password
  }

  /** Whether it would send the password again that was refused. */
  #repeats(method: Method): boolean {
    return method === 'keyboard-interactive' && this.#hop.options.keyboardInteractive === undefined && this.#refused.includes('password')
  }

  #noneLeft(): SshError {
    const configured = configuredMethods(this.#hop)
    if (configured.length === 0) return this.#error(`it takes ${this.#offers}, and no password, key or agent is given`)
    const refused = this.#refused.length === 0 ? '' : `; it refused ${this.#refused.join(', ')}`
    return this.#error(`configured is ${configured.join(', ')}, it takes ${this.#offers}${refused}`)
  }

  get #offers(): string {
    return this.#offered.length === 0 ? 'nothing more' : this.#offered.join(', ')
  }

  #error(what: string): SshError {
    const { host, port, options } = this.#hop
    return new SshError('SSH_AUTHENTICATION', `${host}:${port} does not let the user ${options.username} in: ${what}`)
  }
}

function configuredMethods({ privateKey, agent, options }: SshHop): Method[] {
  const methods: Method[] = []
  if (privateKey !== undefined) methods.push('publickey')
  if (agent !== undefined) methods.push('agent')
  if (options.password !== undefined) methods.push('password')
  if (options.keyboardInteractive !== undefined || options.password !== undefined) methods.push('keyboard-interactive')
  return methods
}
