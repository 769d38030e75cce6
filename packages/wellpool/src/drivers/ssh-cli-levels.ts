import { askForPassword } from '../shared/password.ts'
import type { CliDialog } from './ssh-cli-dialog.ts'
import { CliCommandError, SshError } from './ssh-errors.ts'
import type { CliLevel } from './ssh-platform.ts'

const DEFAULT_CONFIG = 'config'
/** How devices refuse a secret whose prompt does not show whether they took it. */
const REFUSAL = /fail|denied|incorrect|wrong|bad/i

/** Moves a dialog from level to level, with the enable secret where it is asked for. */
export class CliLevels {
  readonly #dialog: CliDialog

  constructor(dialog: CliDialog) {
    this.#dialog = dialog
  }

  get current(): CliLevel {
    const { prompt } = this.#dialog
    if (prompt === undefined) throw new Error('bug: a CLI without a prompt')
    return prompt.level
  }

  /** The level in which the configuration is changed. */
  get config(): CliLevel | undefined {
    const { configLevel = DEFAULT_CONFIG } = this.#dialog.options.platform
    return this.#dialog.levelNamed(configLevel)
  }

  /**
   * Goes to a level, one step after the other. Caller must know that the dialog is at a prompt.
   *
   * @throws SshError CLI_SECRET when the secret is refused, or asked for and not given
   * @throws CliCommandError when the device does not go there
   */
  async goTo(name: string, signal: AbortSignal): Promise<void> {
    const { levels } = this.#dialog.options.platform
    const target = levels.findIndex((level) => level.name === name)
    for (let at = levels.indexOf(this.current); at !== target; ) {
      const next = levels[at < target ? at + 1 : at] as CliLevel
      if (at < target) await this.#enter(next, signal)
      else await this.#leave(next, signal)
      const now = levels.indexOf(this.current)
      // Some commands lead further than one step: Cisco's `end`. None may lead the other way.
      if (now === at || now < at !== target < at) throw this.#stuck(at < target ? next.enter : next.leave, name)
      at = now
    }
  }

  /** Raises the privileges where that does not change the prompt. */
  async elevate(signal: AbortSignal): Promise<void> {
    const { platform, enableSecret } = this.#dialog.options
    if (platform.elevate === undefined || enableSecret === undefined) return
    const { send, secret } = platform.elevate
    const said = await this.#askWithSecret(send, secret, signal)
    if (said !== undefined && (REFUSAL.test(said) || this.#isError(said))) throw this.#refused(send, said)
  }

  /** Gives the present level a prompt that can be told from output, if the platform has one. */
  async fixPrompt(signal: AbortSignal): Promise<void> {
    const { fixPrompt } = this.current
    if (fixPrompt === undefined) return
    this.#dialog.matcher.learn(fixPrompt.base)
    await this.#dialog.ask({ send: fixPrompt.send }, signal)
  }

  /** Throws away what has been changed and not been committed, and leaves the config level. Caller must know that it is in there. */
  async discard(signal: AbortSignal): Promise<void> {
    const { platform } = this.#dialog.options
    const below = platform.levels[platform.levels.indexOf(this.current) - 1]
    // Platforms cover devices that know the command and such that do not, because there is nothing to be discarded.
    for (const command of platform.discard ?? []) await this.#dialog.ask({ send: command }, signal)
    if (below !== undefined && this.current === this.config) await this.goTo(below.name, signal)
  }

  async #enter(level: CliLevel, signal: AbortSignal): Promise<void> {
    const { matcher } = this.#dialog
    const send = level.enter as string
    // A shell of another user has a prompt that nobody knows yet.
    if (level.fixPrompt !== undefined) matcher.expectAnother()
    const said = await this.#askWithSecret(send, level.secret, signal)
    if (said !== undefined && this.current !== level) throw this.#refused(send, said)
    await this.fixPrompt(signal)
  }

  async #leave(level: CliLevel, signal: AbortSignal): Promise<void> {
    await this.#dialog.command(level.leave as string, signal)
  }

  /** @returns what the device said to the secret; undefined when it did not ask for one */
  async #askWithSecret(send: string, secret: RegExp | undefined, signal: AbortSignal): Promise<string | undefined> {
    const dialog = this.#dialog
    const { output, prompt } = await dialog.ask({ send, expect: secret }, signal)
    if (prompt !== undefined) {
      dialog.refuseErrors(send, output)
      return undefined
    }
    const { enableSecret } = dialog.options
    if (enableSecret === undefined) throw this.#secretError(send, 'asks for a secret: give the option enableSecret')
    const answer = (await askForPassword(enableSecret, signal, 'enableSecret')) as string
    const after = await dialog.ask({ send: answer, hidden: true, expect: secret }, signal)
    // Once is enough: devices count failures and lock accounts.
    if (after.prompt === undefined) throw this.#secretError(send, 'refuses the enable secret, and asks for it again')
    return after.output.trim()
  }

  #isError(output: string): boolean {
    return output.split('\n').some((line) => this.#dialog.options.platform.errors.some((error) => error.test(line)))
  }

  #refused(send: string, said: string): SshError {
    return this.#secretError(send, `refuses the enable secret${said === '' ? '' : `: ${said}`}`)
  }

  #secretError(send: string, what: string): SshError {
    return new SshError('CLI_SECRET', this.#dialog.mask(`${this.#dialog.name}: the device ${what} (at "${send}")`))
  }

  #stuck(command: string | undefined, name: string): CliCommandError {
    const message = `${this.#dialog.name}: "${command}" does not lead towards the level ${name}: the prompt is ${this.#dialog.prompt?.line}`
    return new CliCommandError(message, command ?? '', '')
  }
}
