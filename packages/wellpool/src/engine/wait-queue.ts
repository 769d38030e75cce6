import { offAbort, onAbort } from './abort-listeners.ts'
import { Alarm, type Clock, Deadline, NEVER, type ProcessHold } from './clock.ts'
import { type Linked, LinkedList } from './linked-list.ts'

/** A borrower in the queue. */
export class Waiter<Value> implements Linked<Waiter<Value>> {
  previous: Waiter<Value> | undefined = undefined
  next: Waiter<Value> | undefined = undefined
  list: unknown = undefined
  /** Its time-out, if that is not the usual one. */
  deadline: Deadline | undefined = undefined
  /** Ends what only some waiters have: a time-out of their own, a signal. */
  leave: (() => void) | undefined = undefined
  /** Where it came from, if leaks are looked for: who serves it knows nothing of that. */
  trace: Error | undefined = undefined

  /**
   * @param since when the borrower came, ms of the clock. Also its rank: who comes back after a lost
   *   connection keeps it.
   */
  constructor(
    readonly resolve: (value: Value) => void,
    readonly reject: (error: unknown) => void,
    readonly since: number,
  ) {}
}

/**
 * The borrowers that wait, first come, first served. All that have the pool's usual time-out share one timer:
 * their deadlines come in the order of the queue.
 */
export class WaitQueue<Value> {
  readonly #clock: Clock
  readonly #hold: ProcessHold
  readonly #waiters = new LinkedList<Waiter<Value>>()
  readonly #expired: (waiter: Waiter<Value>) => void
  readonly #alarm: Alarm
  #timeout: number

  /**
   * @param hold keeps the process open while somebody waits
   * @param timeout the usual time-out, ms
   * @param expired is called with each waiter whose time is up, after it has left the queue
   */
  constructor(clock: Clock, hold: ProcessHold, timeout: number, expired: (waiter: Waiter<Value>) => void) {
    this.#clock = clock
    this.#hold = hold
    this.#timeout = timeout
    this.#expired = expired
    this.#alarm = new Alarm(clock, () => clock.afterPoll(() => this.#sweep()))
  }

  get size(): number {
    return this.#waiters.size
  }

  /** Who has waited longest. */
  get head(): Waiter<Value> | undefined {
    return this.#waiters.head
  }

  [Symbol.iterator](): Iterator<Waiter<Value>> {
    return this.#waiters[Symbol.iterator]()
  }

  /** Adds a waiter under the usual time-out. */
  add(waiter: Waiter<Value>): void {
    this.#insert(waiter)
    this.#armShared()
  }

  /** Adds a waiter with a time-out of its own (ms, `Infinity` for none; undefined for the usual one), or a signal. */
  addSpecial(
    waiter: Waiter<Value>,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
    aborted: (waiter: Waiter<Value>) => void,
  ): void {
    this.#insert(waiter)
    if (timeout === undefined) this.#armShared()
    else waiter.deadline = new Deadline(this.#clock, timeout, () => this.#expire(waiter))
    const whenAborted = (): void => {
      if (this.remove(waiter)) aborted(waiter)
    }
    onAbort(signal, whenAborted)
    waiter.leave = () => {
      waiter.deadline?.cancel()
      offAbort(signal, whenAborted)
    }
  }

  /** @returns whether the waiter was in the queue. */
  remove(waiter: Waiter<Value>): boolean {
    if (!this.#waiters.remove(waiter)) return false
    if (this.#waiters.size === 0) this.#hold.release()
    waiter.leave?.()
    return true
  }

  /** Changes the usual time-out, also for those who wait under it. */
  setTimeout(timeout: number): void {
    if (timeout === this.#timeout) return
    this.#timeout = timeout
    this.stop()
    this.#sweep()
  }

  /** Ends the shared timer. With nobody waiting it would fire once more for nothing. */
  stop(): void {
    this.#alarm.clear()
  }

  #insert(waiter: Waiter<Value>): void {
    if (this.#waiters.size === 0) this.#hold.retain()
    const { tail } = this.#waiters
    if (tail === undefined || tail.since <= waiter.since) {
      this.#waiters.pushBack(waiter)
      return
    }
    // Somebody who comes back: near the head, where the longest waiters are.
    let place = this.#waiters.head
    while (place !== undefined && place.since <= waiter.since) place = place.next
    this.#waiters.insertBefore(place, waiter)
  }

  #armShared(): void {
    if (!this.#alarm.pending) this.#alarm.set(this.#timeout)
  }

  #sweep(): void {
    if (this.#timeout === NEVER) return
    const now = this.#clock.now()
    for (const waiter of this.#waiters) {
      if (waiter.deadline !== undefined) continue
      const left = waiter.since + this.#timeout - now
      if (left > 0) {
        this.#alarm.set(left)
        return
      }
      this.#expire(waiter)
    }
  }

  #expire(waiter: Waiter<Value>): void {
    if (this.remove(waiter)) this.#expired(waiter)
  }
}
