import { createPool, type ErrorClass, type Pool, type PoolOptions } from '../../src/index.ts'
import { createFakeDriver, type FakeCall, type FakeClient, FakeClock, type FakeDriver } from '../../src/testing/index.ts'
import type { Caller, Ending } from './caller.ts'
import type { Chronicle, Spread } from './chronicle.ts'
import { Endpoint } from './endpoint.ts'
import { accepted } from './hang-up.ts'
import type { Kind } from './kinds.ts'
import { Model } from './model.ts'
import { checkConnect, checkDestroy } from './moment-rules.ts'
import { Random } from './random.ts'
import { asWritten, type Pace, randomOptions, randomPace, type SimulatedOptions } from './random-options.ts'
import type { Trace } from './trace.ts'

/** What a world is like. */
export interface Setting {
  readonly kind: Kind
  /** The name of its pool. Default `simulated`. */
  readonly name?: string
  /** Its driver's. Default `fake`. */
  readonly protocol?: string
  /** Default: a clock of its own. */
  readonly clock?: FakeClock
  /** Changes the options that chance has chosen. */
  readonly adapt?: (options: SimulatedOptions, random: Random) => SimulatedOptions
  /** Makes its pool. Default: `createPool`. */
  readonly createPool?: (driver: FakeDriver, options: PoolOptions) => Pool<FakeClient>
}

/** One pool of a simulated run, its fake surroundings, and what is known about both. */
export class World {
  readonly clock: FakeClock
  readonly chronicle: Chronicle
  readonly trace: Trace
  readonly kind: Kind
  readonly pace: Pace
  readonly endpoint: Endpoint
  readonly driver: FakeDriver
  readonly model: Model
  readonly pool: Pool<FakeClient>
  readonly callers: Caller[] = []
  /** Connections whose rebuild was told to have started, and not yet how it ended. */
  readonly rebuilding = new Set<string>()
  /** Calls of the pool, other than its callers', that have not settled. */
  readonly pending = new Set<string>()
  /** The signals that it was given with them. */
  readonly signals: AbortSignal[] = []
  readonly spread: Spread
  /** Chance for the actions and the callers. */
  readonly random: Random
  readonly hostile: boolean
  /** Changes the options that chance has chosen. */
  readonly adapt: (options: SimulatedOptions, random: Random) => SimulatedOptions
  options: SimulatedOptions
  /** Whether `reconfigure` was ever called: what began under other options may still follow them. */
  reconfigured = false
  /** The shortest `hedgeDelay` that was ever in force before the present one: what was overdue under it stays so. */
  formerHedgeDelay = Number.POSITIVE_INFINITY
  /** The longest `backoff.max` that was ever in force before the present one: a rebuild that failed under it waits for so long. */
  formerBackoffMax = 0
  /** What the pool was told about its life. */
  life: 'new' | 'running' | 'paused' | 'draining' | 'closed' = 'new'
  failWaiting = false
  /** Whether it ever said that it panics. */
  panicked = false
  /** The step in which an urgent rebuild was last asked for. */
  urgentStep = -1
  /** Connections that a batch may have marked: it takes its marks off again when it is given up. */
  readonly mayUnmark = new Set<string>()
  resumedAt = 0
  /** When the process last slept, or the machine. */
  wokenAt = Number.NEGATIVE_INFINITY
  /** Since when there have been more than minConnections; Infinity while there are not. */
  aboveMinimumSince = Number.POSITIVE_INFINITY
  /** How long a borrower keeps what it gets, and how it gives it back; otherwise an action ends that. */
  holding: (() => { readonly ms: number; readonly ending: Ending }) | undefined
  /** Counts the steps. */
  step = 0
  /** For what is found in the middle of a step, where an error would go to the pool instead of the simulation. */
  readonly problem: (text: string) => void

