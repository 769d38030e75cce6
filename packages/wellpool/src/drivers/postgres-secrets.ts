import type { PostgresOptions } from './postgres-options.ts'

/** How many passwords are remembered: tokens that are made anew for each connect would fill the memory. */
const MAX_REMEMBERED = 100

/** All that must never be seen, in every form in which an error may show it. */
export class PostgresSecrets {
  readonly #lasting: readonly string[]
  /** Passwords in the order of their last use. */
  readonly #passwords = new Set<string>()
  #all: readonly string[] | undefined

  /** @param foundPassword the one in the connection string or the environment. */
  constructor(foundPassword: string | undefined, { password, ssl }: PostgresOptions) {
    const { key, passphrase } = typeof ssl === 'object' ? ssl : {}
    this.#lasting = [foundPassword, password, key, passphrase].filter((value) => typeof value === 'string')
  }

  /** Remembers a password that is used now. */
  add(password: string): void {
    if (this.#passwords.delete(password)) {
      this.#passwords.add(password)
      return
    }
    this.#passwords.add(password)
    for (const oldest of this.#passwords) {
      if (this.#passwords.size <= MAX_REMEMBERED) break
      this.#passwords.delete(oldest)
    }
    this.#all = undefined
  }

  /** The longest first, so that none that is part of another leaves the rest of it readable. */
  get all(): readonly string[] {
    this.#all ??= [...new Set([...this.#lasting, ...this.#passwords].flatMap((secret) => [secret, encodeURIComponent(secret)]))]
      .filter((secret) => secret !== '')
      .sort((a, b) => b.length - a.length)
    return this.#all
  }
}
