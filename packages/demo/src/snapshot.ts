import type { ConnectionRecord, PoolStats } from 'wellpool'
import type { ApiAddress } from './api.ts'
import type { Stage } from './director.ts'
import type { InvariantsSeen } from './invariants.ts'
import type { Entry, LastReason } from './journal.ts'
import type { Latency, Seen, Slice } from './tally.ts'
import type { Verdict } from './verdict.ts'

/** All that a picture of the demo needs. Times are of `performance.now()`. */
export interface Snapshot {
  readonly now: number
  readonly startedAt: number
  /** When the run ends; `Infinity` if it has no limit. */
  readonly endsAt: number
  readonly api: ApiAddress
  /** `'PostgreSQL 18.4, embedded'`. */
  readonly server: string
  readonly stats: PoolStats
  readonly connections: readonly ConnectionRecord[]
  readonly reasonOf: (connectionId: string) => LastReason | undefined
  readonly invariants: InvariantsSeen
  readonly requests: { readonly ok: number; readonly failed: number; readonly underWay: number }
  readonly latency: Latency | undefined
  readonly router: {
    readonly label: string
    /** How many sessions it has, and how many it allows. */
    readonly sessions: number
    readonly sessionLimit: number
    readonly connections: readonly ConnectionRecord[]
    readonly requests: Snapshot['requests']
    readonly latency: Latency | undefined
  }
  /** How the requests of the last `count` half seconds fared. */
  readonly slices: (count: number) => Slice[]
  /** The faults so far: when each began, and its key. */
  readonly marks: readonly { readonly at: number; readonly key: string }[]
  readonly stage: Stage
  /** What the application has seen of the fault that is being watched. */
  readonly seen: Seen | undefined
  readonly verdicts: readonly Verdict[]
  readonly entries: readonly Entry[]
}

/** The length of a slice of the timeline, ms. */
export const SLICE_MS = 500
