import type { ConnectionRecord, PoolStats } from '../../src/index.ts'
import type { Caller } from './caller.ts'
import type { Shown } from './change-rules.ts'
import type { ClientModel } from './client-model.ts'
import type { World } from './world.ts'

/** The pool's figures, against the books. */
export function checkBooks(world: World, stats: PoolStats, records: readonly ConnectionRecord[]): void {
  const { ledger } = world.driver
  const differ = (what: string, shown: number, is: number): void => {
    if (shown !== is) world.problem(`${what} is ${shown} by the pool's figures, ${is} by the books`)
  }
  differ('open', stats.open, ledger.open)
  differ(
    'waiting',
    stats.waiting,
    world.callers.reduce((sum, { isWaiting }) => sum + (isWaiting ? 1 : 0), 0),
  )
  const leased = new Set<ClientModel>()
  for (const model of world.model.present()) if (model.client.life.leases.size > 0) leased.add(model)
  const retired = [...leased].filter(({ role, live }) => role === 'old' && live)
  differ('retired', stats.retired, retired.length)
  const states = { idle: 0, acquired: 0, checking: 0, connecting: 0, rebuilding: 0, closing: 0, closed: 0 }
  for (const { state } of records) states[state]++
  for (const state of ['idle', 'acquired', 'checking', 'connecting', 'rebuilding', 'closing'] as const)
    differ(state, stats[state], states[state])
  differ('total', stats.total, states.idle + states.acquired + states.checking + states.rebuilding)
  const checks = Object.values(stats.checks).reduce((sum, count) => sum + count)
  const { checksEnded, checksMaybeEnded } = world.model
  if (checks < checksEnded || checks > checksEnded + checksMaybeEnded) differ('the sum of checks', checks, checksEnded)
  if (states.closed > 0) world.problem('a closed connection is still shown')

  const { options } = world
  if (!world.reconfigured && stats.total + states.connecting > options.maxConnections + options.rebuildMaxSurge) {
    world.problem(
      `${stats.total} connections and ${states.connecting} on their way, allowed are ${options.maxConnections} and ${options.rebuildMaxSurge}`,
    )
  }
  if (stats.breaker === 'closed' && world.model.outage.surely) world.problem('the breaker is closed although the last connect failed')
  if (stats.breaker !== 'closed' && world.model.outage.surelyNot) world.problem(`the breaker is ${stats.breaker} although connects succeed`)
}

/** 2 and 3, from the endpoint's side. */
export function checkClients(world: World): void {
  for (const model of world.model.present()) {
    const { client } = model
    if (client.life.stray) world.problem(`client ${client.id} came after its connect was given up, and lives on`)
    else if (model.lost && model.live) world.problem(`client ${client.id} was reported as lost, and lives on`)
    else if (model.evicted && model.live && client.life.leases.size === 0 && model.resets.size === 0 && model.role !== 'old') {
      world.problem(`client ${client.id} was evicted and is free, and lives on`)
    } else if (model.role === 'old' && model.live && client.life.leases.size === 0 && model.resets.size === 0) {
      world.problem(`nobody has client ${client.id}, whose place has been taken, and it lives on`)
    }
    if (model.goneStep === world.step && model.live && client.life.leases.size > 0 && !world.isEnding)
      world.problem(`client ${client.id} was found to be gone, and lives on`)
    if (model.client.life.closeFailedAt !== undefined) world.problem(`the close of client ${client.id} failed, and it was not destroyed`)
  }
}

/** One connection, as the pool shows it, against what is known of its client. */
export function checkConnection(world: World, { record, client }: Shown): void {
  const { options } = world
  const name = world.trace.name(record.id)
  const wrong = (why: string): void =>
    world.problem(`${name} is ${record.state} (${record.health}${record.mark === undefined ? '' : `, ${record.mark.kind}`}), ${why}`)
  const { state, mark } = record
  if (state === 'connecting' || state === 'closing') return
  if (client === undefined) {
    wrong('and has no client')
    return
  }
  const { leases } = client.client.life
  // While it is being reset, its last lease has not ended for the pool.
  const isFree = leases.size === 0 && client.resets.size === 0

  if (state === 'rebuilding') {
    if (mark === undefined) wrong('without a mark')
    else if (!mark.urgent && options.rebuildMaxSurge > 0 && !world.reconfigured) wrong('although its rebuild is planned and there is surge')
    if (leases.size > 0 && client.live) wrong('and somebody holds its client')
    return
  }
  if (!client.live) wrong(`and client ${client.client.id} has ended`)
  if (client.condemnedAt !== undefined && leases.size === 0) wrong('and its client is lost')
  if (mark?.urgent === true && isFree) wrong('and urgently marked')
  if (state === 'idle' && leases.size > 0) wrong(`and ${[...leases].join(', ')} has it`)
  if (state === 'acquired' && isFree) wrong('and nobody has it')
  if (state === 'checking' && client.checks.size === 0) wrong('and no check is under way')
  if (state === 'idle' && client.checks.size > 0 && world.maxLeases === 1) wrong('and a check is under way')
  if (client.retireReported && mark === undefined && !world.isEnding) wrong('and was told to retire, and is not marked')
  if (client.failures >= options.unhealthyThreshold && !world.panicked && !world.reconfigured && isFree && mark === undefined) {
    wrong(`after ${client.failures} failed checks in a row`)
  }
  if (record.uses !== client.uses) wrong(`and counts ${record.uses} uses instead of ${client.uses}`)
  if (record.requests !== client.requests) wrong(`and counts ${record.requests} requests instead of ${client.requests}`)
  if (record.errors !== client.errors) wrong(`and counts ${record.errors} errors instead of ${client.errors}`)
  if (isDue(world, client, state) && mark === undefined) wrong('and not marked although it is due')
}

