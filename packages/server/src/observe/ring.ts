/** The latest items of a kind, and how many there were that are gone. */
export class Ring<Item> {
  readonly #items: Item[] = []
  readonly #capacity: number
  #start = 0
  #lost = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get lost(): number {
    return this.#lost
  }

  get length(): number {
    return this.#items.length
  }

  /** @param index 0: the oldest. Caller must stay below the length. */
  at(index: number): Item {
    return this.#items[(this.#start + index) % this.#items.length] as Item
  }

  push(item: Item): void {
    if (this.#items.length < this.#capacity) {
      this.#items.push(item)
      return
    }
    this.#lost++
    if (this.#capacity === 0) return
    this.#items[this.#start] = item
    this.#start = (this.#start + 1) % this.#capacity
  }

  /** The oldest first. */
  *[Symbol.iterator](): Generator<Item> {
    for (let index = 0; index < this.#items.length; index++) yield this.at(index)
  }
}
