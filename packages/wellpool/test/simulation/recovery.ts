import { getEventListeners } from 'node:events'
import type { Actions } from './actions.ts'
import type { Caller } from './caller.ts'
import type { Invariants } from './invariants.ts'
import { SLOWEST } from './random-options.ts'
import type { World } from './world.ts'

type Pass = (ms: number) => Promise<void>

/** How many times longer than usual a slow endpoint takes at most. */
const SLOWEST_ANSWER = 100

/**
 * 7: once the endpoint is back, so is the pool. Ends all borrowing and any pause, brings the endpoint back, and
 * looks whether the pool has its connections again in time, by itself; then whether it serves.
 */
export async function recover(world: World, invariants: Invariants, actions: Actions, pass: Pass): Promise<void> {
  world.holding = () => ({ ms: 0, ending: 'succeed' })
  actions.endAll()
  if (world.life === 'paused') actions.resume()
  await pass(0)
  world.endpoint.heal()
  world.note('the endpoint is back')
  // A truthful driver reports what broke meanwhile. One that cannot watch leaves that to the checks.
  const broken = world.model.present().filter(({ client }) => world.endpoint.flow(client) !== 'fine')
  if (world.driver.watch === undefined) for (const { client } of broken) world.endpoint.setFlow(client, 'fine')
  else for (const { client } of broken) world.lose(client)
  await pass(0)
  if (world.life !== 'running') return

  const { options, pace } = world
  const oneConnect = pace.connectMs * SLOWEST + 1
  const oneCheck = pace.checkMs * SLOWEST + 1
  const oneClose = pace.closeMs * SLOWEST + 1
  await pass(timeToRecover(world, invariants, oneConnect, oneCheck + oneClose))
  const serving = inService(world, invariants)
  if (serving < options.minConnections) world.problem(`the endpoint is back, and ${serving} of ${options.minConnections} connections are`)
  world.count('recovered')

  // 5, no mark left behind: what is marked now is rebuilt or gone, one after the other, after one more backoff each.
  const marked = [...invariants.shown().values()].filter(({ record }) => record.mark !== undefined)
  if (marked.length > 0) {
    // Who began to ask others over a connection while the endpoint was slow may still be at it: over a new one, which is in the
    // way, or over one that is marked itself.
    const isAsking = [...invariants.shown().values()].some(
      ({ record: { state, mark } }) => state === 'connecting' || (state === 'checking' && mark !== undefined),
    )
    if (isAsking) await pass(Math.min(options.healthCheckTimeout, SLOWEST_ANSWER * oneCheck))
    const backoffMax = Math.max(options.backoff.max, world.formerBackoffMax)
    await pass(2 * backoffMax + marked.length * (2 * oneConnect + 2 * oneCheck + oneClose + options.rebuildBatchDelay + 5))
    for (const { record } of marked) {
      const now = invariants.shown().get(record.id)?.record
      if (now?.generation === record.generation && now.mark?.kind === record.mark?.kind && now.state !== 'closing') {
        world.problem(`${world.trace.name(record.id)} is still marked with ${record.mark?.kind}, and the endpoint has long been back`)
      }
    }
  }
  // A check that failed last is repeated after healthRecheckInterval, also when somebody waits.
  await checkService(world, actions, pass, 10 * (oneConnect + oneCheck) + options.backoff.max + options.healthRecheckInterval + 50)
}

/**
 * How long the pool may take, counted from when nothing fails any more:
 *
 * - what is left of the backoff, at most `backoff.max`;
 * - one round for connects that began before, and may end now;
 * - rounds of connects: after an outage one, then at most one more in each round, up to `maxConnecting`; they are
 *   for minConnections, and first for the urgent rebuilds. With a `maxConnecting` of 2 this is the
 *   1 + (minConnections − 1) / maxConnecting that is promised;
 * - one check of a successor and one close, where an old client has to go before there is room.
 */
