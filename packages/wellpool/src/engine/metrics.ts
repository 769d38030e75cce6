import type { ReasonKind, SecondOpinion } from './reason.ts'

/** How a health check ended. */
export type CheckOutcome = 'healthy' | 'degraded' | 'rejected' | 'timed_out'

/** Why a connection was closed. */
export type CloseReason = 'idle' | 'surplus' | 'evicted' | 'unhealthy' | 'lost' | 'rebuilt' | 'rebuild_failed' | 'pool_closed'

/** How an acquire ended without a lease. */
export type AcquireFailure = 'timed_out' | 'aborted' | 'refused'

/** The labels that every measurement carries. */
export interface MetricLabels {
  readonly pool: string
  readonly protocol: string
}

/**
 * Receives each measurement as it happens. Implement the methods that you need: one that is absent costs
 * nothing, and one that throws is reported to the logger and otherwise ignored. All durations are in ms.
 * Gauges (connections by state and health, waiting, breaker) are read from `pool.stats()` when they are needed.
 */
export interface MetricsCollector {
  /** A borrower got its lease after `waitMs`; 0 when it did not have to wait. */
  acquired?(labels: MetricLabels, waitMs: number): void
  /** A borrower got none. */
  acquireFailed?(labels: MetricLabels, failure: AcquireFailure, waitMs: number): void
  /** A lease was released after `useMs`. */
  released?(labels: MetricLabels, useMs: number): void
  connected?(labels: MetricLabels, connectMs: number): void
  connectFailed?(labels: MetricLabels, connectMs: number): void
  checked?(labels: MetricLabels, outcome: CheckOutcome, checkMs: number): void
  /** The peer was asked over another connection whether it still works for a lease. */
  secondOpinion?(labels: MetricLabels, opinion: SecondOpinion): void
  closed?(labels: MetricLabels, reason: CloseReason): void
  rebuildMarked?(labels: MetricLabels, kind: ReasonKind): void
  rebuildStarted?(labels: MetricLabels, kind: ReasonKind): void
  rebuildCompleted?(labels: MetricLabels, kind: ReasonKind, rebuildMs: number): void
  rebuildFailed?(labels: MetricLabels, kind: ReasonKind, rebuildMs: number): void
}

/** Running totals since the pool was made: the built-in figures behind `stats()`. */
export interface Counters {
  /** Leases handed out. */
  leased: number
  /** Of these, how many on a client that had served before. */
  reused: number
  acquireTimeouts: number
  created: number
  connectFailures: number
  checks: Record<CheckOutcome, number>
  /** Answers to the question whether the peer still works for a lease that is silent. */
  secondOpinions: Record<SecondOpinion, number>
  closed: Record<CloseReason, number>
  rebuildsMarked: Partial<Record<ReasonKind, number>>
  rebuildsStarted: number
  rebuildsCompleted: number
  rebuildsFailed: number
  /** Rebuilds decided by failed checks. */
  rebuildsByHealthCheck: number
  leaksSuspected: number
}

/** Counters at zero. */
export function createCounters(): Counters {
  return {
    leased: 0,
    reused: 0,
    acquireTimeouts: 0,
    created: 0,
    connectFailures: 0,
    checks: { healthy: 0, degraded: 0, rejected: 0, timed_out: 0 },
    secondOpinions: { working: 0, gone: 0, unknown: 0 },
    closed: { idle: 0, surplus: 0, evicted: 0, unhealthy: 0, lost: 0, rebuilt: 0, rebuild_failed: 0, pool_closed: 0 },
    rebuildsMarked: {},
    rebuildsStarted: 0,
    rebuildsCompleted: 0,
    rebuildsFailed: 0,
    rebuildsByHealthCheck: 0,
    leaksSuspected: 0,
  }
}
