import { NEVER } from './clock.ts'
import type { Generation } from './connection.ts'
import { isPresent } from './core.ts'
import { formatMs } from './duration.ts'
import type { Engine, EngineHost } from './engine.ts'
import { ConfigError, ConnectError, PoolClosedError, PoolPausedError, type WellpoolError } from './errors.ts'
import type { PoolOptions } from './options.ts'
import type { EvictOptions, PauseOptions, StartOptions, WaitOptions } from './pool-types.ts'
import { describe, isObject, problem, readCall, refuse, resolveOptions } from './resolve-options.ts'
import { waitingCall } from './waiting-call.ts'

/** What can't change while a pool runs: it is part of every event, or all that the pool has planned hangs on it. */
const FIXED = ['name', 'clock', 'random', 'logger'] as const

/** A call that waits until the pool has reached some point. */
interface Awaited {
  readonly reached: () => boolean
  readonly resolve: () => void
  /** Tells a start that it has failed. */
  readonly refuse: ((error: WellpoolError) => void) | undefined
}

/** From `start` to `close`: what the pool as a whole does, and who waits for it. */
export class Lifecycle<Client> {
  readonly #engine: Engine<Client>
  readonly #refuse: EngineHost<Client>['refuse']
  readonly #layers: readonly PoolOptions[]
  #given: PoolOptions
  #failWaiting = false
  #warmedUp = false
  #begun = false
  readonly #awaited = new Set<Awaited>()
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /** @param layers the options as given, the user's own last */
  constructor(engine: Engine<Client>, layers: readonly PoolOptions[], refuse: EngineHost<Client>['refuse']) {
    this.#engine = engine
    this.#layers = layers
    this.#given = {}
    this.#refuse = refuse
  }

