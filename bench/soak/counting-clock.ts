import { type Clock, systemClock, type Timer } from 'wellpool'

/** The real clock, and how many of its timers are pending: those that don't hold the process open are seen nowhere else. */
export class CountingClock implements Clock {
  readonly #pending = new Set<Timer>()

  get pending(): number {
    return this.#pending.size
  }

  now(): number {
    return systemClock.now()
  }

  wallNow(): number {
    return systemClock.wallNow()
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const timer = systemClock.setTimeout(() => {
      this.#pending.delete(timer)
      callback()
    }, delay)
    this.#pending.add(timer)
    return timer
  }

  clearTimeout(timer: Timer): void {
    this.#pending.delete(timer)
    systemClock.clearTimeout(timer)
  }

  afterPoll(callback: () => void): void {
    systemClock.afterPoll(callback)
  }
}
