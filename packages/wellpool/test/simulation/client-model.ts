import type { FakeCall, FakeClient } from '../../src/testing/index.ts'

/** What can be known of a client from outside of the pool. Times are of the clock's `now()`. */
export class ClientModel {
  /** `new` until the pool shows it as a connection's client, `old` when another one has taken its place. */
  role: 'new' | 'current' | 'old' = 'new'
  /** Since when it is its connection's. */
  currentSince = Number.POSITIVE_INFINITY
  /** The latest time at which it can be said to have proven itself. */
  provenAt: number
  /** The step in which a use last proved it. */
  provenStep = -1
  /** What it has done since that puts it in doubt. */
  doubt: 'check rejected' | 'check timed out' | 'use failed' | undefined
  /** The step in which the doubt arose. */
  doubtStep = -1
  /** Failed checks in a row: so many at least. One that came early, for somebody who waits, may not count. */
  failures = 0
  /** When the latest failure was that may have counted, and when the latest of all. */
  countedAt = Number.NEGATIVE_INFINITY
  failedAt = Number.NEGATIVE_INFINITY
  failedStep = -1
  passedChecks = 0
  /** When a check of it last came to an end, heard by the pool or not. */
  checkEndedAt = Number.NEGATIVE_INFINITY
  /** When it last passed a check, or was connected; and whether it has been used since. */
  checkedAt: number
  usedSinceCheck = false
  /** The step in which it was last handed out. */
  lentStep = -1
  /** Whether the pool may want a check for another reason: its last use took long, for one. */
  mayWantCheck = false
  mayWantCheckAt = 0
  /** Reported as lost, or an error on it was fatal: of no more use. */
  condemnedAt: number | undefined
  #condemnations = 0
  lost = false
  /** The step in which a second opinion found it gone, if that was about the use that it still serves. */
  goneStep = -1
  retireReported = false
  evicted = false
  uses = 0
  requests = 0
  errors = 0
  /** Since when nobody has held it. */
  idleSince: number
  /** Checks and resets that have not settled. To be asked about others is a check, too. */
  readonly checks = new Set<FakeCall>()
  readonly resets = new Set<FakeCall>()

  constructor(
    readonly client: FakeClient,
    now: number,
    readonly connectBegunAt: number,
  ) {
    this.provenAt = now
    this.checkedAt = now
    this.idleSince = now
  }

  condemn(now: number): void {
    this.#condemnations++
    this.condemnedAt ??= now
  }

  /** One of the reasons was none: the pool has not heard of it. */
  pardon(): void {
    if (--this.#condemnations === 0) this.condemnedAt = undefined
  }

  get ended(): boolean {
    const { life } = this.client
    return life.closedAt !== undefined || life.destroyedAt !== undefined
  }

  /** Whether a check of it has timed out and is silent still: the pool counts that as one failure after the other. */
  get isSilent(): boolean {
    for (const call of this.checks) if (call.signal?.aborted === true) return true
    return false
  }

  /** Neither ended nor saying goodbye. */
  get live(): boolean {
    const { life } = this.client
    return life.closeCalledAt === undefined && life.destroyedAt === undefined
  }
}
