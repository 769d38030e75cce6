import { ConfigError, ConnectError, createPools, PoolClosedError, type Pools } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/index.ts'
import type { Chronicle } from './chronicle.ts'
import { listen } from './listeners.ts'
import { Random } from './random.ts'
import { randomTime } from './random-time.ts'
import { rebuildMany, rebuildOne } from './rebuild-calls.ts'
import { checkEnd, recover } from './recovery.ts'
import { type Scene, Stage, USUAL_INTERRUPTIONS } from './stage.ts'
import { World } from './world.ts'

const NAMES = ['orders', 'billing', 'router-17', 'cache'] as const
const MAX_STEPS = 1500

/** A set of pools, each with an endpoint of its own, that grows and shrinks while all of them are used. */
export async function playPools(seed: number, chronicle: Chronicle): Promise<void> {
  const random = new Random(seed)
  const clock = new FakeClock({ startAt: random.pick([1, 1000.25, 1e6]), wholeMilliseconds: random.chance(0.3) })
  const stage = new Stage(chronicle, clock, random, USUAL_INTERRUPTIONS)
  const set = new PoolsOnStage(stage, clock, random, chronicle)
  const count = random.int(20, 80)
  for (let index = 0; index < count && chronicle.steps < MAX_STEPS; index++) {
    const { world } = set.act()
    await stage.settle()
    if (random.chance(0.6)) await stage.passSome(randomTime(random, world.options))
    set.check()
  }
  for (const { actions, invariants, world } of stage.scenes) await recover(world, invariants, actions, stage.pass)
  set.close()
  for (const { actions, world } of stage.scenes) await checkEnd(world, actions, stage.pass)
  set.checkEnd()
}

