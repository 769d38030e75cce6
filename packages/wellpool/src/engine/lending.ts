import { Deadline, type Timer } from './clock.ts'
import type { Connection, Generation } from './connection.ts'
import { formatMs } from './duration.ts'
import type { Engine } from './engine.ts'
import { watchForLeak } from './leak-detector.ts'
import { Lease, type LeaseOutcome, type LeaseOwner } from './lease.ts'
import type { Waiter } from './wait-queue.ts'

/** A use is slow when it takes longer than this many times the pool's usual, and longer than the floor. */
const SLOW_USE_FACTOR = 10
const SLOW_USE_FLOOR = 250
/** While leases are handed out the beat changes this often, ms: an upper bound for what an unmeasured use took. */
const BEAT = 100
/** Of uses within one beat, one in this many is measured (a power of two). Reading the clock costs as much as the rest. */
const MEASURED = 8

/** Where leases are handed out and taken back: the hot path. */
export class Lending<Client> implements LeaseOwner<Client> {
  readonly #engine: Engine<Client>
  readonly #core: Engine<Client>['core']
  #beatTimer: Timer | undefined
  #acquiredAtBeat = 0
  /** Resets under way. */
  readonly #resets = new Set<Deadline>()

  constructor(engine: Engine<Client>) {
    this.#engine = engine
    this.#core = engine.core
  }

  /** Hands out a connection that is fit to serve. */
  lend(connection: Connection<Client>, generation: Generation<Client>, now: number): Lease<Client> {
    const core = this.#core
    if (generation.leases++ === 0) core.setState(connection, 'acquired')
    if (generation.leases >= core.maxLeases) core.idle.remove(connection)
    if (generation.uses++ > 0) core.counters.reused++
    core.counters.leased++
    generation.usedSinceProof = true
    const lease = new Lease(this, generation, now, core.beat)
    if (this.#beatTimer === undefined) this.#startBeat()
    if (core.watched) this.#noteLend(lease, core.waiting.head)
    return lease
  }

  /** What only some pools need at each lease. */
  #noteLend(lease: Lease<Client>, waiter: Waiter<Lease<Client>> | undefined): void {
    const core = this.#core
    const { options } = core
    if (options.leakDetectionThreshold !== Number.POSITIVE_INFINITY) watchForLeak(core, lease)
    if (options.allowExitOnIdle) this.#engine.setHold(lease.generation, true)
    core.measure('acquired', waiter === undefined ? 0 : lease.acquiredAt - waiter.since)
    if (core.events.heard('connectionAcquired')) core.events.emit('connectionAcquired', core.identify(lease.generation.connection))
  }

  /** A lease has ended. Called by the lease, once. */
  takeBack(lease: Lease<Client>, outcome: LeaseOutcome, error: unknown): void {
    const core = this.#core
    const { generation } = lease
    const { connection } = generation
    lease.leakWatch?.()

    // A short use ended within its beat: when it began is near enough. Some are measured all the same.
    const sampled = (generation.uses & (MEASURED - 1)) === 1 || core.counters.leased < 64
    let now = lease.acquiredAt
    if (sampled || lease.beat !== core.beat || core.waiting.size > 0 || core.watched) now = core.clock.now()
    const useMs = now - lease.acquiredAt
    if (core.watched) this.#noteRelease(lease, useMs)

    if (outcome === 'succeeded') {
      generation.requests++
      if (now > generation.lastProvenAt) generation.lastProvenAt = now
      if (sampled) core.useTimes.add(useMs)
      if (useMs > SLOW_USE_FLOOR && useMs > SLOW_USE_FACTOR * (core.useTimes.usual ?? useMs)) generation.checkWanted = true
      if (connection.health === 'unknown' && connection.current === generation) core.setHealth(connection, 'healthy')
    } else if (outcome === 'failed') {
      this.#useFailed(generation, error, now)
    }

    generation.leases--
    if (generation.leases === 0 && core.driver.reset !== undefined && generation.status === 'live' && connection.current === generation) {
      this.#reset(generation, now)
    } else {
      this.#returned(generation, now)
    }
  }

