import type { PoolStats } from 'wellpool'
import type { FaultKind, Injected } from './faults.ts'
import { QUIET_MS } from './settings.ts'
import type { Seen, Tally } from './tally.ts'

/** What became of one fault, once all is well again or the time is up. */
export interface Verdict {
  readonly fault: FaultKind
  /** Whether it could be made at all. */
  readonly made: boolean
  /** Whether application and pool were well again within the bound. */
  readonly healed: boolean
  /** From the fault (from when the endpoint answered again) until the last bad request was due, ms. */
  readonly healMs: number
  /** Likewise until the pool was whole: every connection in service and none on a spoilt flow. */
  readonly wholeMs: number
  /** What the application saw from the fault on. */
  readonly seen: Seen
  /** What exactly was done; or why it could not be. */
  readonly detail: string
}

/** What a pool is asked for, to see whether it is whole. */
export interface Patient {
  stats(): Pick<PoolStats, 'total' | 'rebuilding' | 'breaker' | 'panic' | 'marked' | 'health'>
}

/** Whom a fault befalls: a pool, and what its application sees. */
export interface Subject {
  readonly tally: Tally
  readonly pool: Patient
  /** How many connections a whole pool has in service. */
  readonly wanted: number
}

/** Watches one fault from when it has happened until it can be judged. */
export class Observation {
  readonly fault: FaultKind
  readonly since: number
  readonly injected: Injected
  readonly #tally: Tally
  readonly #pool: Patient
  readonly #wanted: number
  #lastNotWhole: number

  /**
   * @param since requests that are due from here on belong to the fault, and those that are under way then
   * @param subject whom it befalls
   */
  constructor(fault: FaultKind, since: number, injected: Injected, { tally, pool, wanted }: Subject) {
    this.fault = fault
    this.since = since
    this.injected = injected
    this.#tally = tally
    this.#pool = pool
    this.#wanted = wanted
    this.#lastNotWhole = injected.healsFrom
  }

  seen(now: number): Seen {
    return this.#tally.since(this.since, now)
  }

  /** Looks; to be called often. @returns the verdict once there is one */
  look(now: number): Verdict | undefined {
    const { healsFrom } = this.injected
    if (!this.#isWhole()) this.#lastNotWhole = now
    const seen = this.seen(now)
    const lastBad = Math.max(healsFrom, seen.lastBadDue ?? 0)
    const quiet = now - Math.max(lastBad, this.#lastNotWhole) >= QUIET_MS
    if (!quiet && now - healsFrom < this.fault.boundMs + QUIET_MS) return undefined
    const healMs = lastBad - healsFrom
    const wholeMs = this.#lastNotWhole - healsFrom
    const healed = quiet && healMs <= this.fault.boundMs && wholeMs <= this.fault.boundMs
    return { fault: this.fault, made: true, healed, healMs, wholeMs, seen, detail: this.injected.detail }
  }

  #isWhole(): boolean {
    const { total, rebuilding, breaker, panic, marked, health } = this.#pool.stats()
    const inService = total - rebuilding
    const well = breaker === 'closed' && !panic && marked === 0 && health.unhealthy === 0
    return well && inService >= this.#wanted && this.injected.leftOver() === 0
  }
}
