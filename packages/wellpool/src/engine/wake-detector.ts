import { Alarm, type Clock } from './clock.ts'

const TICK = 1000
/** A tick this late, or a wall clock this far ahead, means that the process was asleep. ms */
const ASLEEP = 1000

/** What all pools on one clock share, so that hundreds of pools need one timer. */
const detectors = new WeakMap<Clock, WakeDetector>()

/** Finds out that the process was stopped, suspended or blocked for a second and more. */
export class WakeDetector {
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  readonly #alarm: Alarm
  #now = 0
  #wallNow = 0

  private constructor(clock: Clock) {
    this.#clock = clock
    this.#alarm = new Alarm(clock, () => this.#tick())
  }

  static of(clock: Clock): WakeDetector {
    let detector = detectors.get(clock)
    if (detector === undefined) {
      detector = new WakeDetector(clock)
      detectors.set(clock, detector)
    }
    return detector
  }

  /** @param woken is called each time that the process was found to have been asleep */
  subscribe(woken: () => void): void {
    this.#listeners.add(woken)
    if (!this.#alarm.pending) this.#arm()
  }

  unsubscribe(woken: () => void): void {
    this.#listeners.delete(woken)
    if (this.#listeners.size === 0) this.#alarm.clear()
  }

  #arm(): void {
    this.#now = this.#clock.now()
    this.#wallNow = this.#clock.wallNow()
    this.#alarm.set(TICK)
  }

  #tick(): void {
    const passed = this.#clock.now() - this.#now
    // On Linux the monotonic clock stands still while the machine is suspended, the wall clock does not.
    const passedOnTheWall = this.#clock.wallNow() - this.#wallNow
    this.#arm()
    if (passed - TICK < ASLEEP && passedOnTheWall - passed < ASLEEP) return
    for (const listener of [...this.#listeners]) listener()
  }
}