  get options(): Readonly<PoolOptions> {
    const layers = [...this.#layers, this.#given]
    return merge([...layers, { backoff: merge(layers.map(({ backoff = {} }) => backoff)) }])
  }

  /**
   * A borrower comes.
   *
   * @param again whether it comes back after a lost connection: a drain serves it as one of those who wait
   * @returns why it is turned away, if it is
   */
  admit(again: boolean): WellpoolError | undefined {
    const { core } = this.#engine
    if (core.state === 'new') this.#begin()
    if (core.state === 'draining' && !again) return new PoolClosedError(`pool ${core.options.name} is draining and takes no new borrowers`)
    if (core.ended) return new PoolClosedError(`pool ${core.options.name} is ${core.state}`)
    if (core.state === 'paused' && this.#failWaiting) return new PoolPausedError(`pool ${core.options.name} is paused`)
    return undefined
  }

  async start(options: StartOptions): Promise<void> {
    const { core, connector } = this.#engine
    const timeout = readCall(options) ?? core.options.acquireTimeout
    if (core.state === 'new') this.#begin()
    else if (core.state !== 'running' && core.state !== 'paused') throw new PoolClosedError(`pool ${core.options.name} is ${core.state}`)
    if (await this.#reach(() => this.#warmedUp, timeout, options)) return
    const { lastError } = connector
    const why = lastError?.message ?? 'connects are still under way'
    const { name, minConnections } = core.options
    throw new ConnectError(`pool ${name} has not reached ${minConnections} connections within ${formatMs(timeout)}: ${why}`, lastError)
  }

  pause(options: PauseOptions): void {
    readCall(options)
    const { failWaiting = false } = options
    const { core } = this.#engine
    if (core.state === 'new') this.#begin()
    if (core.state !== 'running' && core.state !== 'paused') return
    this.#failWaiting = failWaiting
    if (core.state === 'running') {
      core.state = 'paused'
      core.events.emit('poolPaused', {})
    }
    if (failWaiting) this.#refuseAll(new PoolPausedError(`pool ${core.options.name} is paused`))
    core.changed()
  }

  resume(): void {
    const { core } = this.#engine
    if (core.state !== 'paused') return
    core.state = 'running'
    core.events.emit('poolResumed', {})
    core.changed()
  }

  async evict(options: EvictOptions): Promise<void> {
    readCall(options)
    const { interruptInUse = false } = options
    const { core, closer, connector, rebuilds } = this.#engine
    const going: Generation<Client>[] = []
    connector.evict(interruptInUse)
    rebuilds.evict()
    for (const connection of [...core.connections.values()]) {
      const { current, state } = connection
      if (current === undefined || current.status !== 'live' || state === 'closing' || state === 'closed') continue
      if (state !== 'acquired') {
        going.push(current)
        closer.closeConnection(connection, 'evicted', 'close')
      } else if (interruptInUse) {
        closer.closeConnection(connection, 'evicted', 'destroy')
      } else {
        current.evicted = true
        core.idle.remove(connection)
      }
    }
    if (interruptInUse) this.#destroyRetired()
    core.changed()
    await this.#reach(() => going.every(({ status }) => status === 'gone'))
  }

  reconfigure(options: PoolOptions): void {
    if (!isObject(options as unknown)) refuse('options', describe(options), 'an object')
    const { core, health, upkeep } = this.#engine
    const before = core.options
    const given = overlay([this.#given, options])
    const after = resolveOptions([...this.#layers, given], core.driver.protocol)
    after.name = options.name ?? before.name
    after.random = options.random ?? before.random
    const fixed = FIXED.filter((key) => options[key] !== undefined && options[key] !== before[key])
    if (fixed.length > 0) {
      throw new ConfigError(fixed.map((path) => problem(path, 'a new value', 'what the pool was made with')))
    }
    this.#given = given
    core.options = after
    core.waiting.setTimeout(after.acquireTimeout)
    core.idle.setOrder(after.idleOrder)
    core.noteWatchers()
    if (!this.#begun || core.ended) return
    upkeep.restart(before)
    for (const connection of core.present()) {
      health.schedule(connection)
      const { current, state } = connection
      if (after.allowExitOnIdle === before.allowExitOnIdle || current?.status !== 'live') continue
      this.#engine.setHold(current, before.allowExitOnIdle || state === 'acquired')
    }
    core.changed()
  }

  drain(options: WaitOptions): Promise<void> {
    const timeout = readCall(options) ?? this.#engine.core.options.acquireTimeout
    this.#draining ??= this.#closing ?? this.#drain(timeout)
    return this.#draining
  }

  close(options: WaitOptions): Promise<void> {
    const timeout = readCall(options) ?? this.#engine.core.options.closeTimeout
    this.#closing ??= this.#close(timeout)
    return this.#closing
  }

  /** The pool has done its round of work: whoever waits for a point that is reached now hears of it. */
  settled(): void {
    this.#lookForWarmUp()
    for (const awaited of [...this.#awaited]) {
      if (!awaited.reached()) continue
      this.#awaited.delete(awaited)
      awaited.resolve()
    }
  }

  /** A connect was refused for good: starting has failed. */
  refuseStart(error: WellpoolError): void {
    for (const { refuse } of [...this.#awaited]) refuse?.(error)
  }

  #begin(): void {
    const { core } = this.#engine
    core.state = 'running'
    this.#begun = true
    this.#engine.start()
    core.changed()
  }

  #lookForWarmUp(): void {
    const { core } = this.#engine
    if (this.#warmedUp || core.state !== 'running' || core.size - core.rebuilding < core.options.minConnections) return
    this.#warmedUp = true
    core.events.emit('poolWarmedUp', {})
  }

  async #drain(timeout: number): Promise<void> {
    const { core } = this.#engine
    if (core.state === 'new') return this.close({})
    core.state = 'draining'
    core.changed()
    const inTime = await this.#reach(() => core.ended || (core.waiting.size === 0 && core.repeatable === 0 && !this.#anyLease()), timeout)
    if (this.#closing !== undefined) return this.#closing
    if (inTime) core.events.emit('poolDrained', {})
    return this.close(inTime ? {} : { timeout: 0 })
  }

  async #close(timeout: number): Promise<void> {
    const { core, closer, connector } = this.#engine
    core.state = 'closing'
    const error = new PoolClosedError(`pool ${core.options.name} was closed`)
    this.#refuseAll(error)
    this.refuseStart(error)
    connector.giveUpAll()
    for (const connection of [...core.connections.values()]) {
      if (connection.state !== 'acquired') closer.closeConnection(connection, 'pool_closed', 'close')
      // Its mark leads nowhere any more, and whoever waits for the rebuild hears so now.
      else connection.rebuild?.cancel()
    }
    const nothingLeft = (): boolean => core.open === 0 && core.connections.size === 0
    if (!(await this.#reach(nothingLeft, timeout))) {
      for (const connection of [...core.connections.values()]) {
        if (isPresent(connection)) closer.closeConnection(connection, 'pool_closed', 'destroy')
      }
      this.#destroyRetired()
      closer.destroyClosing()
    }
    await this.#reach(nothingLeft)
    this.#engine.stop()
    core.state = 'closed'
    core.hold.end()
    core.events.emit('poolClosed', {})
  }

  #destroyRetired(): void {
    const { core, closer } = this.#engine
    for (const generation of [...core.retired]) {
      closer.destroyUnderBorrowers(generation, undefined)
      closer.report(generation, 'rebuilt')
    }
  }

  #anyLease(): boolean {
    const { core } = this.#engine
    return core.retired.size > 0 || core.acquired > 0
  }

  #refuseAll(error: Error): void {
    const { waiting } = this.#engine.core
    for (const waiter of waiting) {
      waiting.remove(waiter)
      this.#refuse(waiter, error, 'refused')
    }
  }

  /**
   * @param start the options of a start that waits
   * @returns whether the point was reached within `timeout` ms
   */
  async #reach(reached: () => boolean, timeout = NEVER, start?: StartOptions): Promise<boolean> {
    if (reached()) return true
    return waitingCall<Client, boolean>(
      this.#engine.core,
      { timeout, signal: start?.signal },
      (resolve, reject) => {
        const awaited = { reached, resolve: () => resolve(true), refuse: start && reject }
        this.#awaited.add(awaited)
        return () => this.#awaited.delete(awaited)
      },
      (resolve) => resolve(false),
    )
  }
}

/** Layers of options as one, the later over the earlier; those of `backoff` one by one. */
function overlay(layers: readonly PoolOptions[]): PoolOptions {
  const backoff = Object.assign({}, ...layers.map((layer) => layer.backoff))
  return Object.assign({}, ...layers, Object.keys(backoff).length > 0 && { backoff })
}

/** The later layers over the earlier. What is undefined was not given. */
function merge(layers: readonly object[]): object {
  return Object.fromEntries(layers.flatMap((layer) => Object.entries(layer)).filter(([, value]) => value !== undefined))
}
