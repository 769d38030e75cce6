import type { ErrorClass } from '../../src/index.ts'
import type { FakeCall, FakeClient, FakeClock, HeldCall, Outcome } from '../../src/testing/index.ts'
import type { Random } from './random.ts'
import { type Pace, SLOWEST } from './random-options.ts'

/** How the endpoint as a whole is. `denying`: it refuses the password; `flawed`: it lives, but the check fails. */
export type Mode = 'up' | 'refusing' | 'silent' | 'denying' | 'slow' | 'flawed'

/** How the way to one client is. `broken`: what is asked over it fails; `silent`: nothing ever comes back. */
export type Flow = 'fine' | 'slow' | 'silent' | 'broken'

/** An error of the endpoint or of the application, with what a truthful driver says of it. */
export class PeerError extends Error {
  constructor(
    message: string,
    readonly says: ErrorClass,
  ) {
    super(message)
  }
}

/** How often a driver that lies does what, shares of 1. */
interface Lies {
  readonly throw: number
  readonly hang: number
  readonly late: number
  readonly twice: number
  readonly reject: number
  readonly nonsense: number
}

const NO_LIES: Lies = { throw: 0, hang: 0, late: 0, twice: 0, reject: 0, nonsense: 0 }

/**
 * The peer of a simulated pool, and the honesty of the driver in between: decides how each call of the driver
 * ends. Whatever hangs is held, so that `heal` can end it.
 */
export class Endpoint {
  mode: Mode = 'up'
  /** How the flows of new clients are, some of them; undefined: all fine. */
  newFlows: { readonly share: number; readonly flow: Flow } | undefined
  /** How it ends whom it has accepted, soon after; undefined: it does not. */
  hangsUp: 'lost' | 'retired' | undefined
  readonly #flows = new WeakMap<FakeClient, Flow>()
  readonly #held = new Set<HeldCall>()
  readonly #clock: FakeClock
  readonly #random: Random
  readonly #pace: Pace
  readonly #said = new WeakMap<object, ErrorClass>()
  readonly #dueAt = new WeakMap<FakeCall, number>()
  readonly #outcomes = new WeakMap<FakeCall, Outcome>()
  /** When the call that is held now will settle by itself. */
  #heldMs: number | undefined
  #lies: Lies
  #healed = false
  /** What the driver reports of a client from inside `watch`. */
  report: (what: 'lost' | 'retire', client: FakeClient) => void = () => undefined

  constructor(clock: FakeClock, random: Random, pace: Pace, hostile: boolean) {
    this.#clock = clock
    this.#random = random
    this.#pace = pace
    const share = (): number => (random.chance(0.5) ? random.between(0, 0.08) : 0)
    this.#lies = hostile ? { throw: share(), hang: share(), late: share(), twice: share(), reject: share(), nonsense: share() } : NO_LIES
  }

  flow(client: FakeClient): Flow {
    let flow = this.#flows.get(client)
    if (flow === undefined) {
      const { newFlows } = this
      flow = newFlows !== undefined && this.#random.chance(newFlows.share) ? newFlows.flow : 'fine'
      this.#flows.set(client, flow)
    }
    return flow
  }

  setFlow(client: FakeClient, flow: Flow): void {
    this.#flows.set(client, flow)
  }

  /** Whether all is well for good. */
  get isHealed(): boolean {
    return this.#healed
  }

