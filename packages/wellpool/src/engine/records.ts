import type { ConnectionState, Health } from './connection-state.ts'
import type { Counters } from './metrics.ts'
import type { Mark } from './reason.ts'

/** Where the connect breaker stands: connects succeed, waiting for the next try, one try in flight. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** What the pool knows of one connection: a copy, taken when it was asked for. */
export interface ConnectionRecord {
  /** Unique in the process; stays the same over all generations. */
  readonly id: string
  readonly pool: string
  readonly protocol: string
  /** 1 when first connected, +1 at each rebuild. */
  readonly generation: number
  readonly state: ConnectionState
  readonly health: Health
  /** Present while it is decided that the connection will be rebuilt. */
  readonly mark?: Mark
  /** Leases on the present client. */
  readonly uses: number
  /** Uses that ended with a result or an error, on the present client. */
  readonly requests: number
  /** Requests that ended with an error other than the application's own. */
  readonly errors: number
  /** When the connection was first made, ms since 1970. */
  readonly createdAt: number
  /** When the present client last proved to work, ms since 1970. */
  readonly lastProvenAt: number
  /** When the connection was last rebuilt, ms since 1970. */
  readonly lastRebuiltAt?: number
  /** How long the last check took that the present client has passed, ms; absent before the first. */
  readonly lastCheckMs?: number
}

/** The life of a pool. */
export type PoolState = 'new' | 'running' | 'paused' | 'draining' | 'closing' | 'closed'

/** The pool in numbers: a copy, taken when it was asked for. */
export interface PoolStats extends Readonly<Counters> {
  readonly name: string
  readonly protocol: string
  readonly state: PoolState
  /** Clients from the start of their connect until their close has settled: what the endpoint may see. */
  readonly open: number
  /** Connections that are present, those still connecting left out. */
  readonly total: number
  readonly idle: number
  readonly acquired: number
  readonly checking: number
  readonly connecting: number
  readonly rebuilding: number
  readonly closing: number
  /** Replaced clients that a borrower still holds. */
  readonly retired: number
  readonly waiting: number
  readonly health: Readonly<Record<Health, number>>
  /** Connections with a mark. */
  readonly marked: number
  /** Rebuilds in flight. */
  readonly rebuildsInFlight: number
  readonly breaker: BreakerState
  /** Whether most connections fail their checks, so that the check or the endpoint is suspected. */
  readonly panic: boolean
}