/** The set, and what is done to it and to its pools. */
class PoolsOnStage {
  readonly #stage: Stage
  readonly #clock: FakeClock
  readonly #random: Random
  readonly #chronicle: Chronicle
  readonly #members = new Map<string, Scene>()
  readonly #set: Pools
  #isStarted = false
  #isClosed = false
  /** Events that the set has told of. */
  readonly #heard = { connectionCreated: 0, connectionClosed: 0 }
  readonly #choices: readonly (readonly [number, () => void])[] = [
    [6, () => this.#add()],
    [3, () => this.#remove()],
    [2, () => this.#start()],
    [4, () => this.#rebuildOne()],
    [3, () => this.#rebuildMany()],
    [0.1, () => this.#drain()],
    [0.1, () => this.close()],
  ]

  constructor(stage: Stage, clock: FakeClock, random: Random, chronicle: Chronicle) {
    this.#stage = stage
    this.#clock = clock
    this.#random = random
    this.#chronicle = chronicle
    let set: Pools | undefined
    const [first] = NAMES
    const world = this.#newWorld(first, (driver, options) => {
      set = createPools({ [first]: { driver, ...options } }, { clock })
      return set.get(first) as World['pool']
    })
    this.#set = set as Pools
    for (const name of ['connectionCreated', 'connectionClosed'] as const) {
      this.#set.on(name, () => {
        this.#heard[name]++
      })
    }
    this.#take(first, world)
  }

  /** Does one thing to the set or, mostly, to one of its pools. */
  act(): Scene {
    const scene = this.#pick()
    if (this.#random.chance(0.8)) scene.actions.act()
    else this.#random.weighted(this.#choices)()
    return scene
  }

  /** What the set shows of itself. */
  check(): void {
    const { problem } = this.#chronicle
    const names = [...this.#members.keys()]
    if (this.#set.names().join() !== names.join()) problem(`the set has ${this.#set.names().join()} instead of ${names.join()}`)
    for (const [name, { world }] of this.#members) {
      if (this.#set.get(name) !== world.pool || Reflect.get(this.#set, name) !== world.pool) problem(`the set has another pool ${name}`)
    }
    const stats = this.#set.stats()
    if (Object.keys(stats).join() !== names.join()) problem(`the set has figures of ${Object.keys(stats).join()}`)
  }

  close(): void {
    this.#isClosed = true
    for (const { world } of this.#members.values()) world.life = 'closed'
    this.#watch(
      'close of the set',
      () => this.#set.close({ timeout: this.#random.pick([0, 10, 1000]) }),
      () => false,
    )
  }

  /** When all is closed. */
  checkEnd(): void {
    const { created, closed } = this.#stage.scenes
      .map(({ world }) => world.pool.stats())
      .reduce(
        (sum, stats) => ({
          created: sum.created + stats.created,
          closed: sum.closed + Object.values(stats.closed).reduce((all, count) => all + count),
        }),
        { created: 0, closed: 0 },
      )
    const { connectionCreated, connectionClosed } = this.#heard
    if (connectionCreated !== created || connectionClosed !== closed || created !== closed) {
      this.#chronicle.problem(
        `the set has told of ${connectionCreated} connections created and ${connectionClosed} closed, its pools count ${created} and ${closed}`,
      )
    }
    this.#pick().world.raise()
  }

  /** One of its pools; when there is none left, one that it had. */
  #pick(): Scene {
    const members = [...this.#members.values()]
    return this.#random.pick(members.length > 0 ? members : this.#stage.scenes)
  }

  #newWorld(name: string, createPool: NonNullable<ConstructorParameters<typeof World>[2]['createPool']>): World {
    const seed = Math.floor(this.#random.next() * 2 ** 32)
    const protocol = this.#random.pick(['fake', 'other'])
    return new World(seed, this.#chronicle, { kind: 'pools', name, clock: this.#clock, protocol, createPool })
  }

  #take(name: string, world: World): void {
    const scene = this.#stage.add(world)
    this.#members.set(name, scene)
    listen(world)
    if (this.#isStarted) world.life = 'running'
  }

  #add(): void {
    const name = this.#random.pick(NAMES)
    const { problem } = this.#chronicle
    let world: World
    try {
      world = this.#newWorld(name, (driver, { name: _, ...options }) => this.#set.add(name, driver, options))
    } catch (error) {
      const fits = this.#isClosed ? error instanceof PoolClosedError : this.#members.has(name) && error instanceof ConfigError
      if (!fits) problem(`adding ${name} is refused with ${String(error)}`)
      return
    }
    if (this.#isClosed || this.#members.has(name)) problem(`${name} is added although it may not be`)
    this.#chronicle.count('pool added')
    this.#take(name, world)
  }

  #remove(): void {
    const name = this.#random.pick(NAMES)
    const world = this.#members.get(name)?.world
    this.#members.delete(name)
    if (world !== undefined) {
      this.#chronicle.count('pool removed')
      if (world.life !== 'closed') world.life = world.life === 'new' ? 'closed' : 'draining'
    }
    const timeout = this.#random.pick([undefined, 0, 100, 5000])
    this.#watch(
      `removal of ${name}`,
      () => this.#set.remove(name, timeout === undefined ? {} : { timeout }),
      (error) => world === undefined && error instanceof ConfigError,
      () => {
        if (world !== undefined) world.life = 'closed'
      },
    )
  }

  #start(): void {
    this.#isStarted = true
    for (const { world } of this.#members.values()) if (world.life === 'new') world.life = 'running'
    this.#watch(
      'start of the set',
      () => this.#set.start(this.#random.chance(0.5) ? { timeout: 500 } : {}),
      (error) => error instanceof ConnectError || error instanceof PoolClosedError,
    )
  }

  #drain(): void {
    this.#isClosed = true
    const worlds = [...this.#members.values()].map(({ world }) => world)
    for (const world of worlds) if (world.life !== 'closed') world.life = world.life === 'new' ? 'closed' : 'draining'
    this.#watch(
      'drain of the set',
      () => this.#set.drain({ timeout: this.#random.pick([0, 100, 5000]) }),
      () => false,
      () => {
        for (const world of worlds) world.life = 'closed'
      },
    )
  }

  #rebuildOne(): void {
    const members = [...this.#members.values()]
    if (members.length > 0) rebuildOne(this.#random.pick(members).world, this.#set)
  }

  #rebuildMany(): void {
    const protocol = this.#random.pick([undefined, 'fake', 'other'])
    const worlds = [...this.#members.values()]
      .map(({ world }) => world)
      .filter(({ pool }) => protocol === undefined || pool.protocol === protocol)
    rebuildMany(worlds, (options) =>
      protocol === undefined ? this.#set.rebuildConnections(options) : this.#set.rebuildConnectionsByProtocol(protocol, options),
    )
  }

  /** Keeps an eye on a call of the set's. */
  #watch(what: string, call: () => Promise<unknown>, mayReject: (error: unknown) => boolean, ended: () => void = () => {}): void {
    const [host] = this.#stage.scenes
    host?.world.watch(what, call, (outcome) => {
      ended()
      if ('error' in outcome && !mayReject(outcome.error)) this.#chronicle.problem(`${what} rejects with ${String(outcome.error)}`)
    })
  }
}
