import type { Fault, FaultProxy, FaultScope, InjectedFault } from 'wellpool/testing'
import type { Random } from '../src/random.ts'
import type { ApplicationProcess } from './application-process.ts'
import { now, sleepUntil } from './clock.ts'
import type { Span } from './crash.ts'
import type { Endpoint } from './endpoint.ts'
import type { Course, Episode } from './figures.ts'
import type { Variant } from './variants.ts'

/** What a stage is made of. */
export interface StageParts {
  readonly proxy: FaultProxy
  readonly endpoint: Endpoint
  /** Another server with the same data, for a scenario that fails over. */
  readonly standby?: Endpoint | undefined
  readonly variant: Variant
  readonly random: Random
}

/** Where a scenario takes place: the network, the server and the application of one run, and the record of what was done. */
export class Stage {
  readonly proxy: FaultProxy
  readonly endpoint: Endpoint
  readonly random: Random
  readonly #standby: Endpoint | undefined
  readonly #variant: Variant
  readonly #episodes: Episode[] = []
  readonly #standstills: Span[] = []
  /** By the flow's id, when it was accepted. */
  readonly #accepted = new Map<number, number>()
  #application: ApplicationProcess | undefined
  #startsAt = 0
  #endsAt = 0

  constructor({ proxy, endpoint, standby, variant, random }: StageParts) {
    this.proxy = proxy
    this.endpoint = endpoint
    this.#standby = standby
    this.random = random
    this.#variant = variant
    this.#keepDistance()
  }

  /** The application has begun. Requests count from `startsAt` to `endsAt`. */
  enter(application: ApplicationProcess, startsAt: number, endsAt: number): void {
    this.#application = application
    this.#startsAt = startsAt
    this.#endsAt = endsAt
  }

  get application(): ApplicationProcess {
    if (this.#application === undefined) throw new Error('bug: the application has not begun')
    return this.#application
  }

  /** The other server. */
  get standby(): Endpoint {
    if (this.#standby === undefined) throw new Error('bug: the scenario does not say that it fails over')
    return this.#standby
  }

  /** Until the run ends, ms. */
  get timeLeft(): number {
    return this.#endsAt - now()
  }

  /** What has happened. */
  get course(): Course {
    return {
      startsAt: this.#startsAt,
      endsAt: this.#endsAt,
      episodes: this.#episodes,
      standstills: this.#standstills,
      roundTripMs: this.#variant.roundTripMs,
      accepted: [...this.#accepted.values()],
    }
  }

  async sleep(ms: number): Promise<void> {
    await sleepUntil(now() + ms)
  }

  async sleepUntil(time: number): Promise<void> {
    await sleepUntil(time)
  }

  /** Resolves so long after the next moment at which requests become due. */
  async untilBeat(offsetMs: number): Promise<void> {
    const { everyMs } = this.#variant
    const beats = Math.ceil((now() + 5 - offsetMs - this.application.firstDue) / everyMs)
    const time = this.application.firstDue + beats * everyMs + offsetMs
    await sleepUntil(time - 2)
    // Timers are no more exact than a millisecond or two.
    while (now() < time) await new Promise((resolve) => setImmediate(resolve))
  }

  /** A fault happens now. It lasts, or is over in the same moment. */
  note(name: string): void {
    this.#episodes.push({ name, from: now(), until: undefined })
  }

  /** A fault begins now, which takes the endpoint away. @returns when it began, and what says that the endpoint answers again */
  away(name: string): { readonly from: number; back(): void } {
    const index = this.#episodes.length
    const from = now()
    this.#episodes.push({ name, from, until: undefined })
    return {
      from,
      back: () => {
        this.#episodes[index] = { name, from, until: now() }
      },
    }
  }

  /** Does this to flows until it is healed. */
  inject(fault: Fault, scope: FaultScope): InjectedFault {
    return this.proxy.inject(fault, scope)
  }

  /** All present flows get an RST. */
  resetPresent(): void {
    this.proxy.inject({ kind: 'reset' }, 'present').heal()
  }

  /** Refuses connects, as a host does on which nothing listens. */
  async refuse(): Promise<void> {
    await this.proxy.refuse()
  }

  /** Takes connects again. All faults are healed. */
  async accept(): Promise<void> {
    const accepting = this.proxy.heal()
    this.#keepDistance()
    await accepting
  }

  /** The application stood still. */
  stoodStill(standstill: Span): void {
    this.#standstills.push(standstill)
  }

  /** The round trip that the variant asks for, and a note of each connection: the proxy asks once for each that is present or comes. */
  #keepDistance(): void {
    const ms = this.#variant.roundTripMs / 2
    this.proxy.inject({ kind: 'latency', ms }, ({ id }) => {
      if (!this.#accepted.has(id)) this.#accepted.set(id, now())
      return ms > 0
    })
  }
}
