import type { CliLevel, CliPlatform } from './ssh-platform.ts'

/** A prompt of the device. */
export interface Prompt {
  readonly level: CliLevel
  /** The whole line, without blanks at its end. */
  readonly line: string
  readonly base: string
}

/** How much of a name has to be left when a prompt cuts it short. */
const SHORTEST_CUT = 15

/** Tells the prompts of one device from lines that look like prompts. */
export class PromptMatcher {
  readonly #platform: CliPlatform
  #base: string | undefined
  #renaming = false

  /** @param base what the device's prompts have in common, if it is known */
  constructor(platform: CliPlatform, base?: string) {
    this.#platform = platform
    this.#base = base
  }

  /** What the device's prompts have in common; undefined while nothing is known of it. */
  get base(): string | undefined {
    return this.#base
  }

  /** The prompt that this line is, if it is one of this device. While nothing is known of it, any that the platform may have. */
  match(line: string): Prompt | undefined {
    for (const level of this.#platform.levels) {
      const base = level.prompt.exec(line)?.groups?.base
      if (base !== undefined && this.#isOurs(base, level)) return { level, line, base }
    }
    return undefined
  }

  /** From now on only prompts with this base are the device's. */
  learn(base: string): void {
    this.#base = base
    this.#renaming = false
  }

  /** What is sent next may change the prompt: the next that comes is the device's, whatever its name. */
  expectAnother(): void {
    this.#renaming = true
  }

  /** Takes note of a prompt that has come. */
  accept(prompt: Prompt): void {
    // The modes of the configuration may be part of what a loose level calls its base.
    if (this.#renaming && prompt.level.loose !== true) this.learn(prompt.base)
  }

  #isOurs(base: string, level: CliLevel): boolean {
    const known = this.#base
    if (known === undefined || this.#renaming || base === known) return true
    if (level.loose !== true) return false
    return base.startsWith(known) || (base.length >= SHORTEST_CUT && known.startsWith(base))
  }
}
