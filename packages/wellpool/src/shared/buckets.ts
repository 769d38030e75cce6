/**
 * Counts durations by upper bounds: a histogram that costs an addition for each duration. What exports it reads it
 * when somebody asks for the figures.
 */
export class Buckets {
  /** Upper bounds, ms, ascending. A duration that is equal to a bound belongs to it. */
  readonly bounds: readonly number[]
  /** How many durations fell into each bucket; the last one holds what is above all bounds. */
  readonly counts: number[]
  /** All durations together, ms. */
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = [...bounds.map(() => 0), 0]
  }

  add(ms: number): void {
    const { bounds, counts } = this
    let index = 0
    while (index < bounds.length && ms > (bounds[index] as number)) index++
    counts[index] = (counts[index] as number) + 1
    this.sum += ms
    this.count++
  }
}
