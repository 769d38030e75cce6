import type { Sampled } from './growth.ts'

/** How a day is played. */
export interface DaySettings {
  readonly hours: number
  readonly seed: number
  /** For a test of the measurement itself: keeps every lease. */
  readonly leaks: boolean
}

/** What it came to. */
export interface DayReport {
  readonly kind: 'day'
  /** Bytes, at simulated times. */
  readonly heap: readonly Sampled[]
  readonly requests: number
  readonly failed: number
  readonly faults: number
  /** Rebuilds that were completed, connections closed because they were idle. */
  readonly rebuilds: number
  readonly closedIdle: number
  /** Of the endpoint's books: what should not have happened, and the most clients at a time. */
  readonly problems: readonly string[]
  readonly mostOpen: number
  /** What is left after the pool's close: timers, and clients in the endpoint's books. */
  readonly timersLeft: number
  readonly openLeft: number
}

/** How many connections the pool may have. */
export const MAX_CONNECTIONS = 10
