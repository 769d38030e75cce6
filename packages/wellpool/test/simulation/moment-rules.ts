import type { ConnectionRecord } from '../../src/index.ts'
import type { FakeCall, FakeClient } from '../../src/testing/index.ts'
import type { Caller } from './caller.ts'
import type { ClientModel } from './client-model.ts'
import type { World } from './world.ts'

/** 1 and R3: at the very moment that a connect begins. Its own is counted in the ledger already. */
export function checkConnect(world: World, call: FakeCall): void {
  const { clock, model, options, problem } = world
  const { open } = world.driver.ledger
  const id = call.context?.connectionId as string
  const mine = (model.byConnection.get(id) ?? []).filter(({ live }) => live)
  const limit = options.maxConnections + options.rebuildMaxSurge
  if (open > limit) problem(`a connect begins with ${open} open, allowed are ${limit}`)
  else if (open > options.maxConnections && !model.byConnection.has(id) && !isHedgeDue(world)) {
    problem(`an ordinary connect begins with ${open} open, maxConnections is ${options.maxConnections}`)
  }

  for (const other of model.connecting) {
    if (other.context?.connectionId === id) problem(`a second connect begins for ${world.trace.name(id)}`)
  }
  // The latest to arrive may have become the connection's own in this very step.
  const successors = mine.filter(({ role, uses, passedChecks }) => role === 'new' && uses === 0 && passedChecks === 0).length
  if (successors > (mine.some(({ role }) => role === 'current') ? 0 : 1)) {
    problem(`a connect begins for ${world.trace.name(id)}, which has a successor already`)
  }

  const { outage } = model
  const inFlight = model.connecting.size
  const isKnown = outage.failedStep < world.step
  if (outage.surely && isKnown && inFlight > 0) problem(`half-open: a connect begins beside ${inFlight} others`)
  if (inFlight >= (isKnown ? Math.min(options.maxConnecting, 2 ** outage.successes) : options.maxConnecting)) {
    problem(
      `a connect begins beside ${inFlight} others, ${outage.successes} have succeeded since the outage, maxConnecting is ${options.maxConnecting}`,
    )
  }
  if (outage.surely && outage.failures === 1 && outage.needed && !world.reconfigured && options.backoff.base >= 20) {
    // A timer's millisecond would show in a shorter wait.
    world.spread.backoffs.push((clock.now() - outage.failedAt) / options.backoff.base)
  }
  if (world.life === 'new') problem('a connect begins before the pool was started')
  if (world.life === 'closed') problem('a connect begins after close was called')
}

/** Whether a hedge or a second opinion may take a connection above the maximum. */
function isHedgeDue(world: World): boolean {
  const { callers, driver, model, options, step } = world
  const hedgeDelay = Math.min(options.hedgeDelay, world.formerHedgeDelay)
  const overdue =
    model.overdueStep === step || model.present().some(({ checks }) => [...checks].some((call) => model.ageOf(call) >= hedgeDelay))
  // Who is served in this step has waited when it began.
  if (overdue && callers.some(({ needsConnection, grantedStep }) => needsConnection || grantedStep === step)) return true
  return driver.secondOpinion !== undefined && callers.some((caller) => isSilent(world, caller))
}

/** Whether nothing has been heard of a borrowed client for so long that the pool may ask about it. */
function isSilent({ clock, model, step }: World, { client: held, gaveBackStep, grantedAt, lastClient }: Caller): boolean {
  const client = held ?? (gaveBackStep === step ? lastClient : undefined)
  if (client === undefined) return false
  const { doubt, provenAt } = model.of(client)
  // What has proven it counts no more once a use or a check of it has failed; since when each of several has it the pool does not know.
  const since = Math.min(grantedAt, doubt === undefined ? Math.max(provenAt, client.life.connectedAt) : client.life.connectedAt)
  // A timer may be a millisecond early.
  return clock.now() - since >= 249
}

/** A client is destroyed under its borrowers only when it is lost, or by an eviction or the pool's end. */
export function checkDestroy(world: World, { client, condemnedAt, evicted, goneStep }: ClientModel): void {
  const { leases } = client.life
  if (leases.size === 0 || condemnedAt !== undefined || evicted || world.isEnding) return
  if (goneStep === world.step) world.count('condemned by a second opinion')
  else world.problem(`client ${client.id} is destroyed under ${[...leases].join(', ')} for no reason`)
}

/** 2: at the very moment that a client is handed out. */
export function checkHandOut(world: World, caller: Caller, client: FakeClient, record: ConnectionRecord | undefined): void {
  const { clock, model, options } = world
  const found = model.of(client)
  const wrong = (why: string): void => world.problem(`${caller.name} is given client ${client.id}, ${why}`)
  if (client.life.stray) wrong('whose connect had been given up')
  if (isLostMeanwhile(world, client)) return
  if (found.condemnedAt !== undefined) wrong('which is lost')
  if (found.evicted) wrong('which was evicted')
  if (found.retireReported) wrong('which its peer wants to be replaced')
  if (found.role === 'old') wrong('whose place has been taken')
  if (found.resets.size > 0) wrong('which is being reset')
  if (found.checks.size > 0 && world.maxLeases === 1) wrong('which is being checked')
  if (!isProvenByPanic(world, found)) {
    // Where a client serves several, another one may have failed in the same step, after it was handed out.
    if (found.doubt !== undefined && (world.maxLeases === 1 || found.doubtStep < world.step)) wrong(`in doubt: ${found.doubt}`)
    // Suspicion that came up in this step may have come after it was handed out.
    const { suspectBefore } = model
    if (found.provenAt < suspectBefore && !world.pool.stats().panic) wrong(`a suspect for ${clock.now() - suspectBefore} ms`)
    const unproven = clock.now() - found.provenAt
    if (options.verifyIdleAfter > 0 && unproven >= options.verifyIdleAfter) wrong(`unproven for ${unproven} ms`)
    // Always verified: the check was for this borrower, or has only now found that its own had left.
    const isVerified = !found.usedSinceCheck && clock.now() - found.checkedAt < 10
    if (options.verifyIdleAfter === 0 && world.maxLeases === 1 && !isVerified) wrong('unverified')
  }
  if (world.life === 'paused') wrong('while the pool is paused')
  if (world.life === 'closed') wrong('after close was called')
  if (record === undefined) return
  if (found.doubtStep === world.step && world.maxLeases > 1) return
  if (record.state !== 'acquired') wrong(`whose connection is ${record.state}`)
  if (record.health === 'unhealthy') wrong('whose connection is unhealthy')
  if (record.mark?.urgent === true) wrong('whose connection is urgently marked')
  if (record.id !== client.connectionId) wrong(`and connection ${record.id}, which is another one`)
}

/** Whether a client that serves several was lost between being handed out and the borrower's hearing of it. */
export function isLostMeanwhile({ clock, maxLeases, model }: World, client: FakeClient): boolean {
  return maxLeases > 1 && client.life.destroyedAt === clock.now() && model.of(client).condemnedAt === clock.now()
}

/** Whether the pool panics, and a rejected check has proven the client in this step, whatever its use has come to since. */
function isProvenByPanic(world: World, { doubt, failedStep }: ClientModel): boolean {
  return (doubt === 'check rejected' || doubt === 'use failed') && failedStep === world.step && world.pool.stats().panic
}
