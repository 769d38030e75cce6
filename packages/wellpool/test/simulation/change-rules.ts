import type { ConnectionRecord } from '../../src/index.ts'
import type { ClientModel } from './client-model.ts'
import type { World } from './world.ts'

/** What the pool shows of a connection after a step, and whose client the model takes for its own. */
export interface Shown {
  readonly record: ConnectionRecord
  readonly client: ClientModel | undefined
}

type View = ReadonlyMap<string, Shown>

/** What one step may change, and what not. */
export function checkChanges(world: World, before: View, after: View): void {
  for (const [id, shown] of before) {
    const now = after.get(id)
    if (now !== undefined) {
      checkMark(world, now.record, shown.record)
      const generation = shown.record.state === 'connecting' ? 0 : shown.record.generation
      if (now.client !== undefined && now.client !== shown.client && generation > 0) checkSwap(world, now.record, shown.record, now.client)
    }
    const hasLeft = now === undefined || now.record.state === 'closing'
    if (hasLeft && shown.record.state === 'idle') checkClosing(world, shown, before, after)
  }
  checkPlannedAbsence(world, before, after)
  checkPanic(world, before, after)
  checkKeptSuccessors(world)
  checkAnswers(world)
}

/** 5: the first reason stays until the swap or the end, and its urgency never falls. */
function checkMark(world: World, { id, generation, mark, state }: ConnectionRecord, before: ConnectionRecord): void {
  if (before.mark === undefined || generation !== before.generation || state === 'closing' || world.isEnding) return
  const { kind, detail, urgent } = before.mark
  const problem = (text: string): void => world.problem(`${world.trace.name(id)} ${text}: ${kind}, ${detail}`)
  // What a batch has marked and could not begin in time it takes off again; another reason may have come up meanwhile.
  const mayGo = kind === 'manual' && world.mayUnmark.has(id)
  if (mark === undefined) {
    if (!mayGo) problem('has lost its mark')
  } else if (mark.kind !== kind && mayGo) return
  else if (mark.kind !== kind || mark.detail !== detail) problem('has another mark than before')
  else if (urgent && !mark.urgent) problem('is no longer urgently marked')
}

/** 5 and 6: a successor has taken the place. */
function checkSwap(world: World, record: ConnectionRecord, before: ConnectionRecord, successor: ClientModel): void {
  const name = world.trace.name(record.id)
  const isMarkedAnew = successor.retireReported || successor.lost || successor.uses > 0 || successor.failures > 0
  if (record.mark !== undefined && !isMarkedAnew) world.problem(`${name} keeps its mark over the swap`)
  const isUnchecked = before.mark?.urgent === false && successor.passedChecks === 0
  if (isUnchecked) world.problem(`${name} was swapped to a client that has passed no check`)
  if (record.lastRebuiltAt === undefined) world.problem(`${name} was rebuilt and has no lastRebuiltAt`)
  world.count(`rebuilt: ${before.mark?.kind ?? 'marked in the same step'}`)
}

/** What is well, wanted and unmarked is not closed. */
function checkClosing(world: World, { record, client }: Shown, before: View, after: View): void {
  const { clock, options } = world
  if (client === undefined || world.isEnding || record.mark !== undefined || world.urgentStep === world.step) return
  if (
    client.lentStep === world.step ||
    client.evicted ||
    client.condemnedAt !== undefined ||
    client.doubt !== undefined ||
    client.failures > 0 ||
    client.isSilent
  )
    return
  const placesBefore = places(before)
  if (placesBefore > options.maxConnections || world.panicked) return
  // Marked, closed first, and then another one's try has found out that nothing can be connected, all at once.
  if (options.rebuildMaxSurge === 0 && world.model.outage.failedStep === world.step) return
  // Marked, closed to make room and failed to connect, all at once.
  if (world.driver.ledger.connects.some(({ connectionId, begunAt }) => connectionId === record.id && begunAt === clock.now())) return
  const idleFor = clock.now() - client.idleSince
  const name = world.trace.name(record.id)
  if (idleFor < options.idleTimeout - 1) world.problem(`${name} was well and idle for ${idleFor} ms, and is closed`)
  else if (places(after) < options.minConnections) world.problem(`${name} was well, and its closing leaves fewer than minConnections`)
}

