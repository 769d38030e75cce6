import { Actions } from './actions.ts'
import { Invariants } from './invariants.ts'
import { checkEnd, recover } from './recovery.ts'
import { InvariantViolation, type Spread, World } from './world.ts'

/** How one run went. */
export interface RunResult {
  readonly seed: number
  /** What did not hold; undefined if all did. */
  readonly problem: string | undefined
  /** Callbacks of the clock and actions, each followed by a check of the invariants. */
  readonly steps: number
  /** Two runs with the same hash went alike. */
  readonly hash: string
  /** What happened, line by line; empty unless asked for. */
  readonly trace: readonly string[]
  readonly coverage: ReadonlyMap<string, number>
  readonly spread: Spread
}

/** A run does no more than this much: a pool with a short interval would otherwise fill an hour with checks. */
const MAX_STEPS = 1500
const MAX_STEPS_PER_WAIT = 80

/** Plays one run: the same seed always gives the same one. Never rejects for what the pool does. */
export async function simulate(seed: number, keepTrace = false): Promise<RunResult> {
  const world = new World(seed, keepTrace)
  const invariants = new Invariants(world)
  // What is thrown in a microtask of the pool's, or rejected and heard by nobody, would end a real process.
  const unhandled = (reason: unknown): void => world.problem(`nobody handles: ${reason instanceof Error ? reason.stack : String(reason)}`)
  const warned = (warning: Error): void => {
    if (warning.name === 'MaxListenersExceededWarning') world.problem(warning.message)
  }
  process.on('unhandledRejection', unhandled).on('uncaughtException', unhandled).on('warning', warned)
  // Thousands of errors are made on the way; where each came from is only of interest to who reads the trace.
  const { stackTraceLimit } = Error
  if (!keepTrace) Error.stackTraceLimit = 2
  let problem: string | undefined
  try {
    await play(world, invariants)
  } catch (error) {
    problem =
      error instanceof InvariantViolation ? error.message : `the run broke off: ${error instanceof Error ? error.stack : String(error)}`
  } finally {
    await new Promise((resolve) => setImmediate(resolve))
    Error.stackTraceLimit = stackTraceLimit
    process.off('unhandledRejection', unhandled).off('uncaughtException', unhandled).off('warning', warned)
  }
  if (problem !== undefined) world.note(problem)
  const { coverage, spread, step, trace } = world
  return { seed, problem, steps: step, hash: trace.hash(), trace: trace.lines, coverage, spread }
}

async function play(world: World, invariants: Invariants): Promise<void> {
  const { clock, random } = world
  const actions = new Actions(world)
  listen(world)
  clock.onStep = () => {
    invariants.afterStep()
    world.step++
  }
  if (random.chance(0.5)) actions.start()

  const count = random.int(20, 90)
  for (let index = 0; index < count && world.step < MAX_STEPS; index++) {
    actions.act()
    await settle(world, invariants)
    if (random.chance(0.6)) await pass(world, invariants, randomTime(world))
  }

  await recover(world, invariants, actions, (ms) => pass(world, invariants, ms, Number.POSITIVE_INFINITY))
  await checkEnd(world, actions, (ms) => pass(world, invariants, ms, Number.POSITIVE_INFINITY))
}

/** What an action set off, without time passing: a step of its own. */
async function settle(world: World, invariants: Invariants): Promise<void> {
  await world.clock.settle()
  invariants.afterStep()
  world.step++
}

/** Lets time pass, a little less than asked for if too much would happen in it. */
async function pass(world: World, invariants: Invariants, ms: number, maxSteps = MAX_STEPS_PER_WAIT): Promise<void> {
  const { clock, options, random } = world
  const before = world.step
  if (maxSteps !== Number.POSITIVE_INFINITY && random.chance(0.03)) {
    await interrupt(world)
  } else {
    const slice = Math.max(1, Math.min(options.healthCheckInterval / 4, options.rebuildCheckInterval, 1000))
    for (let left = ms; left > 0 && world.step - before < maxSteps; left -= slice) await clock.advance(Math.min(left, slice))
  }
  await settle(world, invariants)
  invariants.afterInstant()
}

