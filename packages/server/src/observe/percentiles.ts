/** 16 to the power of two: neighbours differ by 4.4 %. */
const PER_OCTAVE = 16
/** What is shorter counts as this, ms. */
const SHORTEST = 0.01
/** 2^30 × the shortest is three hours. */
const BUCKETS = 30 * PER_OCTAVE

/** Durations of one second as percentiles. */
export interface Percentiles {
  readonly count: number
  /** ms; 0 where there was nothing. */
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Those of a second in which there was nothing. */
export const NOTHING: Percentiles = Object.freeze({ count: 0, p50: 0, p90: 0, p99: 0, max: 0 })

/** Durations by the order of their size: adding one costs a logarithm and an addition. */
export class DurationSketch {
  readonly #counts = new Uint32Array(BUCKETS)
  #count = 0
  #max = 0

  add(ms: number): void {
    const index = ms <= SHORTEST ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms / SHORTEST) * PER_OCTAVE))
    this.#counts[index] = (this.#counts[index] as number) + 1
    this.#count++
    if (ms > this.#max) this.#max = ms
  }

  /** What was added since the last call. */
  take(): Percentiles {
    const count = this.#count
    if (count === 0) return NOTHING
    const [p50, p90, p99] = this.#at([0.5, 0.9, 0.99])
    const taken = { count, p50: p50 as number, p90: p90 as number, p99: p99 as number, max: this.#max }
    this.#counts.fill(0)
    this.#count = 0
    this.#max = 0
    return taken
  }

  #at(shares: readonly number[]): number[] {
    const values = shares.map(() => 0)
    let seen = 0
    let next = 0
    for (let index = 0; index < BUCKETS && next < shares.length; index++) {
      seen += this.#counts[index] as number
      while (next < shares.length && seen >= (shares[next] as number) * this.#count) {
        values[next++] = Math.min(this.#max, SHORTEST * 2 ** (index / PER_OCTAVE))
      }
    }
    return values
  }
}
