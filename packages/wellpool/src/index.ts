export { type Clock, systemClock, type Timer } from './engine/clock.ts'
export { CONNECTION_STATES, type ConnectionState, type Health, TRANSITIONS } from './engine/connection-state.ts'
export { createPool } from './engine/create-pool.ts'
export {
  type CheckContext,
  type ConnectContext,
  type Driver,
  defineDriver,
  type ErrorClass,
  type OpinionContext,
  type Watcher,
} from './engine/driver.ts'
export { type Duration, parseDuration } from './engine/duration.ts'
export * from './engine/errors.ts'
export type { ConnectionEvent, EventName, Listener, PoolEvent, PoolEvents } from './engine/events.ts'
export type { Lease } from './engine/lease.ts'
export type { Logger } from './engine/logger.ts'
export type { AcquireFailure, CheckOutcome, CloseReason, Counters, MetricLabels, MetricsCollector } from './engine/metrics.ts'
export { type BackoffOptions, DEFAULT_OPTIONS, type PoolOptions, type RebuildStrategy } from './engine/options.ts'
export type { Pool } from './engine/pool.ts'
export type {
  AcquireOptions,
  BatchRebuildOptions,
  EvictOptions,
  PauseOptions,
  RebuildOptions,
  StartOptions,
  UseContext,
  UseOptions,
  WaitOptions,
} from './engine/pool-types.ts'
export { createPools, type PoolSpec, type PoolSpecs, type Pools } from './engine/pools.ts'
export type { Mark, Reason, ReasonKind, SecondOpinion } from './engine/reason.ts'
export type { BatchRebuildResult, RebuildResult, RebuildStage } from './engine/rebuild-result.ts'
export type { BreakerState, ConnectionRecord, PoolState, PoolStats } from './engine/records.ts'
export { OPTION_NAMES } from './engine/resolve-options.ts'
