import type { Generation } from './connection.ts'
import { LeaseReleasedError } from './errors.ts'
import type { ConnectionRecord } from './records.ts'

/** How a lease ended. `disposed` says nothing of how its use went; `discarded` has the client closed. */
export type LeaseOutcome = 'succeeded' | 'failed' | 'disposed' | 'discarded'

/** What a lease needs of its pool. */
export interface LeaseOwner<Client> {
  takeBack(lease: Lease<Client>, outcome: LeaseOutcome, error: unknown): void
  recordOf(generation: Generation<Client>): ConnectionRecord
}

/**
 * One borrower's hold on one client. Release it exactly once, or let `await using` do it. The client is the
 * borrower's until then: a rebuild in between leaves it alone.
 */
export class Lease<Client> {
  /** What was borrowed. Not to be used after the release. */
  readonly client: Client
  readonly #owner: LeaseOwner<Client>
  /** @internal */
  readonly generation: Generation<Client>
  /** @internal When it was handed out, ms of the clock; if it is not measured, up to a beat before that. */
  readonly acquiredAt: number
  /** @internal The pool's beat at that time, or -1 to have the use measured: tells whether it may have been long. */
  readonly beat: number
  /** @internal Ends the watch of the leak detector. */
  leakWatch: (() => void) | undefined = undefined
  #released = false

  static {
    // An `await` looks for a `then` in what it gets. Found here, the search ends early; see `npm run bench -- acquire`.
    Object.defineProperty(Lease.prototype, 'then', { value: undefined })
  }

  /** @internal */
  constructor(owner: LeaseOwner<Client>, generation: Generation<Client>, acquiredAt: number, beat: number) {
    this.client = generation.client
    this.#owner = owner
    this.generation = generation
    this.acquiredAt = acquiredAt
    this.beat = beat
  }

  /** What the pool knows of the connection, as it is now. */
  get connection(): ConnectionRecord {
    return this.#owner.recordOf(this.generation)
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#released
  }

  /**
   * Gives the client back. Without an error the use counts as a success and proves the connection; with one,
   * the driver's `classify` says what it means for the connection.
   *
   * @param error what the use ended with, if it failed
   * @throws LEASE_RELEASED when called a second time
   */
  release(error?: unknown): void {
    this.#end(error === undefined ? 'succeeded' : 'failed', error)
  }

  /**
   * Gives the client back to be closed: its borrower has done to it what nobody else is to meet. Nothing is said of
   * how its use went, nor of the other connections. The pool refills itself when it needs to. Where a client serves
   * several, it is closed when the last of them has released it.
   *
   * @throws LEASE_RELEASED when the lease was released before
   */
  discard(): void {
    this.#end('discarded')
  }

  /** Gives the client back without saying how its use went. Does nothing after a release. */
  [Symbol.dispose](): void {
    if (!this.#released) this.#end('disposed')
  }

  /** As `Symbol.dispose`; for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]()
  }

  #end(outcome: LeaseOutcome, error?: unknown): void {
    if (this.#released) throw new LeaseReleasedError('this lease was released before, perhaps by `await using`')
    this.#released = true
    this.#owner.takeBack(this, outcome, error)
  }
}
