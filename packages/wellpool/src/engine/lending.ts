import { Alarm, Deadline, NEVER } from './clock.ts'
import type { Connection, Generation } from './connection.ts'
import { BEAT, SLOW_USE_FACTOR, SLOW_USE_FLOOR } from './core.ts'
import { formatMs } from './duration.ts'
import type { Engine } from './engine.ts'
import { traceOf, watchForLeak } from './leak-detector.ts'
import { Lease, type LeaseOutcome, type LeaseOwner } from './lease.ts'
import type { Waiter } from './wait-queue.ts'

/** One use in this many is measured (a power of two), the first ones all, so that the usual is soon known. */
const MEASURED = 32
const FIRST_ONES = 64

/** Where leases are handed out and taken back: the hot path. */
export class Lending<Client> implements LeaseOwner<Client> {
  readonly #engine: Engine<Client>
  readonly #core: Engine<Client>['core']
  readonly #beat: Alarm
  #acquiredAtBeat = 0
  /** Resets under way. */
  readonly #resets = new Set<Deadline>()

  constructor(engine: Engine<Client>) {
    this.#engine = engine
    this.#core = engine.core
    this.#beat = new Alarm(this.#core.clock, () => this.#nextBeat())
  }

  /**
   * Hands out the connection that serves next, if it is fit to. Caller must know that nobody waits.
   *
   * One that a use has proven within this beat is taken without a look at the clock. If the process was asleep
   * in the middle of a beat, what is acquired before the first timer runs is taken on trust.
   */
  lendIdle(): Lease<Client> | undefined {
    const core = this.#core
    const connection = core.idle.head
    if (connection === undefined) return core.idle.size === 0 ? undefined : this.#lendAny()
    const generation = connection.current as Generation<Client>
    const measured = core.watched || (generation.uses & (MEASURED - 1)) === 0 || core.counters.leased < FIRST_ONES
    if (measured || generation.provenBeat !== core.beat) {
      if (core.needsProof(generation, core.readClock())) return this.#lendAny()
    }
    return this.#handOut(connection, generation, measured)
  }

  /** The one that should serve next is not fit to: another may be, if only a degraded one. */
  #lendAny(): Lease<Client> | undefined {
    const now = this.#core.readClock()
    for (const connection of this.#core.idle) {
      if (this.#engine.isFit(connection, now)) return this.lend(connection)
    }
    return undefined
  }

  /** Hands out a connection that is fit to serve. */
  lend(connection: Connection<Client>, waiter?: Waiter<Lease<Client>>): Lease<Client> {
    this.#core.readClock()
    return this.#handOut(connection, connection.current as Generation<Client>, true, waiter)
  }

