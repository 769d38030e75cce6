import { systemClock } from '../engine/clock.ts'
import type { AcquireFailure, CheckOutcome, MetricLabels, MetricsCollector, ReasonKind } from '../index.ts'
import { Buckets } from './buckets.ts'

/** What is measured as a duration. */
export type DurationName = 'wait' | 'use' | 'connect' | 'check' | 'rebuild'

/** Upper bounds for each duration, ms. */
export type Bounds = Readonly<Record<DurationName, readonly number[]>>

/**
 * Bounds that fit what they measure: a borrower waits for nothing or up to its time-out, a check is one round trip,
 * a rebuild is a connect and a check.
 */
export const DEFAULT_BOUNDS: Bounds = {
  wait: [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000],
  use: [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000],
  connect: [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000],
  check: [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000],
  rebuild: [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000],
}

/** Every reason kind: those that have not occurred yet are counted as 0, so that their first occurrence is a rise. */
export const REASON_KINDS = Object.keys({
  connection_lost: 0,
  health_failures: 0,
  reset_failed: 0,
  degraded_performance: 0,
  retired_by_peer: 0,
  slow_outlier: 0,
  max_uses: 0,
  max_lifetime: 0,
  error_rate: 0,
  manual: 0,
  rollout: 0,
  predicted_failure: 0,
} satisfies Record<ReasonKind, 0>) as readonly ReasonKind[]

const zeros = (): Record<ReasonKind, number> => Object.fromEntries(REASON_KINDS.map((kind) => [kind, 0])) as Record<ReasonKind, number>

/** What has been measured of one pool. */
export class PoolRecord {
  readonly labels: MetricLabels
  /** When it began, ms since 1970. By the real clock, whatever clock the pool has: readers of metrics know no other. */
  readonly since = systemClock.wallNow()
  readonly wait: Buckets
  readonly use: Buckets
  readonly connect: Buckets
  readonly check: Readonly<Record<CheckOutcome, Buckets>>
  /** By reason kind: those that there were. */
  readonly rebuild = new Map<ReasonKind, Buckets>()
  readonly acquireFailures: Record<AcquireFailure, number> = { timed_out: 0, aborted: 0, refused: 0 }
  readonly rebuildsStarted = zeros()
  readonly rebuildsCompleted = zeros()
  readonly rebuildsFailed = zeros()

  constructor({ pool, protocol }: MetricLabels, bounds: Bounds) {
    this.labels = { pool, protocol }
    this.wait = new Buckets(bounds.wait)
    this.use = new Buckets(bounds.use)
    this.connect = new Buckets(bounds.connect)
    this.check = {
      healthy: new Buckets(bounds.check),
      degraded: new Buckets(bounds.check),
      rejected: new Buckets(bounds.check),
      timed_out: new Buckets(bounds.check),
    }
  }
}

/** Adds up all measurements, by pool, in memory: what a scrape costs is paid by the scrape. */
export class Recorder implements MetricsCollector {
  readonly bounds: Bounds
  /** By pool and protocol: pools of one name share one, until it is forgotten. */
  readonly #records = new Map<string, PoolRecord>()
  /** What is measured of a pool after it was forgotten, such as a late release, goes to the record that nobody reads. */
  readonly #byLabels = new WeakMap<MetricLabels, PoolRecord>()
  /** A pool always gives the same object, and most processes have one busy pool at a time. */
  #lastLabels: MetricLabels | undefined
  #last: PoolRecord | undefined

  constructor(bounds: Bounds) {
    this.bounds = bounds
  }

  records(): Iterable<PoolRecord> {
    return this.#records.values()
  }

  /** Forgets all that was measured of a pool that is closed. One that comes back under its name begins anew. */
  forget(pool: string): void {
    for (const [key, { labels }] of this.#records) if (labels.pool === pool) this.#records.delete(key)
    this.#last = undefined
    this.#lastLabels = undefined
  }

  acquired(labels: MetricLabels, waitMs: number): void {
    this.#of(labels).wait.add(waitMs)
  }

  acquireFailed(labels: MetricLabels, failure: AcquireFailure): void {
    this.#of(labels).acquireFailures[failure]++
  }

  released(labels: MetricLabels, useMs: number): void {
    this.#of(labels).use.add(useMs)
  }

  connected(labels: MetricLabels, connectMs: number): void {
    this.#of(labels).connect.add(connectMs)
  }

  connectFailed(labels: MetricLabels): void {
    this.begin(labels)
  }

  checked(labels: MetricLabels, outcome: CheckOutcome, checkMs: number): void {
    this.#of(labels).check[outcome].add(checkMs)
  }

  rebuildStarted(labels: MetricLabels, kind: ReasonKind): void {
    this.#of(labels).rebuildsStarted[kind]++
  }

  rebuildCompleted(labels: MetricLabels, kind: ReasonKind, rebuildMs: number): void {
    const record = this.#of(labels)
    record.rebuildsCompleted[kind]++
    const buckets = record.rebuild.get(kind) ?? new Buckets(this.bounds.rebuild)
    record.rebuild.set(kind, buckets)
    buckets.add(rebuildMs)
  }

  rebuildFailed(labels: MetricLabels, kind: ReasonKind): void {
    this.#of(labels).rebuildsFailed[kind]++
  }

  /** The pool's counters are there from now on, at 0: the first time-out or rebuild is a rise. */
  protected begin(labels: MetricLabels): void {
    this.#of(labels)
  }

  #of(labels: MetricLabels): PoolRecord {
    if (labels === this.#lastLabels && this.#last !== undefined) return this.#last
    let record = this.#byLabels.get(labels)
    if (record === undefined) {
      const key = `${labels.pool}\n${labels.protocol}`
      record = this.#records.get(key) ?? new PoolRecord(labels, this.bounds)
      this.#records.set(key, record)
      this.#byLabels.set(labels, record)
    }
    this.#lastLabels = labels
    this.#last = record
    return record
  }
}
