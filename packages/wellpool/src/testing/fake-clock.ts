import type { Clock, Timer } from '../engine/clock.ts'
import { type HeapItem, TimerHeap } from './timer-heap.ts'

/** How a {@link FakeClock} starts. */
export interface FakeClockOptions {
  /** What `now()` says first, ms. Default 1,000: 0 would hide a mistake such as `if (time)`. */
  startAt?: number
  /** What `wallNow()` says first, ms since 1970. Default 2026-01-01T00:00:00Z. */
  wallStartAt?: number
  /**
   * Whether timers are kept in whole milliseconds, as Node keeps them: one then fires up to 1 ms early, measured
   * with `now()`. Default false: a timer fires exactly when it is due.
   */
  wholeMilliseconds?: boolean
  /** Whether each timer remembers where it was set, for {@link FakeClock.pending}. Slow. Default false. */
  stacks?: boolean
}

/** A timer that has not fired yet. */
export interface PendingTimer {
  /** How long until it fires, ms. */
  readonly dueIn: number
  /** Whether it would hold the process open. */
  readonly referenced: boolean
  /** Where it was set; only with the option `stacks`. */
  readonly stack?: string
}

/** The longest delay that Node's timers take; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Kept from the start, so that a test framework's fake timers can't stop this clock. */
const nextTurn = setImmediate

class FakeTimer implements Timer, HeapItem {
  at: number
  readonly order: number
  index = -1
  referenced = false
  callback: () => void
  readonly stack: string | undefined

  constructor(at: number, order: number, callback: () => void, stack: string | undefined) {
    this.at = at
    this.order = order
    this.callback = callback
    this.stack = stack
  }

  ref(): void {
    this.referenced = true
  }

  unref(): void {
    this.referenced = false
  }
}

/**
 * A clock that stands still until it is told to go on, so that a test can make a day pass in a second and
 * two runs of it are the same. Give it to a pool as its `clock`.
 *
 * Each instant runs as a turn of Node's event loop does: first the timers that are due, in order of their
 * time and then of their creation; then what has arrived on the sockets ({@link FakeClock.arrive}); then what
 * was given to `afterPoll`. Between any two of these all promises that can settle do so.
 *
 * @example
 * const clock = new FakeClock()
 * const pool = createPool(driver, { clock, random: () => 0.5 })
 * const lease = pool.acquire()
 * await clock.advance(10)
 */
export class FakeClock implements Clock {
  /** Is called after each timer, arrival and `afterPoll` callback, once everything that it set off has settled. */
  onStep: (() => void) | undefined
  readonly #timers = new TimerHeap<FakeTimer>()
  readonly #arrivals = new TimerHeap<FakeTimer>()
  readonly #wholeMilliseconds: boolean
  readonly #stacks: boolean
  #polls: (() => void)[] = []
  #now: number
  #wallAhead: number
  #order = 0
  #running = false

  /** @throws RangeError when it is to start at what is no time. */
  constructor(options: FakeClockOptions = {}) {
    this.#now = aTime(options.startAt ?? 1000, 'startAt')
    this.#wallAhead = aTime(options.wallStartAt ?? Date.UTC(2026, 0, 1), 'wallStartAt') - this.#now
    this.#wholeMilliseconds = options.wholeMilliseconds ?? false
    this.#stacks = options.stacks ?? false
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#now + this.#wallAhead
  }

  /**
   * A delay of less than 1 ms becomes 1 ms, as in Node.
   * @throws RangeError for a delay that Node's timers would not take: they turn it into 1 ms, which is never meant.
   */
  setTimeout(callback: () => void, delay: number): Timer {
    if (!(delay >= 0 && delay <= MAX_DELAY_MS))
      throw new RangeError(`a timer can't be set to ${delay} ms: 0 to ${MAX_DELAY_MS} are possible`)
    const at = this.#wholeMilliseconds ? Math.floor(this.#now) + Math.max(1, Math.floor(delay)) : this.#now + Math.max(1, delay)
    const stack = this.#stacks ? new Error('set here').stack : undefined
    const timer = new FakeTimer(at, this.#order++, callback, stack)
    this.#timers.push(timer)
    return timer
  }

  clearTimeout(timer: Timer): void {
    this.#timers.remove(timer as FakeTimer)
  }

  afterPoll(callback: () => void): void {
    this.#polls.push(callback)
  }

  /**
   * Calls `callback` in `delay` ms as if something had then come in over the network: after the timers that are
   * due at the same time, before `afterPoll`. It goes on while the machine sleeps or is suspended.
   * @returns a function that takes it back.
   * @throws RangeError when `delay` is no number.
   */
  arrive(delay: number, callback: () => void): () => void {
    // `undefined` as well: with a time that is no number in its heap the clock would go on for ever.
    if (typeof delay !== 'number' || Number.isNaN(delay)) throw new RangeError(`nothing can arrive in ${String(delay)} ms`)
    const arrival = new FakeTimer(this.#now + Math.max(0, delay), this.#order++, callback, undefined)
    this.#arrivals.push(arrival)
    return () => this.#arrivals.remove(arrival)
  }

  /**
   * Lets `ms` pass. What becomes due on the way runs at its own time.
   * @throws RangeError unless `ms` is a finite number of 0 or more.
   */
  async advance(ms: number): Promise<void> {
    const target = this.#now + canPass(ms)
    await this.#run(async () => {
      await turn()
      await this.#instant()
      for (;;) {
        const next = this.#nextAt()
        if (next === undefined || next > target) break
        this.#now = Math.max(this.#now, next)
        await this.#instant()
      }
      this.#now = target
    })
  }

