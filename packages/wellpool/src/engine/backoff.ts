/** The caps that {@link Backoff} works with, ms. */
export interface BackoffCaps {
  readonly base: number
  readonly max: number
  readonly maxWhileWaited: number
}

/**
 * Exponential backoff with full jitter: the n-th wait is uniform between 0 and the smaller of the cap and
 * base × 2ⁿ⁻¹. Spreading over the whole range is what keeps a fleet from coming back in step
 * (M. Brooker, "Exponential Backoff And Jitter", 2015).
 */
export class Backoff {
  /** Failures in a row. */
  failures = 0
  #share = 0

  /** @param random draws the share of the wait that is kept, so that a wait can be shortened without drawing anew */
  fail(random: () => number): void {
    this.failures++
    this.#share = random()
  }

  succeed(): void {
    this.failures = 0
  }

  /** @param short whether the cap `maxWhileWaited` holds */
  delay(caps: BackoffCaps, short: boolean): number {
    const cap = short ? Math.min(caps.max, caps.maxWhileWaited) : caps.max
    return this.#share * Math.min(cap, caps.base * 2 ** (this.failures - 1))
  }
}
