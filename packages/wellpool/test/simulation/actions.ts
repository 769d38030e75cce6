import { ConfigError, ConnectError, PoolClosedError } from '../../src/index.ts'
import { Caller, type CallerOptions, type Ending } from './caller.ts'
import type { Flow, Mode } from './endpoint.ts'
import { hangUp } from './hang-up.ts'
import { asWritten, randomOptions, type SimulatedOptions } from './random-options.ts'
import { rebuildMany, rebuildOne } from './rebuild-calls.ts'
import { storm } from './storm.ts'
import type { World } from './world.ts'

/** How uses end, and how often. */
export const ENDINGS: readonly (readonly [number, Ending])[] = [
  [60, 'succeed'],
  [10, 'dispose'],
  [12, 'fail application'],
  [10, 'fail transient'],
  [4, 'fail fatal'],
]

/** What users, operators, the network and the endpoint do to a pool, by chance. */
export class Actions {
  readonly #world: World
  readonly #controllers = new Map<Caller, AbortController>()
  /** Of a crowd: all of it borrows under this one. */
  #crowd = new AbortController()
  readonly #choices: readonly (readonly [number, () => void])[]

  constructor(world: World) {
    this.#world = world
    const { random } = world
    // Each run has its own habits: what it does rarely, another one does often.
    const mood = (usual: number): number => usual * random.pick([0.3, 1, 1, 3])
    this.#choices = [
      [mood(20), () => this.borrow('acquire')],
      [mood(16), () => this.borrow('use')],
      [mood(4), () => this.borrow('tryAcquire')],
      [mood(3), () => this.#burst()],
      [mood(30), () => this.#endOne()],
      [mood(4), () => this.#abortOne()],
      [mood(4), () => this.#changeMode()],
      [mood(4), () => this.#spoil(1)],
      [mood(1), () => this.#spoil(100)],
      [mood(4), () => this.#lose(1)],
      [mood(0.7), () => this.#lose(100)],
      [mood(2), () => this.#retire()],
      [mood(4), () => rebuildOne(this.#world)],
      [mood(2), () => rebuildMany([this.#world], (options) => this.#world.pool.rebuildConnections(options))],
      [mood(0.7), () => this.#pause()],
      [mood(2), () => this.#resume()],
      [mood(1), () => this.#evict()],
      [mood(1), () => this.#reconfigure()],
      [mood(1), () => this.start()],
      // A month of a closed pool would be a dull one.
      ...(world.kind === 'months'
        ? []
        : ([
            [0.1, () => this.drain()],
            [0.1, () => this.close()],
          ] as const)),
      ...(world.kind === 'crowds' ? ([[mood(6), () => this.#discardOne()]] as const) : []),
      ...(world.kind === 'hangups' ? ([[mood(6), () => hangUp(world)]] as const) : []),
      ...(world.kind === 'storms' ? ([[mood(6), () => storm(world)]] as const) : []),
    ]
  }

  /** Does one thing. */
  act(): void {
    this.#world.random.weighted(this.#choices)()
  }

  borrow(kind: Caller['kind'], fixed?: CallerOptions): Caller {
    const world = this.#world
    const { random } = world
    let options = fixed
    let controller: AbortController | undefined
    if (options === undefined) {
      if (random.chance(0.4)) controller = world.kind === 'crowds' && random.chance(0.8) ? this.#crowd : new AbortController()
      options = {
        ...(controller !== undefined && { signal: controller.signal }),
        ...(random.chance(0.3) && { timeout: random.pick([0, 1, 10, 100, 1000, 20_000, Number.POSITIVE_INFINITY]) }),
        ...(kind === 'use' && random.chance(0.5) && { idempotent: random.chance(0.8) }),
      }
    }
    const caller = new Caller(world, world.callers.length + 1, kind, options)
    if (controller !== undefined) this.#controllers.set(caller, controller)
    if (world.life === 'new' && kind !== 'tryAcquire') world.life = 'running'
    world.callers.push(caller)
    caller.call()
    return caller
  }

  /** All borrowers give back what they hold, and who still waits gives up or is done for by its time-out. */
  endAll(): void {
    for (const caller of this.#world.callers) {
      if (caller.isWaiting) this.#abort(caller)
      else caller.end('succeed')
    }
  }

  start(): void {
    const world = this.#world
    if (world.life === 'new') world.life = 'running'
    world.watch(
      'start',
      () => world.pool.start(world.random.chance(0.5) ? { timeout: 500 } : {}),
      (outcome) => {
        if ('error' in outcome && !(outcome.error instanceof ConnectError || outcome.error instanceof PoolClosedError)) {
          world.problem(`start rejects with ${String(outcome.error)}`)
        }
      },
    )
  }

  resume(): void {
    const world = this.#world
    world.note('resume')
    world.resumedAt = world.clock.now()
    if (world.life === 'paused') world.life = 'running'
    world.pool.resume()
  }

  close(timeout = this.#world.random.pick([undefined, 0, 10, 1000])): void {
    const world = this.#world
    world.life = 'closed'
    world.watch('close', () => world.pool.close(timeout === undefined ? {} : { timeout }), this.#mustFulfil('close'))
  }

  #burst(): void {
    const count = this.#world.random.int(2, this.#world.options.maxConnections + 3)
    for (let index = 0; index < count; index++) this.borrow('acquire')
  }

  #endOne(): void {
    const { callers, random } = this.#world
    const holding = callers.filter(({ client }) => client !== undefined)
    if (holding.length > 0) random.pick(holding).end(random.weighted(ENDINGS), random.chance(0.2))
  }

  #discardOne(): void {
    const holding = this.#world.callers.filter(({ client, kind }) => client !== undefined && kind !== 'use')
    if (holding.length > 0) this.#world.random.pick(holding).end('discard', this.#world.random.chance(0.2))
  }

  #abortOne(): void {
    const candidates = this.#world.callers.filter((caller) => caller.state !== 'done' && this.#controllers.has(caller))
    if (candidates.length > 0) this.#abort(this.#world.random.pick(candidates))
  }

  #abort(caller: Caller): void {
    const controller = this.#controllers.get(caller)
    if (controller === undefined || controller.signal.aborted) return
    for (const [each, its] of this.#controllers) {
      if (its !== controller) continue
      if (each.state !== 'done') this.#world.note(`${each.name} is aborted`)
      if (each.isWaiting) each.abortedStep = this.#world.step
    }
    if (controller === this.#crowd) {
      this.#world.count('a crowd aborted')
      this.#crowd = new AbortController()
    }
    controller.abort(new Error('the caller has changed its mind'))
  }

  #changeMode(): void {
    const { endpoint, random } = this.#world
    endpoint.mode = random.weighted<Mode>([
      [8, 'up'],
      [3, 'refusing'],
      [2, 'silent'],
      [1, 'denying'],
      [2, 'slow'],
      [2, 'flawed'],
    ])
    this.#world.note(`the endpoint is ${endpoint.mode}`)
    // An outage often takes what is connected with it.
    if (endpoint.mode === 'refusing' && random.chance(0.5)) this.#lose(100)
    if (endpoint.mode === 'silent' && random.chance(0.5)) this.#spoil(100)
  }

  #spoil(count: number): void {
    const { endpoint, model, random } = this.#world
    const flow = random.pick<Flow>(['silent', 'broken', 'slow', 'fine'])
    const candidates = model.present().filter(({ live }) => live)
    for (const { client } of candidates.slice(0, count)) {
      const target = count === 1 ? random.pick(candidates).client : client
      this.#world.note(`client ${target.id} is ${flow}`)
      endpoint.setFlow(target, flow)
    }
  }

  #lose(count: number): void {
    const world = this.#world
    // It may be reported late, too: after its end.
    const known = world.random.chance(0.1) ? world.model.known() : world.model.present()
    if (known.length === 0 || world.driver.watch === undefined) return
    if (count === 1) world.lose(world.random.pick(known).client)
    else for (const { client } of known.slice(0, count)) world.lose(client)
  }

  #retire(): void {
    const { driver, model, random } = this.#world
    const known = model.present()
    if (known.length > 0 && driver.watch !== undefined) this.#world.retire(random.pick(known).client)
  }

  #pause(): void {
    const world = this.#world
    const failWaiting = world.random.chance(0.5)
    world.note(`pause${failWaiting ? ' and fail who waits' : ''}`)
    if (world.life === 'new' || world.life === 'running') world.life = 'paused'
    if (world.life === 'paused') world.failWaiting = failWaiting
    world.pool.pause({ failWaiting })
  }

  #resume(): void {
    if (this.#world.life === 'paused') this.resume()
  }

  #evict(): void {
    const world = this.#world
    const interruptInUse = world.random.chance(0.4)
    world.note(`evict${interruptInUse ? ' and interrupt' : ''}`)
    for (const model of world.model.present()) model.evicted = true
    for (const call of world.model.connecting) world.model.stale.add(call)
    world.watch('evict', () => world.pool.evict(world.random.chance(0.2) ? {} : { interruptInUse }), this.#mustFulfil('evict'))
  }

  #reconfigure(): void {
    const world = this.#world
    const { random } = world
    const fresh = world.adapt(randomOptions(random, world.pace), random)
    const keys = (Object.keys(fresh) as (keyof SimulatedOptions)[]).filter(() => random.chance(0.1))
    const change = Object.fromEntries(keys.map((key) => [key, fresh[key]])) as Partial<SimulatedOptions>
    world.note(`reconfigure ${JSON.stringify(change)}`)
    try {
      world.pool.reconfigure(asWritten(change, random))
      world.formerHedgeDelay = Math.min(world.formerHedgeDelay, world.options.hedgeDelay)
      world.formerBackoffMax = Math.max(world.formerBackoffMax, world.options.backoff.max)
      world.options = { ...world.options, ...change }
      world.reconfigured = true
    } catch (error) {
      if (!(error instanceof ConfigError)) world.problem(`reconfigure throws ${String(error)}`)
      world.count('reconfigure refused')
    }
  }

  drain(): void {
    const world = this.#world
    if (world.life !== 'closed') world.life = world.life === 'new' ? 'closed' : 'draining'
    const timeout = world.random.pick([undefined, 0, 100, 5000])
    world.watch(
      'drain',
      () => world.pool.drain(timeout === undefined ? {} : { timeout }),
      (outcome) => {
        world.life = 'closed'
        this.#mustFulfil('drain')(outcome)
      },
    )
  }

  #mustFulfil(what: string): (outcome: { readonly value: unknown } | { readonly error: unknown }) => void {
    return (outcome) => {
      if ('error' in outcome) this.#world.problem(`${what} rejects with ${String(outcome.error)}`)
    }
  }
}
