import type { CheckOutcome, MetricLabels, MetricsCollector, PoolStats, Pools, ReasonKind } from 'wellpool'
import { DurationSketch, NOTHING, type Percentiles } from './percentiles.ts'
import { SampleHistory } from './sample-history.ts'

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

type Kind = 'wait' | 'use' | 'check' | 'rebuild'

/** What is known of one pool. */
interface Track {
  /** Absent until there is a duration of the kind. */
  readonly sketches: { [Name in Kind]?: DurationSketch }
  readonly history: SampleHistory
  leased: number
  acquireTimeouts: number
}

/** How each pool was, second by second: what a picture is drawn from. */
export class Timeline implements MetricsCollector {
  readonly #pools: Pools
  readonly #tracks = new Map<string, Track>()
  readonly #listeners = new Set<(pool: string, sample: Sample) => void>()
  readonly #timer: NodeJS.Timeout
  /** When the latest seconds ended, and the number of the next. */
  readonly #timestamps: number[] = []
  #second = 0
  #lastLabels: MetricLabels | undefined
  #last: Track | undefined

  constructor(pools: Pools) {
    this.#pools = pools
    this.#timer = setInterval(() => this.sample(Date.now()), INTERVAL_MS).unref()
  }

  /** The samples of the latest seconds of a pool, the oldest first. */
  samples(pool: string, seconds = TIMELINE_SECONDS): Sample[] {
    const timestamps = this.#timestamps.slice(-seconds)
    return this.#tracks.get(pool)?.history.list(this.#second - timestamps.length, timestamps) ?? []
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
    this.#add(labels, 'wait', waitMs)
  }

  released(labels: MetricLabels, useMs: number): void {
    this.#add(labels, 'use', useMs)
  }

  checked(labels: MetricLabels, _outcome: CheckOutcome, checkMs: number): void {
    this.#add(labels, 'check', checkMs)
  }

  rebuildCompleted(labels: MetricLabels, _kind: ReasonKind, rebuildMs: number): void {
    this.#add(labels, 'rebuild', rebuildMs)
  }

  /** Ends a second. The timer calls it. */
  sample(timestamp: number): void {
    const second = this.#second++
    this.#timestamps.push(timestamp)
    if (this.#timestamps.length > TIMELINE_SECONDS) this.#timestamps.shift()
    const names = new Set<string>()
    for (const [name, pool] of this.#pools) {
      names.add(name)
      const track = this.#track(name)
      const sample = take(track, pool.stats(), timestamp)
      track.history.add(second, sample, this.#oldest)
      for (const listener of this.#listeners) listener(name, sample)
    }
    for (const name of this.#tracks.keys()) if (!names.has(name)) this.#forget(name)
  }

  /** The number of the oldest second that is remembered. */
  get #oldest(): number {
    return this.#second - this.#timestamps.length
  }

  #forget(name: string): void {
    this.#tracks.delete(name)
    this.#lastLabels = undefined
  }

  /** Twice for each lease. */
  #add(labels: MetricLabels, kind: Kind, ms: number): void {
    const { sketches } = this.#of(labels)
    sketches[kind] ??= new DurationSketch()
    sketches[kind].add(ms)
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
      track = { sketches: {}, history: new SampleHistory(), leased: 0, acquireTimeouts: 0 }
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
    wait: track.sketches.wait?.take() ?? NOTHING,
    use: track.sketches.use?.take() ?? NOTHING,
    check: track.sketches.check?.take() ?? NOTHING,
    rebuild: track.sketches.rebuild?.take() ?? NOTHING,
  }
  track.leased = stats.leased
  track.acquireTimeouts = stats.acquireTimeouts
  return sample
}