  #noteRelease(lease: Lease<Client>, useMs: number): void {
    const core = this.#core
    core.measure('released', useMs)
    if (core.events.heard('connectionReleased')) {
      const { connection, number } = lease.generation
      core.events.emit('connectionReleased', { connectionId: connection.id, generation: number })
    }
  }

  #useFailed(generation: Generation<Client>, error: unknown, now: number): void {
    const core = this.#core
    if (generation.status === 'gone' || generation.status === 'closing') return
    generation.requests++
    const meaning = core.classify(error)
    if (meaning === 'application') {
      if (now > generation.lastProvenAt) generation.lastProvenAt = now
      return
    }
    generation.countError()
    if (meaning === 'fatal') {
      this.#engine.lost(generation, `lost in use: ${core.copyError(error).message}`, error)
    } else {
      generation.lastProvenAt = Number.NEGATIVE_INFINITY
      if (generation.connection.current === generation) this.#engine.upkeep.evaluate(generation.connection)
    }
  }

  /** Lets the driver tidy up. The connection stays acquired meanwhile. */
  #reset(generation: Generation<Client>, now: number): void {
    const core = this.#core
    let pending: unknown
    try {
      pending = core.driver.reset?.(generation.client)
    } catch (error) {
      this.#resetFailed(generation, error)
      return
    }
    if (isThenable(pending)) this.#awaitReset(generation, Promise.resolve(pending))
    else this.#returned(generation, now)
  }

  #awaitReset(generation: Generation<Client>, pending: Promise<unknown>): void {
    const { clock, options } = this.#core
    let settled = false
    const settle = (error?: { readonly cause: unknown }): void => {
      if (settled) return
      settled = true
      deadline?.cancel()
      if (deadline !== undefined) this.#resets.delete(deadline)
      if (error === undefined) this.#returned(generation, clock.now())
      else this.#resetFailed(generation, error.cause)
    }
    const limit = options.resetTimeout
    const late = (): void => settle({ cause: new Error(`time-out after ${formatMs(limit)} (resetTimeout)`) })
    const deadline = limit === Number.POSITIVE_INFINITY ? undefined : new Deadline(clock, limit, late)
    if (deadline !== undefined) this.#resets.add(deadline)
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
    this.#returned(generation, this.#core.clock.now())
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
      core.places > core.options.maxConnections ||
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
      if (core.state !== 'paused' && core.waiting.head !== undefined && this.#engine.isFit(connection, now)) {
        const lease = this.lend(connection, generation, now)
        core.waiting.shift()?.resolve(lease)
        if (free) return
      } else {
        core.changed()
      }
    }
    if (free) this.#becameIdle(connection, generation, now)
    if (generation.leases < core.maxLeases) core.idle.add(connection)
  }

  #becameIdle(connection: Connection<Client>, generation: Generation<Client>, now: number): void {
    const core = this.#core
    connection.idleSince = now
    if (core.watched && core.options.allowExitOnIdle) this.#engine.setHold(generation, false)
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
    const { core, closer, upkeep } = this.#engine
    if (free && generation.evicted) closer.closeConnection(connection, 'evicted', 'close')
    else if (free && core.state === 'closing') closer.closeConnection(connection, 'pool_closed', 'close')
    else if (free && core.places > core.options.maxConnections) closer.closeConnection(connection, 'surplus', 'close')
    else {
      if (generation.uses >= core.options.maxUses) upkeep.evaluate(connection)
      return generation.evicted
    }
    return true
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
    const core = this.#core
    this.#acquiredAtBeat = core.counters.leased
    this.#beatTimer = core.clock.setTimeout(() => {
      core.beat++
      this.#beatTimer = undefined
      if (core.counters.leased !== this.#acquiredAtBeat && core.state === 'running') this.#startBeat()
    }, BEAT)
  }

  recordOf(generation: Generation<Client>): ReturnType<LeaseOwner<Client>['recordOf']> {
    return this.#core.record(generation.connection, generation)
  }

  /** Ends all timers. Caller must have closed all connections. */
  stop(): void {
    if (this.#beatTimer !== undefined) this.#core.clock.clearTimeout(this.#beatTimer)
    for (const deadline of this.#resets) deadline.cancel()
    this.#resets.clear()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
