import type { ConnectionRecord, PoolStats } from '../../src/index.ts'
import type { FakeCall, FakeClient } from '../../src/testing/index.ts'
import type { Caller } from './caller.ts'
import type { ClientModel } from './model.ts'
import type { World } from './world.ts'

/** What the pool showed of a connection after the step before, and whose client the model takes for its own. */
interface Shown {
  readonly record: ConnectionRecord
  readonly client: ClientModel | undefined
}

/**
 * What must always hold, checked after every step against the fake driver's ledger and the model. The pool's
 * own figures are compared with these, and never believed.
 */
export class Invariants {
  readonly #world: World
  #shown = new Map<string, Shown>()
  readonly #gone = new Set<string>()
  /** Marks set by batches that a caller gave up are taken off again. */
  readonly mayUnmark = new Set<string>()
  #panicked = false
  /** The pool's figures, and how long the trace was when they were taken. */
  #stats: PoolStats
  #noted = -1

  constructor(world: World) {
    this.#world = world
    this.#stats = world.pool.stats()
    world.connectBegins = (call) => this.#connectBegins(call)
  }

  /** What the pool shows of its connections, with the clients that the model takes for theirs. */
  shown(): ReadonlyMap<string, Shown> {
    return this.#shown
  }

  /** 1 and R3: at the very moment that a connect begins. Its own is counted in the ledger already. */
  #connectBegins(call: FakeCall): void {
    const world = this.#world
    const { model, options, clock } = world
    const { open } = world.driver.ledger
    const id = call.context?.connectionId as string
    const mine = (model.byConnection.get(id) ?? []).filter(({ live }) => live)
    const limit = options.maxConnections + options.rebuildMaxSurge
    if (open > limit) world.problem(`a connect begins with ${open} open, allowed are ${limit}`)
    else if (open > options.maxConnections && mine.length === 0 && !this.#hedgeIsDue()) {
      world.problem(`an ordinary connect begins with ${open} open, maxConnections is ${options.maxConnections}`)
    }

    for (const other of model.connecting) {
      if (other.context?.connectionId === id) world.problem(`a second connect begins for ${world.trace.name(id)}`)
    }
    // The latest to arrive may have become the connection's own in this very step.
    const successors = mine.filter(({ role, uses, passedChecks }) => role === 'new' && uses === 0 && passedChecks === 0).length
    if (successors > (mine.some(({ role }) => role === 'current') ? 0 : 1)) {
      world.problem(`a connect begins for ${world.trace.name(id)}, which has a successor already`)
    }

