import type { ConnectionRecord, PoolStats } from '../../src/index.ts'
import { checkChanges, type Shown } from './change-rules.ts'
import { checkBooks, checkCallers, checkClients, checkConnection, checkGrowth, checkRepeats, isShort } from './state-rules.ts'
import { checkTime, noteSize } from './time-rules.ts'
import type { World } from './world.ts'

/**
 * What must always hold, checked after every step against the fake driver's ledger and the model. The pool's
 * own figures are compared with these, and never believed.
 */
export class Invariants {
  readonly #world: World
  #shown = new Map<string, Shown>()
  readonly #gone = new Set<string>()
  /** The pool's figures, and how long the trace was when they were taken. */
  #stats: PoolStats
  #noted = -1

  constructor(world: World) {
    this.#world = world
    this.#stats = world.pool.stats()
  }

  /** What the pool shows of its connections, with the clients that the model takes for theirs. */
  shown(): ReadonlyMap<string, Shown> {
    return this.#shown
  }

  /** After every step. */
  afterStep(): void {
    const world = this.#world
    for (const caller of world.callers) caller.noticeLoss()
    world.raise()
    const before = this.#shown
    this.#shown = this.#recognize(world.pool.connections(), before)
    const records = [...this.#shown.values()].map(({ record }) => record)
    // Taking the figures is dear. Whatever they count changes with a call or an event, which leaves a line in the trace.
    if (this.#noted !== world.trace.count) {
      this.#noted = world.trace.count
      this.#stats = world.pool.stats()
      checkBooks(world, this.#stats, records)
    }
    checkChanges(world, before, this.#shown)
    world.model.stepEnded(this.#stats.panic)
    if (this.#stats.panic) {
      world.panicked = true
      world.count('panic')
    }
    checkClients(world)
    for (const shown of this.#shown.values()) checkConnection(world, shown)
    checkCallers(world, this.#shown)
    noteSize(world, this.#shown)
    world.raise()
    const { outage } = world.model
    outage.needed = outage.failures === 0 || (outage.needed && isShort(world, records))
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
      const isLate = !live && !world.reconfigured && age > world.options.closeTimeout + 2
      if (isLate) world.problem(`client ${client.id} is still closing after ${age} ms`)
    }
    checkGrowth(world, this.#shown)
    checkRepeats(world, this.#shown)
    checkTime(world, this.#shown)
    world.raise()
  }

  /** Works out which client is whose: a connection's present one is the latest that was connected when its generation changed. */
  #recognize(records: readonly ConnectionRecord[], before: ReadonlyMap<string, Shown>): Map<string, Shown> {
    const { model, problem, trace } = this.#world
    const shown = new Map<string, Shown>()
    for (const record of records) {
      const known = before.get(record.id)
      const name = trace.name(record.id)
      if (this.#gone.has(record.id)) problem(`${name} is back after it was closed`)
      let client = known?.client
      const generation = known === undefined || known.record.state === 'connecting' ? 0 : known.record.generation
      // A probe has a client while it still is `connecting`: it has to pass its check first.
      if (record.state !== 'connecting' && record.generation !== generation) {
        if (record.generation !== generation + 1) problem(`${name} goes from generation ${generation} to ${record.generation}`)
        client = model.byConnection.get(record.id)?.at(-1)
        if (client === undefined || client === known?.client) problem(`${name} has a new generation without a new client`)
        if (known?.client !== undefined) known.client.role = 'old'
        if (client !== undefined) {
          client.role = 'current'
          client.currentSince = this.#world.clock.now()
          // The pool hears only now that it is of no use.
          if (client.retireReported) model.ended(client)
        }
      }
      shown.set(record.id, { record, client })
    }
    for (const [id, { client }] of before) {
      if (shown.has(id)) continue
      this.#gone.add(id)
      if (client !== undefined) client.role = 'old'
    }
    return shown
  }
}