  /** The endpoint is back and the driver tells the truth: what was pending fails, and from now on all goes well. */
  heal(): void {
    this.#healed = true
    this.mode = 'up'
    this.newFlows = undefined
    this.#lies = NO_LIES
    for (const end of [...this.#held]) end.reject(new PeerError('connection reset by peer', 'fatal'))
    this.#held.clear()
  }

  /** How a driver that tells the truth, or lies, classifies. It is of one mind about each error. */
  classify = (error: unknown): ErrorClass => {
    if (!(error instanceof PeerError)) return this.#random.chance(this.#lies.nonsense) ? ('whatever' as ErrorClass) : 'transient'
    let said = this.#said.get(error)
    if (said === undefined) {
      said = this.#random.chance(this.#lies.nonsense) ? this.#random.pick(['fatal', 'transient', 'application']) : error.says
      this.#said.set(error, said)
    }
    if (said === 'transient' && this.#random.chance(this.#lies.throw)) throw new Error('classify threw')
    return said
  }

  outcome = (call: FakeCall): Outcome => {
    this.#heldMs = undefined
    const outcome = this.#choose(call)
    this.#outcomes.set(call, outcome)
    const ms = outcome.do === 'fulfil' ? outcome.afterMs : this.#heldMs
    if (ms !== undefined) this.#dueAt.set(call, this.#clock.now() + ms)
    return outcome
  }

  /** What a call fulfils with. */
  answer(call: FakeCall): unknown {
    const outcome = this.#outcomes.get(call)
    return outcome !== undefined && 'value' in outcome ? outcome.value : undefined
  }

  /** Whether the answer to the call is here, read or not. */
  hasAnswered(call: FakeCall): boolean {
    return (this.#dueAt.get(call) ?? Number.POSITIVE_INFINITY) <= this.#clock.now()
  }

  #choose(call: FakeCall): Outcome {
    switch (call.hook) {
      case 'connect':
        return this.#lie(call) ?? this.#connect()
      case 'check':
        return this.#lie(call) ?? this.#check(call.client as FakeClient)
      case 'close':
        return this.#lie(call) ?? this.#close(call.client as FakeClient)
      case 'reset':
        return this.#reset(call)
      case 'watch':
        return this.#watch(call)
      case 'destroy':
        return this.#destroy()
      case 'secondOpinion':
        return this.#lie(call) ?? this.#secondOpinion(call)
      default:
        return this.#random.chance(this.#lies.throw) ? { do: 'throw', error: new Error(`${call.hook} threw`) } : { do: 'return' }
    }
  }

  #connect(): Outcome {
    const time = this.#time(this.#pace.connectMs)
    switch (this.mode) {
      case 'refusing':
        return this.#rejectLater(new PeerError('connection refused', 'transient'), time)
      case 'denying':
        return this.#rejectLater(new PeerError('password authentication failed', 'fatal'), time)
      case 'silent':
        return this.#hold(this.#random.chance(0.2))
      case 'slow':
        return this.#fulfilLater(time * this.#random.between(2, 60))
      default:
        return { do: 'fulfil', afterMs: time }
    }
  }

  #check(client: FakeClient): Outcome {
    const time = this.#time(this.#pace.checkMs)
    const flow = this.flow(client)
    if (flow === 'silent' || this.mode === 'silent') return this.#hold(this.#random.chance(0.5))
    if (flow === 'broken') return this.#rejectLater(this.#brokenPipe(), time)
    if (this.mode === 'flawed') return this.#rejectLater(new PeerError('permission denied for check', 'application'), time)
    if (flow === 'slow' || this.mode === 'slow') return this.#fulfilLater(time * this.#random.between(5, 100))
    return { do: 'fulfil', afterMs: time }
  }

  /** Not each driver knows that it is the end. */
  #brokenPipe(): PeerError {
    return new PeerError('broken pipe', this.#random.chance(0.2) ? 'fatal' : 'transient')
  }

  #close(client: FakeClient): Outcome {
    const time = this.#time(this.#pace.closeMs)
    const flow = this.flow(client)
    if (flow === 'silent' || this.mode === 'silent') return this.#hold(true)
    if (flow === 'broken') return this.#rejectLater(new PeerError('broken pipe', 'transient'), time)
    return { do: 'fulfil', afterMs: time }
  }

