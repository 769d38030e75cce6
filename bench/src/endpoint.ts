/**
 * What the pools under test connect to: nothing at all, after a given time. It keeps its own ledger, so that
 * what a pool says about itself never enters a result.
 */
export class Endpoint {
  readonly #connectMs: number
  #open = 0
  #peak = 0

  /** @param connectMs how long a connect takes; 0: it is done at once. */
  constructor(connectMs = 0) {
    this.#connectMs = connectMs
  }

  /** Connections between the start of their connect and their close. */
  get open(): number {
    return this.#open
  }

  /** The most that were open at the same time. */
  get peak(): number {
    return this.#peak
  }

  connect(done: () => void): void {
    this.#open++
    this.#peak = Math.max(this.#peak, this.#open)
    if (this.#connectMs === 0) done()
    else setTimeout(done, this.#connectMs)
  }

  connected(): Promise<void> {
    return new Promise((resolve) => this.connect(resolve))
  }

  closed(): void {
    this.#open--
  }
}
