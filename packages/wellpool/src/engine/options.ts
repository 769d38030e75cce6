import { type Clock, NEVER, systemClock } from './clock.ts'
import type { Duration } from './duration.ts'
import type { Logger } from './logger.ts'
import type { MetricsCollector } from './metrics.ts'

/** How the limits (`maxUses`, `maxLifetime`, `maxErrorRate`) combine to a planned rebuild. */
export type RebuildStrategy = 'any' | 'all' | 'max_uses' | 'max_lifetime' | 'error_rate'

/** The waits between connects to an endpoint that cannot be reached: full jitter over an exponential. */
export interface BackoffOptions {
  /** The longest first wait. At least 1 ms. Default 50 ms. */
  base?: Duration | undefined
  /** The longest wait of all. At least `base`. Default 30 s. */
  max?: Duration | undefined
  /** The longest wait while a borrower waits, unless the connect error is `fatal`. At least 1 ms. Default 250 ms. */
  maxWhileWaited?: Duration | undefined
}

/**
 * What a pool can be told. Durations are numbers of milliseconds or texts (`'30s'`). 0 turns an interval or a
 * time-out off; `Infinity` turns a limit or a threshold off. What is not given comes from the driver's
 * `defaults`, then from {@link DEFAULT_OPTIONS}. What is wrong is refused with a {@link ConfigError}.
 */
export interface PoolOptions {
  /** The pool's name in events, metrics and errors. Default: made up from the protocol. */
  name?: string | undefined
  /** Receives every measurement. Default: none. */
  metrics?: MetricsCollector | undefined
  /** Where the time comes from. Default: the real clock. For tests. */
  clock?: Clock | undefined
  /** A number from 0 up to, not including, 1: the source of jitter. Default: `Math.random`. For tests. */
  random?: (() => number) | undefined
  /** Where decisions are written. Default: nowhere. */
  logger?: Logger | undefined

  /** Connections that are kept open without anybody asking. 0 to `maxConnections`. Default: the smaller of 2 and `maxConnections`. */
  minConnections?: number | undefined
  /** The most clients that are open, but for `rebuildMaxSurge`. At least 1. Default 10. */
  maxConnections?: number | undefined

  /** How long a borrower waits. 0: for ever. Default 30 s. */
  acquireTimeout?: Duration | undefined
  /** How many borrowers may wait; one more gets a `QueueFullError`. 0 or more. Default 10000. */
  maxWaiting?: number | undefined
  /** Whether borrowers get a `CircuitOpenError` at once while the endpoint is down. Default false. */
  failFast?: boolean | undefined
  /** How often `use` runs an `idempotent` function at most. At least 1. Default 3. */
  attempts?: number | undefined
  /** Whether the process may end although idle connections are open. Default false. */
  allowExitOnIdle?: boolean | undefined

  /** Which idle connection serves next: the one released last (`lifo`) or first (`fifo`). Default `lifo`. */
  idleOrder?: 'lifo' | 'fifo' | undefined
  /** Connections above `minConnections` are closed after being idle for this long. 0: never. Default 10 min. */
  idleTimeout?: Duration | undefined

  /** The longest that one connect may take. More than 0. Default 10 s. */
  connectTimeout?: Duration | undefined
  /** The longest that a goodbye may take before the client is destroyed. More than 0. Default 5 s. */
  closeTimeout?: Duration | undefined
  /** The longest that a reset at release may take. 0: for ever. Default 5 s. */
  resetTimeout?: Duration | undefined
  /** How many connects run at the same time. At least 1. Default 2. */
  maxConnecting?: number | undefined
  /** The waits after a failed connect. */
  backoff?: BackoffOptions | undefined

  /** How often an idle connection is checked. 0: never. Default 30 s. */
  healthCheckInterval?: Duration | undefined
  /** How long a check may take. 0: for ever. Default 5 s. */
  healthCheckTimeout?: Duration | undefined
  /**
   * How soon a connection is checked again after a failed or slow check. While a borrower waits, a failed check is
   * repeated after `backoff.maxWhileWaited` if that is sooner. At least 1 ms. Default 1 s.
   */
  healthRecheckInterval?: Duration | undefined
  /** Whether an unhealthy connection is rebuilt; otherwise it is closed and the pool refills. Default true. */
  healthCheckTriggerRebuild?: boolean | undefined
  /** Failed checks in a row that make a connection unhealthy. At least 1. Default 3. */
  unhealthyThreshold?: number | undefined
  /** A check slower than this makes a connection degraded. Default 1 s. */
  degradedThreshold?: Duration | undefined
  /** Whether a connection that is degraded by slowness is rebuilt. Default false. */
  rebuildOnDegraded?: boolean | undefined
  /** A check slower than this many times the pool's usual, twice in a row, makes an outlier. More than 1. Default 5. */
  outlierFactor?: number | undefined
  /** A connection that has not proven itself for this long is checked before it serves. 0: always; `Infinity`: never. Default 1 s. */
  verifyIdleAfter?: Duration | undefined
  /** How long such a check may be silent before another connection is tried beside it; at least 3 × the usual check. Default 50 ms. */
  hedgeDelay?: Duration | undefined

