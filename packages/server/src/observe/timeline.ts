import type { CheckOutcome, MetricLabels, MetricsCollector, PoolStats, Pools, ReasonKind } from 'wellpool'
import { DurationSketch, type Percentiles } from './percentiles.ts'
import { Ring } from './ring.ts'

/** How a pool was in one second. */
export interface Sample {
  /** When the second ended, ms since 1970. */
  readonly timestamp: number
  readonly state: PoolStats['state']
  readonly breaker: PoolStats['breaker']
  readonly panic: boolean
  readonly open: number
  readonly total: number
  readonly idle: number
  readonly acquired: number
  readonly checking: number
  readonly connecting: number
  readonly rebuilding: number
  readonly waiting: number
  readonly marked: number
  readonly health: PoolStats['health']
  /** Leases handed out in this second. */
  readonly leased: number
  readonly acquireTimeouts: number
  readonly wait: Percentiles
  readonly use: Percentiles
  readonly check: Percentiles
  readonly rebuild: Percentiles
}

/** How far back it goes, seconds. */
export const TIMELINE_SECONDS = 600
const INTERVAL_MS = 1000

interface Track {
  readonly wait: DurationSketch
  readonly use: DurationSketch
  readonly check: DurationSketch
  readonly rebuild: DurationSketch
  readonly samples: Ring<Sample>
  leased: number
  acquireTimeouts: number
}

/** How each pool was, second by second: what a picture is drawn from. */
export class Timeline implements MetricsCollector {
  readonly #pools: Pools
  readonly #tracks = new Map<string, Track>()
  readonly #listeners = new Set<(pool: string, sample: Sample) => void>()
  readonly #timer: NodeJS.Timeout
  #lastLabels: MetricLabels | undefined
  #last: Track | undefined

  constructor(pools: Pools) {
    this.#pools = pools
    this.#timer = setInterval(() => this.sample(Date.now()), INTERVAL_MS).unref()
  }

  /** The samples of a pool, the oldest first. */
  samples(pool: string): Sample[] {
    return [...(this.#tracks.get(pool)?.samples ?? [])]
  }

  /** @returns a function that takes the listener off again */
  on(listener: (pool: string, sample: Sample) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#listeners.clear()
  }

  acquired(labels: MetricLabels, waitMs: number): void {
    this.#of(labels).wait.add(waitMs)
  }

  released(labels: MetricLabels, useMs: number): void {
    this.#of(labels).use.add(useMs)
  }

  checked(labels: MetricLabels, _outcome: CheckOutcome, checkMs: number): void {
    this.#of(labels).check.add(checkMs)
  }

  rebuildCompleted(labels: MetricLabels, _kind: ReasonKind, rebuildMs: number): void {
    this.#of(labels).rebuild.add(rebuildMs)
  }

  /** Ends a second. The timer calls it. */
  sample(timestamp: number): void {
    const names = new Set<string>()
    for (const [name, pool] of this.#pools) {
      names.add(name)
      const sample = take(this.#track(name), pool.stats(), timestamp)
      for (const listener of this.#listeners) listener(name, sample)
    }
    for (const name of this.#tracks.keys()) if (!names.has(name)) this.#forget(name)
  }

  #forget(name: string): void {
    this.#tracks.delete(name)
    this.#lastLabels = undefined
  }

  #of(labels: MetricLabels): Track {
    if (labels === this.#lastLabels && this.#last !== undefined) return this.#last
    this.#lastLabels = labels
    this.#last = this.#track(labels.pool)
    return this.#last
  }

  #track(name: string): Track {
    let track = this.#tracks.get(name)
    if (track === undefined) {
      const sketch = (): DurationSketch => new DurationSketch()
      const samples = new Ring<Sample>(TIMELINE_SECONDS)
      track = { wait: sketch(), use: sketch(), check: sketch(), rebuild: sketch(), samples, leased: 0, acquireTimeouts: 0 }
      this.#tracks.set(name, track)
    }
    return track
  }
}

function take(track: Track, stats: PoolStats, timestamp: number): Sample {
  const { state, breaker, panic, open, total, idle, acquired, checking, connecting, rebuilding, waiting, marked, health } = stats
  const sample = {
    timestamp,
    ...{ state, breaker, panic, open, total, idle, acquired, checking, connecting, rebuilding, waiting, marked, health },
    // A pool that was replaced under its name counts from 0 again.
    leased: Math.max(0, stats.leased - track.leased),
    acquireTimeouts: Math.max(0, stats.acquireTimeouts - track.acquireTimeouts),
    wait: track.wait.take(),
    use: track.use.take(),
    check: track.check.take(),
    rebuild: track.rebuild.take(),
  }
  track.leased = stats.leased
  track.acquireTimeouts = stats.acquireTimeouts
  track.samples.push(sample)
  return sample
}
