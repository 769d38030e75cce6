const KEPT = 64
const RENEW_AFTER = 8

/**
 * The last 64 durations of one kind, and what is usual among them: the 25th percentile, so that half of a
 * pool going slow does not move it.
 */
export class RecentTimes {
  readonly #times: number[] = []
  #added = 0
  #usual: number | undefined
  #usualOf = 0

  /** @param ms a duration */
  add(ms: number): void {
    this.#times[this.#added++ % KEPT] = ms
  }

  /** The 25th percentile in ms; undefined until there is a sample. Renewed every few samples. */
  get usual(): number | undefined {
    const fresh = this.#added - this.#usualOf
    if (fresh >= RENEW_AFTER || (fresh > 0 && this.#usualOf < RENEW_AFTER)) {
      const sorted = [...this.#times].sort((a, b) => a - b)
      this.#usual = sorted[Math.floor((sorted.length - 1) / 4)]
      this.#usualOf = this.#added
    }
    return this.#usual
  }
}