    const { outage } = model
    const inFlight = model.connecting.size
    if (outage.surely && inFlight > 0 && outage.failedStep < world.step)
      world.problem(`half-open: a connect begins beside ${inFlight} others`)
    const allowed = outage.failedStep < world.step ? Math.min(options.maxConnecting, 2 ** outage.successes) : options.maxConnecting
    if (inFlight >= allowed) {
      world.problem(
        `a connect begins beside ${inFlight} others, ${outage.successes} have succeeded since the outage, maxConnecting is ${options.maxConnecting}`,
      )
    }
    if (outage.surely && outage.failures === 1 && outage.needed && !world.reconfigured) {
      world.spread.backoffs.push((clock.now() - outage.failedAt) / options.backoff.base)
    }
    if (world.life === 'new') world.problem('a connect begins before the pool was started')
    if (world.life === 'closed') world.problem('a connect begins after close was called')
  }

  /** Whether a hedge or a second opinion may take a connection above the maximum. */
  #hedgeIsDue(): boolean {
    const { callers, clock, model, options } = this.#world
    const overdue =
      model.overdueStep === this.#world.step ||
      model.present().some(({ checks }) => [...checks].some((call) => model.ageOf(call) >= options.hedgeDelay))
    if (overdue && callers.some(({ isWaiting }) => isWaiting)) return true
    return (
      this.#world.driver.secondOpinion !== undefined &&
      callers.some(({ client, grantedAt }) => client !== undefined && clock.now() - grantedAt > 250)
    )
  }

  /** 2: at the very moment that a client is handed out. */
  handOut = (caller: Caller, client: FakeClient, record: ConnectionRecord | undefined): void => {
    const world = this.#world
    const { clock, model, options } = world
    const found = model.of(client)
    const wrong = (why: string): void => world.problem(`${caller.name} is given client ${client.id}, ${why}`)
    if (client.life.stray) wrong('whose connect had been given up')
    if (found.condemnedAt !== undefined) wrong('which is lost')
    if (found.evicted) wrong('which was evicted')
    if (found.retireReported) wrong('which its peer wants to be replaced')
    if (found.role === 'old') wrong('whose place has been taken')
    if (found.resets.size > 0) wrong('which is being reset')
    if (found.checks.size > 0 && world.maxLeases === 1) wrong('which is being checked')
    if (!this.#provenByPanic(found)) {
      const { suspectAt } = model
      // Where a client serves several, another one may have failed in the same step, after it was handed out.
      if (found.doubt !== undefined && (world.maxLeases === 1 || found.doubtStep < world.step)) wrong(`in doubt: ${found.doubt}`)
      if (found.provenAt < suspectAt && !this.#panics()) wrong(`a suspect for ${clock.now() - suspectAt} ms`)
      const unproven = clock.now() - found.provenAt
      if (options.verifyIdleAfter > 0 && unproven >= options.verifyIdleAfter) wrong(`unproven for ${unproven} ms`)
      // Always verified: the check was for this borrower, or has only now found that its own had left.
      if (options.verifyIdleAfter === 0 && world.maxLeases === 1 && (found.usedSinceCheck || clock.now() - found.checkedAt >= 10))
        wrong('unverified')
    }
    if (world.life === 'paused') wrong('while the pool is paused')
    if (world.life === 'closed') wrong('after close was called')
    if (record === undefined) return
    if (record.state !== 'acquired') wrong(`whose connection is ${record.state}`)
    if (record.health === 'unhealthy') wrong('whose connection is unhealthy')
    if (record.mark?.urgent === true) wrong('whose connection is urgently marked')
    if (record.id !== client.connectionId) wrong(`and connection ${record.id}, which is another one`)
  }

  /** Whether the pool panics, and a rejected check has proven the client in this step. */
  #provenByPanic({ doubt, failedAt }: ClientModel): boolean {
    return doubt === 'check rejected' && failedAt === this.#world.clock.now() && this.#panics()
  }

  #panics(): boolean {
    return this.#world.pool.stats().panic
  }

  /** After every step. */
  afterStep(): void {
    const world = this.#world
    for (const caller of world.callers) caller.noticeLoss()
    world.raise()
    const records = world.pool.connections()
    this.#recognize(records)
    // Taking the figures is dear. Whatever they count changes with a call or an event, which leaves a line in the trace.
    if (this.#noted !== world.trace.count) {
      this.#stats = world.pool.stats()
      this.#books(this.#stats, records)
    }
    this.#noted = world.trace.count
    this.#notePanic(this.#stats)
    this.#clients()
    for (const record of records) this.#connection(record)
    this.#callers(records)
    world.raise()
    world.model.outage.needed &&= this.#isNeeded(records)
    if (world.model.outage.failures === 0) world.model.outage.needed = true
  }

  /** When all that was due has run: what should have ended has. */
  afterInstant(): void {
    const world = this.#world
    const now = world.clock.now()
    for (const caller of world.callers) {
      const late = now - caller.calledAt - caller.timeout
      if (caller.isWaiting && caller.attempt === 0 && late > 2) world.problem(`${caller.name} still waits, ${late} ms after its time-out`)
    }
    for (const { client, live } of world.model.present()) {
      const age = now - (client.life.closeCalledAt ?? now)
      if (!live && !world.reconfigured && age > world.options.closeTimeout + 2)
        world.problem(`client ${client.id} is still closing after ${age} ms`)
    }
    this.#poolGrows()
    world.raise()
  }

  /** 4: who has waited for longer than a connect takes gets one, where there is room. */
  #poolGrows(): void {
    const world = this.#world
    const { clock, driver, life, maxLeases, model, options } = world
    const oldest = world.callers.find(({ isWaiting }) => isWaiting)
    if (oldest === undefined || oldest.attempt > 0 || (life !== 'running' && life !== 'draining') || maxLeases > 1) return
    const states = [...this.#shown.values()].map(({ record }) => record.state)
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

  /** Works out which client is whose: a connection's present one is the latest that was connected when its generation changed. */
  #recognize(records: readonly ConnectionRecord[]): void {
    const world = this.#world
    const before = this.#shown
    this.#shown = new Map()
    for (const record of records) {
      const known = before.get(record.id)
      const name = world.trace.name(record.id)
      if (this.#gone.has(record.id)) world.problem(`${name} is back after it was closed`)
      let client = known?.client
      if (known !== undefined) this.#mark(name, record, known.record)
      const generation = known === undefined || known.record.state === 'connecting' ? 0 : known.record.generation
      // A probe has a client while it still is `connecting`: it has to pass its check first.
      if (record.state !== 'connecting' && record.generation !== generation) {
        if (record.generation !== generation + 1) world.problem(`${name} goes from generation ${generation} to ${record.generation}`)
        const previous = client
        client = (world.model.byConnection.get(record.id) ?? []).at(-1)
        if (client === undefined || client === previous) world.problem(`${name} has a new generation without a new client`)
        else {
          if (previous !== undefined) previous.role = 'old'
          client.role = 'current'
          if (known !== undefined && generation > 0) this.#swapped(record, known.record, client)
        }
      }
      this.#shown.set(record.id, { record, client })
    }
    for (const [id, { client }] of before) {
      if (this.#shown.has(id)) continue
      this.#gone.add(id)
      if (client !== undefined) client.role = 'old'
    }
  }

  /** 5: the first reason stays until the swap or the end, and its urgency never falls. */
  #mark(name: string, { id, generation, mark, state }: ConnectionRecord, before: ConnectionRecord): void {
    if (before.mark === undefined || generation !== before.generation || state === 'closing') return
    // In the end no mark leads anywhere.
    if (this.#world.life === 'closed' || this.#world.life === 'draining') return
    const { kind, detail, urgent } = before.mark
    const problem = (text: string): void => this.#world.problem(`${name} ${text}: ${kind}, ${detail}`)
    if (mark === undefined) {
      if (kind !== 'manual' || !this.mayUnmark.has(id)) problem('has lost its mark')
    } else if (mark.kind !== kind || mark.detail !== detail) problem('has another mark than before')
    else if (urgent && !mark.urgent) problem('is no longer urgently marked')
  }

  /** 5 and 6: a successor has taken the place. */
  #swapped(record: ConnectionRecord, before: ConnectionRecord, successor: ClientModel): void {
    const world = this.#world
    const name = world.trace.name(record.id)
    if (record.mark !== undefined && !successor.retireReported && !successor.lost && successor.uses === 0)
      world.problem(`${name} keeps its mark over the swap`)
    if (before.mark?.urgent === false && successor.passedChecks === 0)
      world.problem(`${name} was swapped to a client that has passed no check`)
    if (record.lastRebuiltAt === undefined) world.problem(`${name} was rebuilt and has no lastRebuiltAt`)
    world.count(`rebuilt: ${before.mark?.kind ?? 'marked in the same step'}`)
  }

  /** The pool's figures, against the books. */
  #books(stats: PoolStats, records: readonly ConnectionRecord[]): void {
    const world = this.#world
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
    if (states.closed > 0) world.problem('a closed connection is still shown')

    const { options } = world
    if (!world.reconfigured && stats.total + states.connecting > options.maxConnections + options.rebuildMaxSurge) {
      world.problem(
        `${stats.total} connections and ${states.connecting} on their way, allowed are ${options.maxConnections} and ${options.rebuildMaxSurge}`,
      )
    }
    if (stats.breaker === 'closed' && world.model.outage.surely) world.problem('the breaker is closed although the last connect failed')
    if (stats.breaker !== 'closed' && world.model.outage.surelyNot)
      world.problem(`the breaker is ${stats.breaker} although connects succeed`)
  }

  /** 2 and 3, from the endpoint's side. */
  #clients(): void {
    const world = this.#world
    for (const model of world.model.present()) {
      const { client } = model
      if (client.life.stray) world.problem(`client ${client.id} came after its connect was given up, and lives on`)
      else if (model.lost && model.live) world.problem(`client ${client.id} was reported as lost, and lives on`)
      else if (model.evicted && model.live && client.life.leases.size === 0 && model.resets.size === 0 && model.role !== 'old') {
        world.problem(`client ${client.id} was evicted and is free, and lives on`)
      } else if (model.role === 'old' && model.live && client.life.leases.size === 0 && model.resets.size === 0) {
        world.problem(`nobody has client ${client.id}, whose place has been taken, and it lives on`)
      }
      if (model.client.life.closeFailedAt !== undefined) world.problem(`the close of client ${client.id} failed, and it was not destroyed`)
    }
  }

  #connection(record: ConnectionRecord): void {
    const world = this.#world
    const { client } = this.#shown.get(record.id) as Shown
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

    if (state === 'rebuilding') {
      if (mark === undefined) wrong('without a mark')
      else if (!mark.urgent && options.rebuildMaxSurge > 0 && !world.reconfigured)
        wrong('although its rebuild is planned and there is surge')
      if (leases.size > 0 && client.live) wrong('and somebody holds its client')
      return
    }
    if (!client.live) wrong(`and client ${client.client.id} has ended`)
    if (client.condemnedAt !== undefined && leases.size === 0) wrong('and its client is lost')
    if (mark?.urgent === true && leases.size === 0 && client.resets.size === 0) wrong('and urgently marked')
    if (state === 'idle' && leases.size > 0) wrong(`and ${[...leases].join(', ')} has it`)
    if (state === 'acquired' && leases.size === 0 && client.resets.size === 0) wrong('and nobody has it')
    if (state === 'checking' && client.checks.size === 0) wrong('and no check is under way')
    if (state === 'idle' && client.checks.size > 0 && world.maxLeases === 1) wrong('and a check is under way')
    if (client.retireReported && mark === undefined && world.life !== 'closed' && world.life !== 'draining')
      wrong('and was told to retire, and is not marked')
    if (
      client.failures >= options.unhealthyThreshold &&
      !this.#panicked &&
      !world.reconfigured &&
      leases.size === 0 &&
      mark === undefined
    ) {
      wrong(`after ${client.failures} failed checks in a row`)
    }
    if (record.uses !== client.uses) wrong(`and counts ${record.uses} uses instead of ${client.uses}`)
    if (record.requests !== client.requests) wrong(`and counts ${record.requests} requests instead of ${client.requests}`)
    if (record.errors !== client.errors) wrong(`and counts ${record.errors} errors instead of ${client.errors}`)
    if (this.#isDue(client, state) && mark === undefined) wrong('and not marked although it is due')
  }

  /** Whether a limit has been reached that leads to a mark by itself. */
  #isDue(client: ClientModel, state: string): boolean {
    const { options, reconfigured } = this.#world
    if (state !== 'idle' || !options.smartRebuildEnabled || reconfigured) return false
    const { rebuildStrategy: strategy, maxUses } = options
    return (strategy === 'any' || strategy === 'max_uses') && client.uses >= maxUses
  }

  /** 4 and 5: nobody is overtaken, nobody waits for nothing, no mark is lost. */
  #callers(records: readonly ConnectionRecord[]): void {
    const world = this.#world
    const { step } = world
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
    if (this.#isNeeded(records) && world.model.connecting.size === 0 && world.model.outage.surelyNot) {
      world.problem(`minConnections is ${world.options.minConnections}, fewer are present, and no connect is under way`)
    }
    if (waiting.length > 0 && (world.life === 'running' || world.life === 'draining')) this.#nobodyWaitsForNothing(waiting, records)
  }

  #nobodyWaitsForNothing(waiting: readonly Caller[], records: readonly ConnectionRecord[]): void {
    const world = this.#world
    const { model } = world
    const names = waiting.map(({ name }) => name).join(', ')
    for (const record of records) {
      const client = this.#shown.get(record.id)?.client
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

  /** Whether anybody needs a connect, so that the backoff is what the pool waits for. */
  #isNeeded(records: readonly ConnectionRecord[]): boolean {
    const world = this.#world
    const places = records.filter(({ state }) => state !== 'closing').length
    return (
      world.life === 'running' &&
      places < world.options.minConnections &&
      places < world.options.maxConnections &&
      world.driver.ledger.open < world.options.maxConnections
    )
  }

  #notePanic(stats: PoolStats): void {
    const world = this.#world
    world.model.stepEnded(stats.panic)
    if (stats.panic) this.#panicked = true
    if (stats.panic) world.count('panic')
  }
}