function places(view: View): number {
  let count = 0
  for (const { record } of view.values()) if (record.state !== 'closing') count++
  return count
}

/** Without surge, so many connections may be out of service by plan, and no more. */
function checkPlannedAbsence(world: World, before: View, after: View): void {
  const { options } = world
  if (options.rebuildMaxSurge > 0 || world.reconfigured) return
  const absent = (view: View): number =>
    [...view.values()].filter(({ record }) => record.state === 'rebuilding' && record.mark?.urgent === false).length
  const out = absent(after)
  if (out <= absent(before)) return
  const present = (view: View): number =>
    [...view.values()].filter(({ record }) => record.state !== 'connecting' && record.state !== 'closing').length
  // One that was there when they went, and was lost or given up in the same step, counts.
  const size = Math.max(present(before), present(after))
  const allowed = Math.max(1, options.maxUnavailable * size)
  if (out > allowed) world.problem(`${out} of ${size} connections are out of service by plan, allowed are ${allowed}`)
}

/** When more than panicThreshold fail their checks, none is marked for that. */
function checkPanic(world: World, before: View, after: View): void {
  const { clock, options } = world
  // After a panic that a probe has ended, who still fails is marked.
  if (world.reconfigured || world.panicked) return
  const window = options.healthCheckInterval === Number.POSITIVE_INFINITY ? options.healthRecheckInterval : options.healthCheckInterval
  let marked: string | undefined
  let size = 0
  let failing = 0
  for (const [id, { record, client }] of after) {
    if (record.state === 'connecting' || record.state === 'closing' || client === undefined) continue
    size++
    const isNew = record.mark?.kind === 'health_failures' && before.get(id)?.record.mark === undefined
    // A check that stays silent while others answer is given up before it has failed; that is another matter.
    const isMarked = isNew && record.mark?.detail.startsWith('a check silent') === false
    if (isMarked) marked = id
    // Of those that failed in this very step, one was the first.
    const sinceFailure = clock.now() - client.failedAt
    if (client.failures > 0 && sinceFailure > 0 && sinceFailure < window && !isMarked) failing++
  }
  if (marked !== undefined && size >= 3 && failing + 1 > options.panicThreshold * size) {
    world.problem(`${world.trace.name(marked)} is marked for its failed checks, while ${failing} others of ${size} fail theirs`)
  }
}

/** No time-out of a check is decided before what has come in was read; given up it may be, with its client. */
function checkAnswers(world: World): void {
  const { answered } = world.model
  for (const { client, live, role } of answered) {
    if (live && role !== 'old' && !world.isEnding)
      world.problem(`a check of client ${client.id} has timed out, although its answer had come in`)
  }
  answered.length = 0
}

/** What is lost during a planned rebuild keeps the successor. */
function checkKeptSuccessors(world: World): void {
  const { connecting, kept, outage } = world.model
  // Half-open the breaker lets one connect try, and what began before the outage was known gives way to it.
  const isTried = !outage.surelyNot && [...connecting].some((call) => world.model.ageOf(call) === 0)
  if (!world.isEnding && world.life !== 'paused') {
    for (const { client, condemnedAt, live, lost, evicted, failures } of kept.clients) {
      if (!live && !lost && !evicted && failures === 0 && condemnedAt === undefined)
        world.problem(`client ${client.id} was ready to take a place that was lost, and was closed instead`)
    }
    for (const call of kept.connects)
      if (call.signal?.aborted === true && !isTried) world.problem('a connect for a place that was lost is given up')
  }
  kept.clients.length = 0
  kept.connects.length = 0
}