  #handOut(
    connection: Connection<Client>,
    generation: Generation<Client>,
    measured: boolean,
    waiter?: Waiter<Lease<Client>>,
  ): Lease<Client> {
    const core = this.#core
    if (generation.leases++ === 0) {
      core.setState(connection, 'acquired')
      connection.busySince = core.lastNow
    }
    if (generation.leases >= core.maxLeases) core.idle.remove(connection)
    if (generation.uses++ > 0) core.counters.reused++
    core.counters.leased++
    generation.usedSinceProof = true
    const lease = new Lease(this, generation, core.lastNow, measured ? -1 : core.beat)
    if (!this.#beat.pending) this.#startBeat()
    if (measured && core.watched) this.#noteLend(lease, waiter)
    return lease
  }

  /** What only some pools need at each lease. */
  #noteLend(lease: Lease<Client>, waiter: Waiter<Lease<Client>> | undefined): void {
    const core = this.#core
    const { options } = core
    if (options.leakDetectionThreshold !== NEVER) watchForLeak(core, lease, waiter?.trace ?? traceOf(this.lendIdle))
    if (options.allowExitOnIdle) this.#engine.setHold(lease.generation, true)
    core.measureLease('acquired', waiter === undefined ? 0 : lease.acquiredAt - waiter.since)
    if (core.events.leasesHeard) core.events.emit('connectionAcquired', core.identify(lease.generation.connection))
  }

  /** A lease has ended. Called by the lease, once. */
  takeBack(lease: Lease<Client>, outcome: LeaseOutcome, error: unknown): void {
    const core = this.#core
    const { generation } = lease
    const { connection } = generation
    // What ended in the beat in which it began was short.
    const measured = lease.beat === -1
    if (lease.beat !== core.beat || core.waiting.size > 0) core.readClock()
    const now = core.lastNow
    const useMs = now - lease.acquiredAt
    if (measured) this.#noteRelease(lease, useMs)

    if (outcome === 'succeeded' || (outcome === 'failed' && this.#provesAllTheSame(generation, error))) {
      generation.requests++
      generation.lastProvenAt = now
      generation.provenBeat = core.beatProves && this.#beat.pending ? core.beat : -1
      if (generation.errors > 0 && connection.current === generation) this.#engine.upkeep.evaluate(connection)
      if (measured) core.useTimes.add(useMs)
      if (useMs > SLOW_USE_FLOOR && useMs > SLOW_USE_FACTOR * (core.useTimes.usual ?? useMs)) this.#wantCheck(generation)
      if (connection.health === 'unknown' && connection.current === generation) core.setHealth(connection, 'healthy')
    }

    if (outcome === 'discarded') {
      generation.evicted = true
      if (connection.current === generation) core.idle.remove(connection)
    }
    generation.leases--
    if (
      generation.leases === 0 &&
      core.driver.reset !== undefined &&
      generation.status === 'live' &&
      connection.current === generation &&
      !generation.evicted
    ) {
      this.#reset(generation, now)
    } else {
      this.#returned(generation, now)
    }
  }

  /** A use was far slower than usual: the connection is checked before it serves again. */
  #wantCheck(generation: Generation<Client>): void {
    generation.checkWanted = true
    generation.provenBeat = -1
  }

  #noteRelease(lease: Lease<Client>, useMs: number): void {
    const core = this.#core
    lease.leakWatch?.()
    core.measureLease('released', useMs)
    const { generation } = lease
    if (core.events.leasesHeard) core.events.emit('connectionReleased', core.identify(generation.connection, generation))
  }

  /** @returns whether the error is the application's own: then the peer has answered. Otherwise sees to what it means. */
  #provesAllTheSame(generation: Generation<Client>, error: unknown): boolean {
    const core = this.#core
    if (generation.status === 'gone' || generation.status === 'closing') return false
    const meaning = core.classify(error)
    if (meaning === 'application') return true
    generation.requests++
    generation.countError()
    if (meaning === 'fatal') {
      this.#engine.lost(generation, `lost in use: ${core.copyError(error).message}`, error)
      return false
    }
    generation.lastProvenAt = -NEVER
    generation.provenBeat = -1
    if (generation.connection.current === generation) this.#engine.upkeep.evaluate(generation.connection)
    return false
  }

  /** Lets the driver tidy up. The connection stays acquired meanwhile. */
  #reset(generation: Generation<Client>, now: number): void {
    const core = this.#core
    let pending: PromiseLike<unknown> | undefined
    try {
      pending = core.driver.reset?.(generation.client) as typeof pending
    } catch (error) {
      this.#resetFailed(generation, error)
      return
    }
    if (typeof pending?.then === 'function') this.#awaitReset(generation, Promise.resolve(pending))
    else this.#returned(generation, now)
  }

  #awaitReset(generation: Generation<Client>, pending: Promise<unknown>): void {
    const { clock, options } = this.#core
    generation.resetting = true
    this.#core.idle.remove(generation.connection)
    let settled = false
    const settle = (error?: { readonly cause: unknown }): void => {
      if (settled) return
      settled = true
      generation.resetting = false
      deadline.cancel()
      this.#resets.delete(deadline)
      if (error === undefined) this.#returned(generation, this.#core.readClock())
      else this.#resetFailed(generation, error.cause)
    }
    const limit = options.resetTimeout
    const late = (): void => settle({ cause: new Error(`time-out after ${formatMs(limit)} (resetTimeout)`) })
    const deadline = new Deadline(clock, limit, late)
    this.#resets.add(deadline)
    pending.then(
      () => settle(),
      (cause: unknown) => settle({ cause }),
    )
  }

  #resetFailed(generation: Generation<Client>, error: unknown): void {
    const { connection } = generation
    if (generation.status === 'live' && connection.current === generation) {
      this.#engine.rebuilds.mark(connection, 'reset_failed', `reset failed: ${this.#core.copyError(error).message}`, true)
      // The mark waits for a release, and this is one: the client is not used any more.
    }
    this.#returned(generation, this.#core.readClock())
  }

  /** A lease has ended and its client is tidy: the connection serves the next, or does what was put off until now. */
  #returned(generation: Generation<Client>, now: number): void {
    const core = this.#core
    const { connection } = generation
    if (generation.status !== 'live' || connection.current !== generation) {
      this.#returnedReplaced(generation)
      return
    }
    const free = generation.leases === 0
    if (free && connection.state === 'acquired') core.setState(connection, 'idle')
    if (
      core.state !== 'running' ||
      generation.evicted ||
      core.size > core.options.maxConnections ||
      generation.uses >= core.options.maxUses
    ) {
      if (this.#leavesAtRelease(connection, generation, free)) return
    }
    if (connection.mark !== undefined && this.#engine.rebuilds.atRelease(connection)) return
    if (connection.health === 'unhealthy' || generation.checkWanted) {
      if (this.#unwellAtRelease(connection, generation, free)) return
    }
    if (generation.retiredByPeer) {
      core.changed()
      return
    }

    if (core.waiting.size > 0) {
      if (core.state !== 'paused' && this.#engine.isFit(connection, now)) {
        // The clock was read a moment ago, because somebody waits. From hand to hand, it has not been idle.
        const { busySince } = connection
        const waiter = this.#engine.nextWaiter(now)
        const lease = this.#handOut(connection, generation, true, waiter)
        connection.busySince = busySince
        if (core.overdue.size > 0) core.changed()
        waiter.resolve(lease)
        // A client that serves several may have room for the next.
        if (generation.leases < core.maxLeases) core.makeAvailable(connection)
        return
      }
      core.changed()
    }
    if (free) this.#becameIdle(connection, generation, now)
    if (generation.leases < core.maxLeases) core.idle.add(connection)
  }

  #becameIdle(connection: Connection<Client>, generation: Generation<Client>, now: number): void {
    const core = this.#core
    connection.idleSince = now
    if (core.options.allowExitOnIdle) this.#engine.setHold(generation, false)
    if (!this.#engine.upkeep.idleWatched) this.#engine.upkeep.connectionIdle()
    if (core.state !== 'running') core.changed()
  }

  /** A client that is no longer its connection's: replaced, or lost under its borrower. */
  #returnedReplaced(generation: Generation<Client>): void {
    if (generation.status === 'retired' && generation.leases === 0) void this.#engine.closer.close(generation, 'rebuilt')
    this.#core.changed()
  }

  /** @returns whether the connection was closed instead of serving on */
  #leavesAtRelease(connection: Connection<Client>, generation: Generation<Client>, free: boolean): boolean {
    const { core, closer, planner, upkeep } = this.#engine
    if (free && generation.evicted) closer.closeConnection(connection, 'evicted', 'close')
    else if (free && core.state === 'closing') closer.closeConnection(connection, 'pool_closed', 'close')
    // Not always this one: one that is worth less may go instead.
    else if (free && core.size > core.options.maxConnections) planner.closeSurplus()
    if (free && connection.state !== 'idle') return true
    if (generation.uses >= core.options.maxUses) upkeep.evaluate(connection)
    return generation.evicted
  }

  /** @returns whether the connection is closed or being checked instead of serving on */
  #unwellAtRelease(connection: Connection<Client>, generation: Generation<Client>, free: boolean): boolean {
    const { core, closer, health } = this.#engine
    if (connection.health === 'unhealthy' && !core.options.healthCheckTriggerRebuild && !core.panic) {
      if (free) closer.closeConnection(connection, 'unhealthy', 'destroy')
      return true
    }
    if (!free || !generation.checkWanted || core.waiting.size > 0 || !health.canCheck(connection)) return false
    this.#becameIdle(connection, generation, core.clock.now())
    health.check(connection)
    return core.maxLeases === 1
  }

  /** Lets a release know, without reading the clock, whether its use may have been long. */
  #startBeat(): void {
    this.#acquiredAtBeat = this.#core.counters.leased
    this.#beat.set(BEAT)
    this.#core.events.noteLevel()
    this.#engine.opinions.watch()
  }

  #nextBeat(): void {
    const core = this.#core
    core.beat++
    if (core.counters.leased !== this.#acquiredAtBeat && core.state === 'running') this.#startBeat()
  }

  /** For how long all connections have been in use, ms. Caller must know that they are. */
  busyFor(): number {
    let since = 0
    for (const { busySince } of this.#core.present()) since = Math.max(since, busySince)
    return this.#core.clock.now() - since
  }

  recordOf(generation: Generation<Client>): ReturnType<LeaseOwner<Client>['recordOf']> {
    return this.#core.record(generation.connection, generation)
  }

  /** Ends all timers. Caller must have closed all connections. */
  stop(): void {
    this.#beat.clear()
    for (const deadline of this.#resets) deadline.cancel()
    this.#resets.clear()
  }
}
