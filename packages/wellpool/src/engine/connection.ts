import { type Alarm, NEVER } from './clock.ts'
import type { ConnectionState, Health } from './connection-state.ts'
import type { Linked } from './linked-list.ts'
import type { Mark } from './reason.ts'

const ERROR_WINDOW = 100

/**
 * One client and what is known of it. A connection has one at a time; a replaced one lives on until its
 * last borrower has released it.
 */
export class Generation<Client> {
  /** `live` until it is retired, closed or destroyed; `gone` when nothing of it is left. */
  status: 'live' | 'retired' | 'closing' | 'gone' = 'live'
  leases = 0
  /** Whether the driver is resetting it: it is still acquired, although nobody has a lease. */
  resetting = false
  uses = 0
  requests = 0
  errors = 0
  /** Whether the pool was told to evict it; it is closed on release. */
  evicted = false
  /** Whether the peer asked for it to be replaced: no new leases. */
  retiredByPeer = false
  retireDetail = ''
  /** Whether a check is wanted before it serves again although it has proven itself in time: its use was slow. */
  checkWanted = false
  /** Whether a borrower has had it since its last check or connect. */
  usedSinceProof = false
  /** Whether its end has been counted and told. */
  reported = false
  /** When it comes of age, ms of the clock. */
  expiresAt = NEVER
  /** When it last proved to work, ms of the clock; -Infinity makes it a suspect by itself. */
  lastProvenAt: number
  /** How long its last check took that succeeded, ms; undefined before the first. */
  lastCheckMs: number | undefined = undefined
  /** The pool's beat in which a use proved it, if that still runs; -1 otherwise. Spares the next acquire a look at the clock. */
  provenBeat = -1
  /** How many of its leases are of uses that run again elsewhere if it is lost. */
  repeatable = 0
  /** The question whether the peer still works for the lease that began as use number `uses`: when it is asked (again), and how often it has been without an answer. */
  inquiry: { readonly uses: number; nextAt: number; tries: number } | undefined = undefined
  /** Who wants to know that the client was destroyed under them. */
  readonly lostListeners = new Set<(cause: unknown) => void>()
  /** Why it was destroyed under its borrowers. */
  lostBecause: unknown = undefined
  /** How many had a lease when it was destroyed: what they did with it may not have come to its end. */
  lostInUse = 0
  /** The request numbers of the latest errors. */
  readonly #errorsAt: number[] = []

  constructor(
    readonly connection: Connection<Client>,
    readonly number: number,
    readonly client: Client,
    readonly connectedAt: number,
  ) {
    this.lastProvenAt = connectedAt
  }

  /** Whether somebody has used it, and not in vain as far as is known. */
  get wasOfUse(): boolean {
    return this.uses - Math.max(this.leases, this.lostInUse) > this.errors
  }

  /** Counts a request that ended with an error other than the application's own. */
  countError(): void {
    this.errors++
    this.#errorsAt.push(this.requests)
    if (this.#errorsAt.length > ERROR_WINDOW) this.#errorsAt.shift()
  }

  /** The share of errors among the last 100 requests. */
  get errorRate(): number {
    if (this.requests === 0) return 0
    const from = this.requests - ERROR_WINDOW
    return this.#errorsAt.filter((request) => request > from).length / Math.min(this.requests, ERROR_WINDOW)
  }
}

/** A check in flight. */
export interface Check<Client> {
  readonly generation: Generation<Client>
  readonly startedAt: number
  /** Whether it has been silent for longer than the hedge delay. */
  overdue: boolean
  /** Whether its time-out has passed; it still keeps the connection out of service until it settles. */
  timedOut: boolean
  /** Lets go of it: its signal is aborted and what it answers is not heard. */
  readonly abandon: () => void
}

/** The work that a mark has led to; there is one as long as the mark stands. */
export interface RebuildTask {
  /** Ends it without a result: the connection is being closed. */
  cancel(): void
}

/** The pool's record of one place. Its id stays; its client may change. */
export class Connection<Client> implements Linked<Connection<Client>> {
  previous: Connection<Client> | undefined = undefined
  next: Connection<Client> | undefined = undefined
  list: unknown = undefined

  state: ConnectionState = 'connecting'
  health: Health = 'unknown'
  mark: Mark | undefined = undefined
  /** The present client; undefined before the first connect. */
  current: Generation<Client> | undefined = undefined
  check: Check<Client> | undefined = undefined
  rebuild: RebuildTask | undefined = undefined
  /** Failed checks in a row. */
  failures = 0
  /** When the run of failures began, when its last one was counted, and when a check last failed; ms of the clock. */
  failingSince = 0
  failureCountedAt = -NEVER
  lastFailedAt = -NEVER
  /** Checks in a row that were far slower than the pool's usual. */
  slowChecks = 0
  /** When its last check began, ms of the clock. */
  checkedAt = -NEVER
  /** When it last became idle, ms of the clock. */
  idleSince = 0
  /** When it was last lent after being idle, ms of the clock. */
  busySince = 0
  /** The requests of its client at its last regular check. */
  requestsSeen = 0
  lastRebuiltAt: number | undefined = undefined
  /** The next check after a failed or slow one. */
  recheck: Alarm | undefined = undefined
  /** The next check in turn. */
  healthCheck: Alarm | undefined = undefined
  /** When the client comes of age. */
  age: Alarm | undefined = undefined

  /**
   * @param sequence counts the connections of a pool; it spreads their checks
   * @param createdAt ms since 1970
   */
  constructor(
    readonly id: string,
    readonly sequence: number,
    readonly createdAt: number,
  ) {}
}
