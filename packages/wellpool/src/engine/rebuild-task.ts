import { Backoff } from './backoff.ts'
import type { Alarm, Deadline } from './clock.ts'
import type { Connection, Generation, RebuildTask } from './connection.ts'
import type { Connect } from './connector.ts'
import type { ResolvedOptions } from './options.ts'
import type { RebuildResult } from './rebuild-result.ts'

/** Hears how a rebuild ended. An error: it never came to a result, because the pool closed. */
export type RebuildListener = (outcome: RebuildResult | Error) => void

/**
 * The work that a mark leads to. It lasts as long as the mark: over failed tries, until the swap or the
 * connection's closing.
 */
export class Task<Client> implements RebuildTask {
  /**
   * - `queued`: decided, not begun
   * - `closing`: without surge: the old client's goodbye is under way
   * - `waiting`: the connection is out of service and waits for the connector
   * - `connecting`, `checking`: the successor
   */
  phase: 'queued' | 'closing' | 'waiting' | 'connecting' | 'checking' = 'queued'
  /** Whether somebody asked for it by hand. */
  manual = false
  /** Whether it has seen a release since it was queued: it may begin although the connection is in use again. */
  released = false
  /** Whether the successor has to pass a check: it was planned when it began. */
  needsCheck = false
  /** Whether it has been told that it started and not yet how it ended. */
  begun = false
  startedAt = 0
  oldGeneration = 0
  connect: Connect<Client> | undefined
  candidate: Generation<Client> | undefined
  abandonCheck: (() => void) | undefined
  deadline: Deadline | undefined
  /** The waits between failed tries. */
  readonly #backoff = new Backoff()
  readonly listeners = new Set<RebuildListener>()
  readonly #cancel: (task: Task<Client>) => void

  constructor(
    readonly connection: Connection<Client>,
    /** Pending while it waits before its next try. */
    readonly retry: Alarm,
    cancel: (task: Task<Client>) => void,
  ) {
    this.#cancel = cancel
  }

  /** Whether a step of it is under way. */
  get inFlight(): boolean {
    return this.phase !== 'queued'
  }

  cancel(): void {
    this.#cancel(this)
  }

  /** Back to where the successor's connect has not begun. */
  rewind(): void {
    this.deadline?.cancel()
    this.deadline = undefined
    this.phase = this.connection.state === 'rebuilding' ? 'waiting' : 'queued'
  }

  /** Ends what is pending: it leads nowhere any more. */
  stop(): void {
    this.abandonCheck?.()
    this.deadline?.cancel()
    this.retry.clear()
    this.phase = 'queued'
  }

  /** Plans the next try after one more that has failed: in its turn, whoever has asked for this one. */
  retryLater({ backoff, random }: ResolvedOptions): void {
    this.manual = false
    this.#backoff.fail(random)
    this.retry.set(Math.max(1, this.#backoff.delay(backoff, false)))
  }

  tell(outcome: RebuildResult | Error): void {
    const listeners = [...this.listeners]
    this.listeners.clear()
    for (const listener of listeners) listener(outcome)
  }
}