/** Whether a limit has been reached that leads to a mark by itself. */
function isDue(world: World, client: ClientModel, state: string): boolean {
  const { options, reconfigured } = world
  if (state !== 'idle' || !options.smartRebuildEnabled || reconfigured) return false
  const { rebuildStrategy: strategy, maxUses } = options
  return (strategy === 'any' || strategy === 'max_uses') && client.uses >= maxUses
}

/** 4: nobody is overtaken, nobody waits for nothing. */
export function checkCallers(world: World, shown: ReadonlyMap<string, Shown>): void {
  const { step } = world
  const records = [...shown.values()].map(({ record }) => record)
  const waiting = world.callers.filter(({ isWaiting }) => isWaiting)
  for (const caller of waiting) {
    const { abortedStep, attempt, lostStep, mayRunAgain, name } = caller
    if (abortedStep !== undefined) world.problem(`${name} still waits after its abort`)
    if (attempt > 0 && lostStep === step && !mayRunAgain) world.problem(`${name} has not heard that its client is lost`)
  }
  const first = waiting.find(({ attempt, calledStep }) => attempt === 0 && calledStep < step)
  if (first !== undefined) {
    const overtaker = world.callers
      .slice(world.callers.indexOf(first))
      .find(({ grantedStep, attempt }) => grantedStep === step && attempt === 1)
    if (overtaker !== undefined) world.problem(`${overtaker.name} was served before ${first.name}`)
  }
  if (isShort(world, records) && world.model.connecting.size === 0 && world.model.outage.surelyNot) {
    world.problem(`minConnections is ${world.options.minConnections}, fewer are present, and no connect is under way`)
  }
  if (waiting.length > 0 && (world.life === 'running' || world.life === 'draining')) checkIdle(world, waiting, shown)
}

/** Nobody waits while a connection could serve. */
function checkIdle(world: World, waiting: readonly Caller[], shown: ReadonlyMap<string, Shown>): void {
  const { model } = world
  const names = waiting.map(({ name }) => name).join(', ')
  for (const { record, client } of shown.values()) {
    if (
      client === undefined ||
      !client.live ||
      record.mark?.urgent === true ||
      record.health === 'unhealthy' ||
      client.retireReported ||
      client.evicted
    )
      continue
    const { leases } = client.client.life
    const hasRoom = record.state === 'idle' || (record.state === 'acquired' && leases.size > 0 && leases.size < world.maxLeases)
    if (hasRoom && client.resets.size === 0 && model.isProven(client)) {
      world.problem(`${names} waits while ${world.trace.name(record.id)} is ${record.state} and fit to serve`)
    }
  }
}

/** Whether fewer than minConnections are present, and more are allowed. */
export function isShort(world: World, records: readonly ConnectionRecord[]): boolean {
  const places = records.filter(({ state }) => state !== 'closing').length
  return (
    world.life === 'running' &&
    places < world.options.minConnections &&
    places < world.options.maxConnections &&
    world.driver.ledger.open < world.options.maxConnections
  )
}

/** 4: who has waited for longer than a connect takes gets one, where there is room. */
export function checkGrowth(world: World, shown: ReadonlyMap<string, Shown>): void {
  const { clock, driver, life, maxLeases, model, options } = world
  const oldest = world.callers.find(({ isWaiting }) => isWaiting)
  if (oldest === undefined || oldest.attempt > 0 || (life !== 'running' && life !== 'draining') || maxLeases > 1) return
  const states = [...shown.values()].map(({ record }) => record.state)
  const places = states.filter((state) => state !== 'closing').length
  const checking = model.present().some(({ checks, role }) => role !== 'old' && checks.size > 0)
  const promising = checking || states.some((state) => state === 'idle' || state === 'checking' || state === 'rebuilding')
  const hasRoom = places < options.maxConnections && driver.ledger.open < options.maxConnections
  if (promising || !hasRoom || model.connecting.size > 0 || !model.outage.surelyNot) return
  // From when there was room: after a connect had ended, after a pause.
  const waited = clock.now() - Math.max(oldest.calledAt, model.lastConnectEndedAt, world.resumedAt)
  if (waited > Math.max(model.longestConnect, 1) + 2) {
    world.problem(
      `${oldest.name} has waited for ${waited} ms with ${driver.ledger.open} of ${options.maxConnections} open, and no connect is under way`,
    )
  }
}

/** 4: a check that has failed is repeated soon for somebody who waits, as a connect would be. */
export function checkRepeats(world: World, shown: ReadonlyMap<string, Shown>): void {
  const { clock, life, model, options } = world
  const oldest = world.callers.find(({ isWaiting }) => isWaiting)
  if (oldest === undefined || oldest.attempt > 0 || (life !== 'running' && life !== 'draining') || world.reconfigured) return
  if (model.present().some(({ checks }) => checks.size > 0)) return
  for (const { record, client } of shown.values()) {
    if (record.state !== 'idle' || record.health === 'unhealthy' || record.mark?.urgent === true) continue
    if (client?.doubt !== 'check rejected' || client.evicted || client.retireReported) continue
    const left = clock.now() - Math.max(oldest.calledAt, client.failedAt, world.resumedAt)
    if (left > Math.min(options.healthRecheckInterval, options.backoff.maxWhileWaited) + 2) {
      world.problem(`${oldest.name} waits, and the check of ${world.trace.name(record.id)} that failed was not repeated for ${left} ms`)
    }
  }
}