  constructor(seed: number, chronicle: Chronicle, setting: Setting) {
    const { kind, name = 'simulated', adapt = (options) => options } = setting
    this.kind = kind
    this.adapt = adapt
    this.chronicle = chronicle
    this.trace = chronicle.trace
    this.spread = chronicle.spread
    this.problem = chronicle.problem
    const random = new Random(seed)
    this.random = random.fork()
    const endpointRandom = random.fork()
    const poolRandom = random.fork()
    const listenerRandom = random.fork()
    this.hostile = random.chance(0.5)
    this.pace = randomPace(random)
    this.options = adapt(randomOptions(random, this.pace), random)
    const startAt = random.pick([1, 1000.25, 1e6])
    const wholeMilliseconds = random.chance(0.3)
    this.clock = setting.clock ?? new FakeClock({ startAt, wholeMilliseconds })
    this.endpoint = new Endpoint(this.clock, endpointRandom, this.pace, this.hostile)
    const maxLeasesPerConnection = random.chance(0.85) ? 1 : random.pick([2, 4, Number.POSITIVE_INFINITY])
    const hooks = (['reset', 'watch', 'secondOpinion', 'ref'] as const).filter((hook) => random.chance(hook === 'watch' ? 0.8 : 0.5))
    this.driver = createFakeDriver({
      clock: this.clock,
      ...(setting.protocol !== undefined && { protocol: setting.protocol }),
      hooks,
      ...(random.chance(0.8) && { classify: (error: unknown): ErrorClass => this.endpoint.classify(error) }),
      ...(random.chance(0.3) && { secrets: () => (random.chance(0.5) ? ['refused'] : ([undefined] as unknown as string[])) }),
      ...(maxLeasesPerConnection !== 1 && { maxLeasesPerConnection }),
      onCall: (call) => this.#called(call),
      onSettled: (call, how, error) => this.#settled(call, how, error),
    })
    this.model = new Model(
      this.clock,
      this.driver.ledger,
      () => this.options,
      () => this.step,
      hooks.includes('watch'),
      {
        answer: (call) => this.endpoint.answer(call),
        meaning: (error) => this.meaning(error),
      },
    )
    this.endpoint.report = (what, client) => (what === 'lost' ? this.lose(client) : this.retire(client))
    for (const hook of ['connect', 'check', 'close', 'destroy', 'reset', 'watch', 'secondOpinion', 'ref', 'unref'] as const) {
      this.driver.always(hook, (call) => this.endpoint.outcome(call))
    }
    const throwing = listenerRandom.chance(0.3)
    const create = setting.createPool ?? createPool
    this.pool = create(this.driver, {
      ...asWritten(this.options, random),
      name,
      clock: this.clock,
      random: () => poolRandom.next(),
      ...(random.chance(0.3) && { metrics: throwing ? throwingObject : {} }),
      ...(random.chance(0.3) && { logger: throwing ? throwingObject : silentLogger }),
    })
  }

  get maxLeases(): number {
    return this.driver.maxLeasesPerConnection ?? 1
  }

  /** Whether it was told to drain or to close: then no mark leads anywhere, and everything goes. */
  get isEnding(): boolean {
    return this.life === 'draining' || this.life === 'closed'
  }

  note(text: string): void {
    this.trace.note(this.clock.now(), text)
  }

  count(what: string): void {
    this.chronicle.count(what)
  }

  /** Throws what has been found, if anything. */
  raise(): void {
    this.chronicle.raise(this.driver.ledger.problems())
  }

  /** Keeps an eye on a promise of the pool's until it settles. */
  watch<T>(what: string, call: () => Promise<T>, check: (outcome: { readonly value: T } | { readonly error: unknown }) => void): void {
    const name = `${what} #${this.step}.${this.pending.size}`
    this.pending.add(name)
    const ended = (outcome: { readonly value: T } | { readonly error: unknown }): void => {
      this.pending.delete(name)
      const how = 'error' in outcome ? `rejected: ${String(outcome.error)}` : 'fulfilled'
      this.note(`${what} ${how.replaceAll(/\b[\w-]+-\d+\b/g, (id) => this.trace.name(id))}`)
      check(outcome)
    }
    let promise: Promise<T>
    try {
      promise = call()
    } catch (error) {
      this.problem(`${what} threw instead of rejecting: ${String(error)}`)
      return
    }
    promise.then(
      (value) => ended({ value }),
      (error: unknown) => ended({ error }),
    )
  }

  /** The driver reports the client as lost. */
  lose(client: FakeClient): void {
    this.note(`lost client ${client.id}`)
    this.model.losing(client)
    this.driver.lose(client, new Error('socket closed'))
  }

  retire(client: FakeClient): void {
    this.note(`retire client ${client.id}`)
    this.model.retiring(client)
    this.driver.retire(client, 'going away')
  }

  #called(call: FakeCall): void {
    this.note(`${call.hook} ${call.client?.id ?? this.trace.name(call.context?.connectionId ?? '')}`)
    call.signal?.addEventListener('abort', () => this.#givenUp(call), { once: true })
    if (call.hook === 'connect') checkConnect(this, call)
    if (call.hook === 'destroy') checkDestroy(this, this.model.of(call.client as FakeClient))
    this.model.called(call)
  }

  /** What the pool must take an error for. */
  meaning(error: unknown): ErrorClass {
    try {
      const said = this.driver.classify?.(error)
      return said === 'fatal' || said === 'application' ? said : 'transient'
    } catch {
      return 'transient'
    }
  }

  #givenUp(call: FakeCall): void {
    this.note(`${call.hook} is given up`)
    if (call.hook !== 'check' || call.client === undefined || !this.endpoint.hasAnswered(call)) return
    const client = this.model.of(call.client)
    if (client.checks.has(call)) this.model.answered.push(client)
  }

  #settled(call: FakeCall, how: 'fulfilled' | 'rejected', error: unknown): void {
    if (call.hook !== 'watch' && call.hook !== 'destroy') {
      this.note(`${call.hook} ${call.client?.id ?? this.trace.name(call.context?.connectionId ?? '')} ${how}`)
    }
    this.model.settled(call, how, error)
    if (call.hook === 'watch' && how === 'fulfilled') accepted(this, call.client as FakeClient)
  }
}

/** A logger or collector all of whose methods throw. */
const throwingObject = new Proxy(
  {},
  {
    get: () => () => {
      throw new Error('a collaborator threw')
    },
  },
) as never

const silentLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
