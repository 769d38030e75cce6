/**
 * A timer of a {@link Clock}. It does not hold the process open until `ref()` is called.
 */
export interface Timer {
  /** Makes the timer hold the process open. */
  ref(): void
  /** Lets the process end although the timer is pending. */
  unref(): void
}

/**
 * Where the engine gets the time from. Everything that depends on time goes through one clock, so that a
 * test can make a day pass in a second.
 */
export interface Clock {
  /** Milliseconds on a clock that never goes back. Only differences mean anything. */
  now(): number
  /** Milliseconds since 1970, for time stamps and to notice that the machine was suspended. */
  wallNow(): number
  /** Calls `callback` once after `delay` ms (0 to 2,147,483,647). The timer starts out unreferenced. */
  setTimeout(callback: () => void, delay: number): Timer
  /** Ends a timer; one that has fired or was cleared before is left alone. */
  clearTimeout(timer: Timer): void
  /**
   * Calls `callback` once after what has arrived on the sockets by now has been read. Node runs timers that
   * expired while the process was busy or asleep before it reads the answers that came in meanwhile.
   */
  afterPoll(callback: () => void): void
}

/** Taken once: the global is a getter. */
const timeline = performance

/** The real clock: `performance.now()`, `Date.now()` and Node's timers. */
export const systemClock: Clock = {
  now: () => timeline.now(),
  wallNow: () => Date.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay).unref(),
  // Referenced: of an unreferenced timer Node keeps the list of its duration, which is empty then, until that has passed.
  clearTimeout: (timer) => clearTimeout((timer as NodeJS.Timeout).ref()),
  afterPoll: (callback) => {
    setImmediate(callback)
  },
}

/** A duration that never passes, a limit that is never reached: what `Infinity` means in options. It reaches no timer. */
export const NEVER = Number.POSITIVE_INFINITY

/** The longest delay that a timer takes, ms. */
export const MAX_DELAY = 2 ** 31 - 1

/** One timer that can be set again and cleared; never more than one is pending. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #timer: Timer | undefined

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  get pending(): boolean {
    return this.#timer !== undefined
  }

  /** @param delay ms from now, rounded up, and longer than one timer can last if need be; `NEVER` only clears it */
  set(delay: number): void {
    this.clear()
    if (delay === NEVER) return
    // Rounded up, because a timer that fires a fraction early finds nothing due and would be set again.
    const ms = Math.min(MAX_DELAY, Math.max(0, Math.ceil(delay)))
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      if (delay > ms) this.set(delay - ms)
      else this.#ring()
    }, ms)
  }

  clear(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/**
 * A time-out that is decided fairly: when it expires, sockets are read once more before `expired` is called,
 * so that an answer that has arrived in time is never taken for a missing one.
 */
export class Deadline {
  readonly #alarm: Alarm
  readonly #expired: () => void
  #over = false

  /** @param delay ms until it expires; `NEVER`: it does not */
  constructor(clock: Clock, delay: number, expired: () => void) {
    this.#expired = expired
    this.#alarm = new Alarm(clock, () => clock.afterPoll(() => this.#decide()))
    this.#alarm.set(delay)
  }

  /** After this `expired` is not called any more. */
  cancel(): void {
    this.#over = true
    this.#alarm.clear()
  }

  #decide(): void {
    if (this.#over) return
    this.#over = true
    this.#expired()
  }
}

/**
 * Keeps the process open while a caller waits for the pool. All other timers of the pool let it end: without
 * this, Node would exit with a promise still pending.
 */
export class ProcessHold {
  readonly #clock: Clock
  #timer: Timer | undefined
  #held = 0
  #ended = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** One more call is pending. Each `retain` needs its `release`. */
  retain(): void {
    if (this.#held++ > 0) return
    this.#timer ??= this.#arm()
    this.#timer.ref()
  }

  release(): void {
    if (--this.#held > 0) return
    if (this.#ended) this.#free()
    else this.#timer?.unref()
  }

  /** Frees the timer as soon as nobody holds: who is told of the end may let go only after it. */
  end(): void {
    this.#ended = true
    if (this.#held === 0) this.#free()
  }

  #free(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): Timer {
    return this.#clock.setTimeout(() => {
      this.#timer = this.#arm()
      if (this.#held > 0) this.#timer.ref()
    }, MAX_DELAY)
  }
}