/** The process is stopped, or the machine suspended. */
async function interrupt(world: World): Promise<void> {
  const { clock, model, random } = world
  const ms = random.pick([50, 999, 2500, 60_000])
  const suspended = random.chance(0.4)
  world.note(`${suspended ? 'suspended' : 'asleep'} for ${ms} ms`)
  world.count(suspended ? 'suspended' : 'asleep')
  if (!suspended) {
    await clock.sleep(ms)
    model.maybeSuspect()
    // The pool's tick of one second is then at least one second late.
    if (ms >= 2000 && world.life !== 'new') model.suspect()
    return
  }
  const before = clock.now()
  await clock.suspend(ms)
  // Found out by the next tick, of one second; who has proven itself in between has done so after it.
  await clock.advance(1001)
  model.maybeSuspect()
  if (ms >= 1000 && world.life !== 'new') model.suspect(before)
}

function randomTime(world: World): number {
  const { random } = world
  const { options } = world
  const range = random.weighted<readonly [number, number]>([
    [20, [0, 2]],
    [30, [1, 30]],
    [20, [20, 400]],
    [12, [300, 3000]],
    [5, [3000, 40_000]],
    [2, [60_000, 3_600_000]],
  ])
  if (random.chance(0.1)) {
    const ms = random.pick([
      options.acquireTimeout,
      options.connectTimeout,
      options.closeTimeout,
      options.idleTimeout,
      options.maxLifetime,
      options.hedgeDelay,
    ])
    // Exactly when something is due, or right before or after.
    if (ms < 700_000) return Math.max(0, ms + random.pick([-1, 0, 0, 1]))
  }
  return random.between(...range)
}

/** Listeners, well-behaved and not, and what can be learnt from the events. */
function listen(world: World): void {
  const { pool, random, trace } = world
  if (random.chance(0.2)) return
  const throwing = random.chance(0.3)
  const names = [
    'connectionCreated',
    'connectionClosed',
    'connectFailed',
    'healthCheckFailed',
    'healthStatusChanged',
    'healthCheckTriggeredRebuild',
    'rebuildMarked',
    'rebuildStarted',
    'rebuildCompleted',
    'rebuildFailed',
    'breakerOpened',
    'breakerHalfOpened',
    'breakerClosed',
    'leakSuspected',
    'poolWarmedUp',
    'poolPaused',
    'poolResumed',
    'poolDrained',
    'poolClosed',
    'connectionAcquired',
    'connectionReleased',
  ] as const
  for (const name of names) {
    pool.on(name, (event) => {
      const id = 'connectionId' in event ? ` ${trace.name(event.connectionId)}` : ''
      world.note(`event ${name}${id}`)
      world.count(`event ${name}`)
      if (event.pool !== 'simulated' || event.protocol !== 'fake' || Math.abs(event.timestamp - world.clock.wallNow()) > 1) {
        world.problem(`event ${name} carries ${JSON.stringify(event)}`)
      }
      if (throwing) throw new Error('a listener threw')
    })
  }
  pool.on('rebuildStarted', ({ connectionId }) => {
    if (world.rebuilding.has(connectionId))
      world.problem(`a second rebuild of ${trace.name(connectionId)} starts before the first has ended`)
    world.rebuilding.add(connectionId)
  })
  for (const end of ['rebuildCompleted', 'rebuildFailed'] as const) {
    pool.on(end, ({ connectionId }) => {
      if (!world.rebuilding.delete(connectionId)) world.problem(`${end} of ${trace.name(connectionId)} without a start`)
    })
  }
  pool.on('connectionClosed', ({ reason }) => world.count(`closed: ${reason}`))
  pool.on('rebuildMarked', ({ connectionId, reason }) => {
    world.count(`marked: ${reason.kind}`)
    const { maxLifetime, maxLifetimeJitter } = world.options
    const client = world.model.byConnection.get(connectionId)?.findLast(({ role }) => role === 'current')
    if (reason.kind !== 'max_lifetime' || client === undefined || world.reconfigured) return
    const share = (world.clock.now() - client.client.life.connectedAt) / maxLifetime
    if (share < 1 - maxLifetimeJitter - 0.01) world.problem(`a connection came of age after ${share} of maxLifetime`)
    if (maxLifetimeJitter > 0 && maxLifetime > 1000) world.spread.lifetimes.push((share - 1 + maxLifetimeJitter) / maxLifetimeJitter)
  })
}