  /**
   * Goes on, from one due time to the next, until `promise` settles.
   * @param within the most that may pass, ms. Default one minute.
   * @returns what the promise fulfils with; rejects as it does, or with an Error when it has not settled in time.
   */
  async until<T>(promise: PromiseLike<T>, within = 60_000): Promise<T> {
    let settled = false
    const mark = (): void => {
      settled = true
    }
    promise.then(mark, mark)
    await this.#run(async () => {
      const target = this.#now + within
      await turn()
      await this.#instant()
      while (!settled) {
        const next = this.#nextAt()
        // Not `next > target`: a time that is no number would never be over.
        if (next === undefined || !(next <= target)) throw new Error(`the promise has not settled within ${within} ms`)
        this.#now = Math.max(this.#now, next)
        await this.#instant()
      }
    })
    return promise
  }

  /** Lets all promises settle and runs what is due, without any time passing. */
  async settle(): Promise<void> {
    await this.advance(0)
  }

  /**
   * The process was stopped for `ms`: both clocks have jumped, and what was due meanwhile runs now, late. As in
   * Node all timers come first, and the answers that came in meanwhile after them.
   * @throws RangeError unless `ms` is a finite number of 0 or more.
   */
  async sleep(ms: number): Promise<void> {
    const wakesAt = this.#now + canPass(ms)
    await this.#run(async () => {
      this.#now = wakesAt
      await turn()
      await this.#instant()
    })
  }

  /**
   * The machine was suspended for `ms`, as Linux does it: the wall clock has jumped, `now()` and the timers have
   * stood still, and what came in over the network meanwhile is read now.
   * @throws RangeError unless `ms` is a finite number of 0 or more.
   */
  async suspend(ms: number): Promise<void> {
    const passed = canPass(ms)
    await this.#run(async () => {
      this.#wallAhead += passed
      // All by the same amount: the order in the heap stays as it is.
      for (const arrival of this.#arrivals.items()) arrival.at -= passed
      await turn()
      await this.#instant()
    })
  }

  /**
   * Somebody has set the wall clock, `ms` forward or, if negative, back. Nothing else changes.
   * @throws RangeError unless `ms` is a finite number.
   */
  setWall(ms: number): void {
    this.#wallAhead += aTime(ms, 'ms')
  }

  /** The timers that have not fired yet, the next one first. Arrivals are not among them. */
  pending(): PendingTimer[] {
    return [...this.#timers.items()]
      .sort((a, b) => a.at - b.at || a.order - b.order)
      .map(({ at, referenced, stack }) => ({ dueIn: at - this.#now, referenced, ...(stack === undefined ? {} : { stack }) }))
  }

  /** How many timers and `afterPoll` callbacks are pending; of those, how many timers would hold the process open. */
  counts(): { readonly timers: number; readonly referenced: number; readonly polls: number } {
    const referenced = this.#timers.items().reduce((sum, timer) => sum + (timer.referenced ? 1 : 0), 0)
    return { timers: this.#timers.size, referenced, polls: this.#polls.length }
  }

  #nextAt(): number | undefined {
    const timer = this.#timers.first()?.at
    const arrival = this.#arrivals.first()?.at
    if (timer === undefined) return arrival
    return arrival === undefined ? timer : Math.min(timer, arrival)
  }

  /** Caller has let all promises settle. */
  async #instant(): Promise<void> {
    while (this.#isDue()) {
      await this.#runDue(this.#timers)
      await this.#runDue(this.#arrivals)
      // What is added meanwhile waits for the next round, as setImmediate has it.
      const polls = this.#polls
      this.#polls = []
      for (const callback of polls) await this.#step(callback)
    }
  }

  #isDue(): boolean {
    const next = this.#nextAt()
    return this.#polls.length > 0 || (next !== undefined && next <= this.#now)
  }

  async #runDue(heap: TimerHeap<FakeTimer>): Promise<void> {
    for (let next = heap.first(); next !== undefined && next.at <= this.#now; next = heap.first()) {
      heap.remove(next)
      await this.#step(next.callback)
    }
  }

  async #step(callback: () => void): Promise<void> {
    callback()
    await turn()
    this.onStep?.()
  }

  async #run(task: () => Promise<void>): Promise<void> {
    if (this.#running) throw new Error('the clock is going already: wait for the call before')
    this.#running = true
    try {
      await task()
    } finally {
      this.#running = false
    }
  }
}

/** A time that can pass, ms. @throws RangeError for any other: the clock would stand still for ever, go backwards or never arrive */
function canPass(ms: number): number {
  if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError(`${ms} ms can't pass: it takes a finite number of 0 or more`)
  return ms
}

function aTime(ms: number, name: string): number {
  if (!Number.isFinite(ms)) throw new RangeError(`${name}: got ${String(ms)}, allowed is a finite number of ms`)
  return ms
}

/** One turn of the event loop: no promise is left that could settle. */
function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve))
}
