import type { MetricsCollector, Pool, Pools } from 'wellpool'
import { combineCollectors } from 'wellpool/collectors'

/** How soon a pool that was added is measured too, ms. */
const LOOK_EVERY = 250

/**
 * Has all pools of a set measured by a collector more, beside the one that they have. Pools that are added later are
 * found a moment later.
 */
export class Instrument {
  readonly #pools: Pools
  readonly #collector: MetricsCollector
  /** What each pool had before. */
  readonly #before = new Map<Pool<unknown>, MetricsCollector | undefined>()
  readonly #timer: NodeJS.Timeout

  constructor(pools: Pools, collector: MetricsCollector) {
    this.#pools = pools
    this.#collector = collector
    this.look()
    this.#timer = setInterval(() => this.look(), LOOK_EVERY).unref()
  }

  /** Looks for pools that were added. */
  look(): void {
    const present = new Set<Pool<unknown>>()
    for (const [, pool] of this.#pools) {
      present.add(pool)
      if (this.#before.has(pool)) continue
      const { metrics } = pool.options
      this.#before.set(pool, metrics)
      pool.reconfigure({ metrics: combineCollectors(metrics, this.#collector) })
    }
    for (const pool of this.#before.keys()) if (!present.has(pool)) this.#before.delete(pool)
  }

  /** Leaves the pools with the collectors that they had. */
  close(): void {
    clearInterval(this.#timer)
    for (const [pool, metrics] of this.#before) pool.reconfigure({ metrics })
    this.#before.clear()
  }
}
