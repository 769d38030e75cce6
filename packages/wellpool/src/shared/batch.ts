/** Asks for many things at the same time by one question: all that are asked for in the same turn. */
export class Batch<Key, Answer> {
  readonly #ask: (keys: readonly Key[]) => Promise<Answer>
  #keys: Key[] = []
  #answer: Promise<Answer> | undefined

  constructor(ask: (keys: readonly Key[]) => Promise<Answer>) {
    this.#ask = ask
  }

  /** The answer to a question that asks for this, and maybe for more. */
  with(key: Key): Promise<Answer> {
    this.#keys.push(key)
    this.#answer ??= this.#send()
    return this.#answer
  }

  async #send(): Promise<Answer> {
    // Whoever asks in the same turn is in time.
    await undefined
    const keys = this.#keys
    this.#keys = []
    this.#answer = undefined
    return this.#ask(keys)
  }
}