  #reset({ client }: FakeCall): Outcome {
    const lie = this.#lie({ hook: 'reset' })
    if (lie !== undefined) return lie
    if (this.flow(client as FakeClient) === 'fine' && this.mode !== 'silent') {
      return this.#random.chance(0.7) ? { do: 'return' } : { do: 'fulfil', afterMs: this.#time(this.#pace.checkMs) }
    }
    return this.#random.chance(0.5) ? this.#hold(true) : this.#rejectLater(new PeerError('broken pipe', 'transient'), 1)
  }

  #watch({ client }: FakeCall): Outcome {
    const lies = this.#lies
    const random = this.#random
    if (random.chance(lies.nonsense)) this.report('retire', client as FakeClient)
    if (random.chance(lies.nonsense / 2)) {
      this.report('lost', client as FakeClient)
      this.report('lost', client as FakeClient)
    }
    if (random.chance(lies.throw)) return { do: 'throw', error: new Error('watch threw') }
    return { do: 'return' }
  }

  #destroy(): Outcome {
    if (this.#random.chance(this.#lies.throw)) return { do: 'throw', error: new Error('destroy threw') }
    if (this.#random.chance(this.#lies.reject)) return { do: 'reject', error: new Error('destroy rejected') }
    return { do: 'return' }
  }

  /** `gone` only of a client that is dead, and not of each. The peer may not want to tell. */
  #secondOpinion(call: FakeCall): Outcome {
    const random = this.#random
    const time = this.#time(this.#pace.checkMs)
    const other = this.flow(call.other as FakeClient)
    if (other === 'silent' || this.mode === 'silent') return this.#hold(random.chance(0.5))
    if (other === 'broken') return this.#rejectLater(this.#brokenPipe(), time)
    if (random.chance(0.05)) return { do: 'reject', afterMs: time, error: new PeerError('permission denied for statistics', 'application') }
    const about = this.flow(call.client as FakeClient)
    const isDead = about === 'silent' || about === 'broken'
    const value = isDead && random.chance(0.8) ? 'gone' : isDead ? 'unknown' : random.pick(['working', 'unknown'])
    const slow = other === 'slow' || this.mode === 'slow'
    return { do: 'fulfil', afterMs: slow ? time * random.between(5, 100) : time, ignoreAbort: random.chance(0.3), value }
  }

  /** What a call does that is none of the peer's doing; undefined if the driver behaves. */
  #lie({ hook }: Pick<FakeCall, 'hook'>): Outcome | undefined {
    const lies = this.#lies
    const random = this.#random
    if (lies === NO_LIES) return undefined
    const time = this.#time(this.#pace.connectMs)
    if (random.chance(lies.throw)) return { do: 'throw', error: new Error(`${hook} threw`) }
    if (random.chance(lies.hang)) return this.#hold(true)
    if (random.chance(lies.late)) return this.#fulfilLater(time * random.between(5, 100), true)
    if (random.chance(lies.twice)) return { do: 'twice', afterMs: time }
    if (random.chance(lies.reject)) return this.#rejectLater(random.pick([undefined, null, 'a text', new Error(`${hook} rejected`)]), time)
    if (random.chance(lies.nonsense)) {
      if (hook === 'connect') return { do: 'fulfil', afterMs: time, client: random.pick(['none', 'present']) }
      if (hook === 'secondOpinion') return { do: 'fulfil', afterMs: time, value: random.pick(['nonsense', 'gone', undefined]) }
      return { do: 'return', value: 42 }
    }
    return undefined
  }

  #time(pace: number): number {
    return this.#healed || this.#random.chance(0.8) ? pace * this.#random.between(0.5, SLOWEST) : pace
  }

  #hold(ignoreAbort: boolean): Outcome {
    return { do: 'held', ignoreAbort, take: (end) => this.#held.add(end) }
  }

  #fulfilLater(ms: number, ignoreAbort = this.#random.chance(0.3)): Outcome {
    return this.#heldFor(ms, ignoreAbort, (end) => end.fulfil())
  }

  #rejectLater(error: unknown, ms: number): Outcome {
    return this.#heldFor(ms, false, (end) => end.reject(error))
  }

  #heldFor(ms: number, ignoreAbort: boolean, settle: (end: HeldCall) => void): Outcome {
    this.#heldMs = ms
    const take = (end: HeldCall): void => {
      this.#held.add(end)
      this.#clock.arrive(ms, () => {
        this.#held.delete(end)
        settle(end)
      })
    }
    return { do: 'held', ignoreAbort, take }
  }
}