function timeToRecover(world: World, invariants: Invariants, oneConnect: number, oneSwap: number): number {
  const { options } = world
  const urgent = [...invariants.shown().values()].filter(
    ({ record }) => record.state === 'rebuilding' || record.state === 'connecting',
  ).length
  let left = Math.min(options.maxConnections, options.minConnections + urgent)
  let rounds = 1
  for (let width = 1; left > 0; width = Math.min(width + 1, options.maxConnecting)) {
    left -= width
    rounds++
  }
  return options.backoff.max + rounds * oneConnect + oneSwap + 5
}

/** Connections that could serve, by what the model knows of their clients, or are out of service by plan. */
function inService(world: World, invariants: Invariants): number {
  const shown = [...invariants.shown().values()]
  // In a panic one makes room for the probe, which finds out whether a new one fares better.
  const isProbing = world.pool.stats().panic && shown.some(({ record }) => record.state === 'connecting')
  let count = isProbing ? 1 : 0
  for (const { record, client } of shown) {
    const serves = record.state === 'idle' || record.state === 'acquired' || record.state === 'checking'
    if (record.state === 'rebuilding' && record.mark?.urgent === false) count++
    else if (serves && client?.live === true && client.condemnedAt === undefined && world.endpoint.flow(client.client) === 'fine') count++
  }
  return count
}

/** A pool that is well serves as many borrowers as it has room for. */
async function checkService(world: World, actions: Actions, pass: Pass, within: number): Promise<void> {
  if (world.options.maxWaiting < 3) return
  const count = Math.min(3, world.options.maxConnections)
  const callers: Caller[] = []
  for (let index = 0; index < count; index++) callers.push(actions.borrow('acquire', { timeout: Number.POSITIVE_INFINITY }))
  await pass(within)
  for (const caller of callers) {
    if (caller.isWaiting) world.problem(`the endpoint is back, and ${caller.name} still waits after ${within} ms`)
  }
  await pass(0)
}

/** 3, 4 and 8: after `close` nothing is left. */
export async function checkEnd(world: World, actions: Actions, pass: Pass): Promise<void> {
  const { clock, driver } = world
  const { ledger } = driver
  if (world.random.chance(0.5)) actions.endAll()
  actions.close()
  await pass(0)
  // It waits for leases, then for goodbyes; each may take closeTimeout, and a second call has joined the first.
  await pass(20_000)
  actions.endAll()
  await pass(0)
  if (world.pending.size > 0) world.problem(`never settled: ${[...world.pending].join(', ')}`)
  for (const caller of world.callers) if (caller.state !== 'done') world.problem(`${caller.name} never ended`)
  const left = clock.counts()
  if (left.timers > 0 || left.polls > 0) world.problem(`after close ${left.timers} timers are left: ${JSON.stringify(clock.pending())}`)

  // What comes even later is destroyed on arrival, and wakes nothing up.
  world.endpoint.heal()
  await pass(10_000)
  if (ledger.present().length > 0)
    world.problem(
      `clients live on after close: ${ledger
        .present()
        .map(({ client }) => client.id)
        .join(', ')}`,
    )
  for (const { client, closedAt, destroyedAt } of ledger.clients) {
    if (closedAt === undefined && destroyedAt === undefined) world.problem(`client ${client.id} was neither closed nor destroyed`)
  }
  const later = clock.counts()
  if (later.timers > 0 || later.polls > 0) world.problem(`long after close there are timers: ${JSON.stringify(clock.pending())}`)
  for (const caller of world.callers) {
    const { signal } = caller.options
    if (signal !== undefined && getEventListeners(signal, 'abort').length > 0)
      world.problem(`a listener is left on the signal of ${caller.name}`)
  }
  if (world.signals.some((signal) => getEventListeners(signal, 'abort').length > 0))
    world.problem('a listener is left on the signal of a rebuild')
  if (world.rebuilding.size > 0) world.problem('nobody was told how a rebuild has ended')
  const stats = world.pool.stats()
  if (stats.rebuildsStarted !== stats.rebuildsCompleted + stats.rebuildsFailed)
    world.problem(`${stats.rebuildsStarted} rebuilds have started, ${stats.rebuildsCompleted} completed, ${stats.rebuildsFailed} failed`)
  if (stats.state !== 'closed' || stats.open !== 0 || world.pool.connections().length > 0)
    world.problem(`after close the pool is ${stats.state} with ${stats.open} open`)
  world.raise()
}
