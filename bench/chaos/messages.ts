import type { Address } from './pools.ts'
import type { VariantName } from './variants.ts'

/** What the statements of a run do. `update` writes, so that a server which takes no writes any more is noticed. */
export type Workload = 'select' | 'update'

/** The rows that updates spread over. */
export const ROWS = 1_000

/** What an application is told when it is started. */
export interface ApplicationSettings {
  readonly contender: string
  readonly address: Omit<Address, 'password'> & { readonly password: string }
  readonly variant: VariantName
  readonly workload: Workload
  readonly seed: number
  /** Whether it writes down what its pool does. */
  readonly trace: boolean
}

/** What the application's process is told while it runs. */
export type Command =
  | { readonly do: 'pause' }
  | { readonly do: 'resume' }
  /** Stand still with the event loop blocked. */
  | { readonly do: 'block'; readonly ms: number }
  /** What a connect that begins from now on is to use. */
  | { readonly do: 'password'; readonly password: string }
  /** Make no more requests, wait for those under way, and tell all. */
  | { readonly do: 'end' }

/** What the application's process tells. */
export type Report =
  | { readonly kind: 'begun'; readonly firstDue: number }
  | { readonly kind: 'blocked'; readonly from: number; readonly until: number }
  /** Now and then: what has happened since the last time. Some pools end the process that uses them. */
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'ended' }

/** What an application has seen in a while. */
export interface Progress {
  /** The requests that have ended, those that were {@link NOT_MADE} among them. */
  readonly requests: readonly Request[]
  /** When each connect was begun. */
  readonly connects: readonly number[]
  readonly trace: readonly TraceEntry[]
}

/** One request of an application. Times as {@link now} has them. */
export interface Request {
  /** When it was due. */
  readonly due: number
  /** How long the server had to work on it, ms. */
  readonly work: number
  /** When the caller heard of its end. */
  settled: number
  /** Why it failed, if it did. */
  error: string | undefined
}

/** The error of a request that was not made, because it had been due for so long that its caller had left. */
export const NOT_MADE = 'not made in time'

/** What the pool did, in a diagnosis. */
export interface TraceEntry {
  readonly at: number
  readonly event: string
  readonly details: object
}

/** All that an application has seen. */
export interface Recording extends Progress {
  /** How its process ended before it was told to; undefined if it did not. Requests that were under way then, or due later, have failed. */
  readonly crash: string | undefined
}
