// What the HTTP API says of itself in openapi.json, as far as this page reads it. test/contract.test.ts compares the two.

export const STATES = ['connecting', 'idle', 'acquired', 'checking', 'rebuilding', 'closing', 'closed'] as const
export const HEALTHS = ['unknown', 'healthy', 'degraded', 'unhealthy'] as const
export const POOL_STATES = ['new', 'running', 'paused', 'draining', 'closing', 'closed'] as const
export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export const ROLES = ['viewer', 'operator', 'executor'] as const
export const JOB_STATES = ['running', 'completed', 'failed', 'cancelled'] as const
export const JOB_TARGETS = ['connection', 'pool', 'protocol', 'all'] as const
export const EVENT_NAMES = [
  'connectionCreated',
  'connectionClosed',
  'connectFailed',
  'healthCheckFailed',
  'healthStatusChanged',
  'healthCheckTriggeredRebuild',
  'rebuildMarked',
  'rebuildStarted',
  'rebuildCompleted',
  'rebuildFailed',
  'breakerOpened',
  'breakerHalfOpened',
  'breakerClosed',
  'leakSuspected',
  'poolWarmedUp',
  'poolPaused',
  'poolResumed',
  'poolDrained',
  'poolClosed',
] as const

export type ConnectionState = (typeof STATES)[number]
export type Health = (typeof HEALTHS)[number]
export type PoolState = (typeof POOL_STATES)[number]
export type BreakerState = (typeof BREAKER_STATES)[number]
export type Level = (typeof LEVELS)[number]
export type Role = (typeof ROLES)[number]
export type EventName = (typeof EVENT_NAMES)[number]

/** Who is asking, and what they may do. */
export interface Session {
  readonly name: string
  readonly roles: readonly Role[]
  readonly tokensNeeded: boolean
}

/** What has been decided about a connection. */
export interface Mark {
  readonly kind: string
  readonly detail: string
  readonly urgent: boolean
}

export interface Connection {
  readonly id: string
  readonly pool: string
  readonly protocol: string
  readonly generation: number
  readonly state: ConnectionState
  readonly health: Health
  readonly mark?: Mark
  readonly uses: number
  readonly requests: number
  readonly errors: number
  readonly createdAt: number
  readonly lastProvenAt: number
  readonly lastRebuiltAt?: number
  readonly lastCheckMs?: number
  readonly ageMs: number
}

export type HealthCounts = Readonly<Record<Health, number>>

/** A pool in numbers, as far as they are shown. */
export interface PoolStats {
  readonly state: PoolState
  readonly open: number
  readonly total: number
  readonly idle: number
  readonly acquired: number
  readonly checking: number
  readonly connecting: number
  readonly rebuilding: number
  readonly closing: number
  readonly retired: number
  readonly waiting: number
  readonly health: HealthCounts
  readonly marked: number
  readonly rebuildsInFlight: number
  readonly breaker: BreakerState
  readonly panic: boolean
}

export interface Pool {
  readonly name: string
  readonly protocol: string
  readonly canServe: boolean
  readonly minConnections: number
  readonly maxConnections: number
  readonly stats: PoolStats
}

/** Durations of one second, ms. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** How a pool was in one second. */
export interface Sample {
  readonly timestamp: number
  readonly state: PoolState
  readonly breaker: BreakerState
  readonly panic: boolean
  readonly open: number
  readonly total: number
  readonly idle: number
  readonly acquired: number
  readonly waiting: number
  readonly leased: number
  readonly wait: Percentiles
  readonly use: Percentiles
  readonly check: Percentiles
}

export interface EventRecord {
  readonly seq: number
  readonly name: EventName
  readonly level: Level
  readonly timestamp: number
  readonly pool: string
  readonly protocol: string
  readonly connectionId?: string
  readonly generation?: number
  readonly details: Readonly<Record<string, unknown>>
}

export interface EventPage {
  /** The oldest first. */
  readonly events: readonly EventRecord[]
  readonly seq: number
  /** How many of these kinds are no longer remembered. */
  readonly lost: number
}

/** A rebuild that goes on while nobody waits for it. */
export interface Job {
  readonly id: string
  readonly state: (typeof JOB_STATES)[number]
  readonly target: { readonly kind: (typeof JOB_TARGETS)[number]; readonly name?: string }
  readonly createdBy: string
  readonly createdAt: number
  readonly endedAt?: number
  readonly progress: { readonly total: number; readonly succeeded: number; readonly failed: number }
  readonly result?: Readonly<Record<string, unknown>>
  readonly problem?: Readonly<Record<string, unknown>>
}

/** The options in force of each pool; a limit that is off is `infinity`. */
export interface Configuration {
  readonly pools: Readonly<Record<string, { readonly protocol: string; readonly options: Readonly<Record<string, unknown>> }>>
}

/** What went wrong, as RFC 9457 has it. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail?: string
}
