import { ENDINGS } from './actions.ts'
import type { Chronicle } from './chronicle.ts'
import { listen } from './listeners.ts'
import type { Random } from './random.ts'
import type { SimulatedOptions } from './random-options.ts'
import { checkEnd, recover } from './recovery.ts'
import { type Scene, Stage } from './stage.ts'
import { World } from './world.ts'

const DAYS = 31
/** A run does no more than this much: with checks that fail every second all month long it would otherwise take an hour. */
const MAX_STEPS = 3_000_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NEVER = Number.POSITIVE_INFINITY

/** A month of one pool: traffic on working days, little of it at weekends, an outage now and then, and long nights. */
export async function playMonth(seed: number, chronicle: Chronicle): Promise<void> {
  const world = new World(seed, chronicle, { kind: 'months', adapt: patient })
  const { clock, random } = world
  const stage = new Stage(chronicle, clock, random, { share: 0, ms: [] }, true)
  const scene = stage.add(world)
  listen(world)
  // Some hold on for long, and there are leaks.
  world.holding = () => ({
    ms: random.weighted([
      [100, random.between(0, 20)],
      [10, random.between(0, 2000)],
      [1, random.between(0, HOUR)],
      [0.1, random.between(0, 2 * DAY)],
    ]),
    ending: random.weighted(ENDINGS),
  })
  scene.actions.start()
  for (let day = 0; day < DAYS && chronicle.steps < MAX_STEPS; day++) await playDay(stage, scene, day)
  await recover(world, scene.invariants, scene.actions, stage.pass)
  await checkEnd(world, scene.actions, stage.pass)
}

async function playDay(stage: Stage, scene: Scene, day: number): Promise<void> {
  const { world } = scene
  const { clock, random } = world
  const began = clock.now()
  world.note(`day ${day + 1}`)
  const isWeekend = day % 7 >= 5
  const hours = Array.from({ length: isWeekend ? random.int(0, 1) : random.int(2, 4) }, () => random.between(6, 22)).sort((a, b) => a - b)
  if (random.chance(0.2)) outage(world)
  for (const hour of hours) {
    await stage.pass(Math.max(0, began + hour * HOUR - clock.now()))
    await traffic(stage, scene)
  }
  await stage.pass(Math.max(0, began + DAY - clock.now()))
}

/** Some minutes in which things happen. */
async function traffic(stage: Stage, { actions, world }: Scene): Promise<void> {
  const { random } = world
  const count = random.int(5, 40)
  for (let index = 0; index < count; index++) {
    actions.act()
    await stage.settle()
    await stage.passSome(
      random.weighted([
        [10, random.between(0, 50)],
        [5, random.between(0, 5000)],
        [1, random.between(0, 5 * MINUTE)],
      ]),
    )
  }
  // Nothing is learnt any more from those that are done, and each step looks at all that are kept.
  const left = world.callers.filter(({ state }) => state !== 'done')
  world.callers.splice(0, world.callers.length, ...left)
  world.model.forgetEnded()
}

/** Some time of the day the endpoint is gone for a while, and what was connected with it. */
function outage(world: World): void {
  const { clock, driver, endpoint, model, random } = world
  const mode = random.pick(['refusing', 'silent', 'slow'] as const)
  const isLost = random.chance(0.5)
  clock.arrive(random.between(0, DAY), () => {
    if (endpoint.isHealed) return
    world.note(`the endpoint is ${mode}`)
    world.count(`outage: ${mode}`)
    endpoint.mode = mode
    const present = model.present().filter(({ live }) => live)
    if (isLost && driver.watch !== undefined) for (const { client } of present) world.lose(client)
    else if (mode === 'silent') for (const { client } of present) endpoint.setFlow(client, 'silent')
    clock.arrive(random.pick([MINUTE, 10 * MINUTE, 3 * HOUR]), () => {
      world.note('the endpoint is up')
      endpoint.mode = 'up'
    })
  })
}

/** Intervals and limits as they are in practice: a month of checks every 200 ms would be one of nothing else. */
function patient(options: SimulatedOptions, random: Random): SimulatedOptions {
  return {
    ...options,
    acquireTimeout: random.pick([1000, 30_000]),
    idleTimeout: random.pick([NEVER, MINUTE, 10 * MINUTE, 6 * HOUR]),
    healthCheckInterval: random.pick([NEVER, MINUTE, 5 * MINUTE, 30 * MINUTE]),
    healthRecheckInterval: random.pick([1000, 5000]),
    backoff: { base: 50, max: 30_000, maxWhileWaited: 250 },
    rebuildStrategy: random.pick(['any', 'any', 'all']),
    maxUses: random.pick([NEVER, 20, 200]),
    maxLifetime: random.pick([NEVER, 30 * MINUTE, 4 * HOUR, DAY, 20 * DAY]),
    rebuildMinInterval: 5 * MINUTE,
    rebuildCheckInterval: random.pick([NEVER, 5 * MINUTE, HOUR]),
    leakDetectionThreshold: random.pick([NEVER, MINUTE]),
  }
}
