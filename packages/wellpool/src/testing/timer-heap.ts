/** What the heap keeps: ordered by time, then by creation. `index` belongs to the heap, -1 outside it. */
export interface HeapItem {
  at: number
  readonly order: number
  index: number
}

/** A binary heap whose items know their place, so that one can be taken out of the middle cheaply. */
export class TimerHeap<Item extends HeapItem> {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  /** In no particular order. */
  items(): readonly Item[] {
    return this.#items
  }

  first(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    this.#items.push(item)
    this.#up(item, this.#items.length - 1)
  }

  /** An item that is not in the heap is left alone. */
  remove(item: Item): void {
    const { index } = item
    if (index < 0) return
    item.index = -1
    const last = this.#items.pop() as Item
    if (last === item) return
    this.#up(last, index)
    this.#down(last, last.index)
  }

  #up(item: Item, start: number): void {
    let index = start
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#items[parentIndex] as Item
      if (!isBefore(item, parent)) break
      this.#place(parent, index)
      index = parentIndex
    }
    this.#place(item, index)
  }

  #down(item: Item, start: number): void {
    let index = start
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= this.#items.length) break
      const right = this.#items[childIndex + 1]
      if (right !== undefined && isBefore(right, this.#items[childIndex] as Item)) childIndex++
      const child = this.#items[childIndex] as Item
      if (!isBefore(child, item)) break
      this.#place(child, index)
      index = childIndex
    }
    this.#place(item, index)
  }

  #place(item: Item, index: number): void {
    this.#items[index] = item
    item.index = index
  }
}

function isBefore(a: HeapItem, b: HeapItem): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
