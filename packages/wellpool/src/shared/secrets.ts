/** How many secrets are remembered: tokens that are made anew for each connect would fill the memory. */
const MAX_REMEMBERED = 100

/** All that must never be seen, in every form in which an error may show it: what a driver's `secrets` returns. */
export class Secrets {
  readonly #lasting: readonly string[]
  /** In the order of their last use. */
  readonly #remembered = new Set<string>()
  #all: readonly string[] | undefined

  /** @param lasting what is secret for as long as the driver lives: passwords and keys of its options. What is no text is left out. */
  constructor(lasting: readonly unknown[] = []) {
    this.#lasting = lasting.filter((value) => typeof value === 'string')
  }

  /** Remembers a secret that is used now: a password or a token that a function has returned. */
  add(secret: string): void {
    if (this.#remembered.delete(secret)) {
      this.#remembered.add(secret)
      return
    }
    this.#remembered.add(secret)
    for (const oldest of this.#remembered) {
      if (this.#remembered.size <= MAX_REMEMBERED) break
      this.#remembered.delete(oldest)
    }
    this.#all = undefined
  }

  /** The longest first, so that none that is part of another leaves the rest of it readable. */
  get all(): readonly string[] {
    this.#all ??= [...new Set([...this.#lasting, ...this.#remembered].flatMap((secret) => [secret, encodeURIComponent(secret)]))]
      .filter((secret) => secret !== '')
      .sort((a, b) => b.length - a.length)
    return this.#all
  }
}
