import type { Sample } from './timeline.ts'

/** Seconds that are alike, from one on until the next run begins. */
interface Run {
  readonly from: number
  readonly sample: Sample
}

/**
 * The samples of one pool, second by second. Seconds that are alike are kept once: a pool that rests, as most of
 * hundreds do, needs room for one.
 */
export class SampleHistory {
  readonly #runs: Run[] = []

  /**
   * @param second counts up by one from call to call
   * @param oldest the first second that is still asked for
   */
  add(second: number, sample: Sample, oldest: number): void {
    const last = this.#runs.at(-1)
    if (last === undefined || !isAlike(last.sample, sample)) this.#runs.push({ from: second, sample })
    while (this.#runs[1] !== undefined && this.#runs[1].from <= oldest) this.#runs.shift()
  }

  /** The samples of the seconds from `oldest` on, which ended at these times; none from before the first. */
  list(oldest: number, timestamps: readonly number[]): Sample[] {
    const samples: Sample[] = []
    let index = 0
    for (const [offset, timestamp] of timestamps.entries()) {
      while ((this.#runs[index + 1]?.from ?? Number.POSITIVE_INFINITY) <= oldest + offset) index++
      const run = this.#runs[index]
      if (run !== undefined && run.from <= oldest + offset) samples.push({ ...run.sample, timestamp })
    }
    return samples
  }
}

/** Whether nothing but the time differs. Percentiles of nothing are one and the same object. */
function isAlike(a: Sample, b: Sample): boolean {
  return (
    a.wait === b.wait &&
    a.use === b.use &&
    a.check === b.check &&
    a.rebuild === b.rebuild &&
    a.leased === b.leased &&
    a.acquireTimeouts === b.acquireTimeouts &&
    a.state === b.state &&
    a.breaker === b.breaker &&
    a.panic === b.panic &&
    a.open === b.open &&
    a.total === b.total &&
    a.idle === b.idle &&
    a.acquired === b.acquired &&
    a.checking === b.checking &&
    a.connecting === b.connecting &&
    a.rebuilding === b.rebuilding &&
    a.waiting === b.waiting &&
    a.marked === b.marked &&
    a.health.unknown === b.health.unknown &&
    a.health.healthy === b.health.healthy &&
    a.health.degraded === b.health.degraded &&
    a.health.unhealthy === b.health.unhealthy
  )
}