  /** Whether limits and outliers lead to rebuilds. Default true. */
  smartRebuildEnabled?: boolean | undefined
  /** How the limits combine. Default `any`. */
  rebuildStrategy?: RebuildStrategy | undefined
  /** Leases after which a client is replaced. At least 1. Default `Infinity`. */
  maxUses?: number | undefined
  /** How long a client lives. 0 or `Infinity`: for ever. Default 30 min. */
  maxLifetime?: Duration | undefined
  /** The share of `maxLifetime` that is left to chance. 0 to 1. Default 0.25: clients live 75 to 100 % of it. */
  maxLifetimeJitter?: number | undefined
  /** The share of failed requests, among the last 100, above which a client is replaced. 0 to 1, or `Infinity`. Default 0.2. */
  maxErrorRate?: number | undefined
  /** Requests before `maxErrorRate` counts. At least 1. Default 10. */
  minRequestsForErrorRate?: number | undefined
  /** The least time between two rebuilds of a connection for slowness or errors. Default 5 min. */
  rebuildMinInterval?: Duration | undefined
  /** How often all connections are evaluated. 0: never. Default 5 min. */
  rebuildCheckInterval?: Duration | undefined
  /** Planned rebuilds in one batch. At least 1. Default 5. */
  rebuildBatchSize?: number | undefined
  /** The wait between two batches. Default 100 ms. */
  rebuildBatchDelay?: Duration | undefined
  /** Planned rebuilds at the same time. At least 1. Default 3. */
  rebuildConcurrency?: number | undefined
  /** The longest that connecting and checking a successor may take. 0: for ever. Default 30 s. */
  rebuildTimeout?: Duration | undefined
  /** Clients above `maxConnections` while a successor or a hedge is being built. 0: close first, connect then. Default 1. */
  rebuildMaxSurge?: number | undefined
  /** With `rebuildMaxSurge: 0`, the share of connections that may be out of service at once, one at least. 0 to 1. Default 0.2. */
  maxUnavailable?: number | undefined
  /** When a larger share than this fails its checks, the check or the endpoint is suspected. 0 to 1; 1: never. Default 0.5. */
  panicThreshold?: number | undefined

  /** How long a lease may be held before `leakSuspected` is emitted. 0: never. Default 0. */
  leakDetectionThreshold?: Duration | undefined
}

/** Options as the engine uses them: complete, durations in ms, a 0 that means "never" made `Infinity`. */
export interface ResolvedOptions {
  name: string
  metrics: MetricsCollector | undefined
  clock: Clock
  random: () => number
  logger: Logger | undefined
  minConnections: number
  maxConnections: number
  acquireTimeout: number
  maxWaiting: number
  failFast: boolean
  attempts: number
  allowExitOnIdle: boolean
  idleOrder: 'lifo' | 'fifo'
  idleTimeout: number
  connectTimeout: number
  closeTimeout: number
  resetTimeout: number
  maxConnecting: number
  backoff: { base: number; max: number; maxWhileWaited: number }
  healthCheckInterval: number
  healthCheckTimeout: number
  healthRecheckInterval: number
  healthCheckTriggerRebuild: boolean
  unhealthyThreshold: number
  degradedThreshold: number
  rebuildOnDegraded: boolean
  outlierFactor: number
  verifyIdleAfter: number
  hedgeDelay: number
  smartRebuildEnabled: boolean
  rebuildStrategy: RebuildStrategy
  maxUses: number
  maxLifetime: number
  maxLifetimeJitter: number
  maxErrorRate: number
  minRequestsForErrorRate: number
  rebuildMinInterval: number
  rebuildCheckInterval: number
  rebuildBatchSize: number
  rebuildBatchDelay: number
  rebuildConcurrency: number
  rebuildTimeout: number
  rebuildMaxSurge: number
  maxUnavailable: number
  panicThreshold: number
  leakDetectionThreshold: number
}

/** The built-in defaults, as one would write them. `minConnections` is the smaller of 2 and `maxConnections`. */
export const DEFAULT_OPTIONS = {
  maxConnections: 10,
  acquireTimeout: '30s',
  maxWaiting: 10_000,
  failFast: false,
  attempts: 3,
  allowExitOnIdle: false,
  idleOrder: 'lifo',
  idleTimeout: '10m',
  connectTimeout: '10s',
  closeTimeout: '5s',
  resetTimeout: '5s',
  maxConnecting: 2,
  backoff: { base: 50, max: '30s', maxWhileWaited: 250 },
  healthCheckInterval: '30s',
  healthCheckTimeout: '5s',
  healthRecheckInterval: '1s',
  healthCheckTriggerRebuild: true,
  unhealthyThreshold: 3,
  degradedThreshold: '1s',
  rebuildOnDegraded: false,
  outlierFactor: 5,
  verifyIdleAfter: '1s',
  hedgeDelay: 50,
  smartRebuildEnabled: true,
  rebuildStrategy: 'any',
  maxUses: NEVER,
  maxLifetime: '30m',
  maxLifetimeJitter: 0.25,
  maxErrorRate: 0.2,
  minRequestsForErrorRate: 10,
  rebuildMinInterval: '5m',
  rebuildCheckInterval: '5m',
  rebuildBatchSize: 5,
  rebuildBatchDelay: 100,
  rebuildConcurrency: 3,
  rebuildTimeout: '30s',
  rebuildMaxSurge: 1,
  maxUnavailable: 0.2,
  panicThreshold: 0.5,
  leakDetectionThreshold: 0,
} as const satisfies PoolOptions

/** What a pool works with when it is told nothing else. */
export const DEFAULT_COLLABORATORS = { metrics: undefined, clock: systemClock, random: Math.random, logger: undefined }
