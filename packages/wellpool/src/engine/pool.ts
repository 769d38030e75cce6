import { NEVER } from './clock.ts'
import type { Driver } from './driver.ts'
import { formatMs } from './duration.ts'
import { Engine } from './engine.ts'
import { AcquireTimeoutError, type AcquireVerdict, type ConnectError, QueueFullError } from './errors.ts'
import type { EventName, Listener } from './events.ts'
import { traceOf } from './leak-detector.ts'
import type { Lease } from './lease.ts'
import { Lending } from './lending.ts'
import { Lifecycle } from './lifecycle.ts'
import { ManualRebuilds } from './manual-rebuilds.ts'
import type { AcquireFailure } from './metrics.ts'
import type { PoolOptions } from './options.ts'
import type {
  AcquireOptions,
  BatchRebuildOptions,
  EvictOptions,
  PauseOptions,
  RebuildOptions,
  StartOptions,
  UseContext,
  UseOptions,
  WaitOptions,
} from './pool-types.ts'
import type { BatchRebuildResult, RebuildResult } from './rebuild-result.ts'
import type { ConnectionRecord, PoolStats } from './records.ts'
import { checkListener, describe, readCall, refuse, resolveOptions } from './resolve-options.ts'
import { snapshot } from './stats.ts'
import { runUnderLease } from './use.ts'
import { Waiter } from './wait-queue.ts'

/**
 * The connections of one driver to one endpoint. Make it with {@link createPool}; it begins to connect at
 * `start()` or at the first acquire.
 *
 * @typeParam Client what the driver connects and borrowers use
 */
export class Pool<Client> {
  readonly #engine: Engine<Client>
  readonly #core: Engine<Client>['core']
  readonly #lifecycle: Lifecycle<Client>
  readonly #manual: ManualRebuilds<Client>
  readonly #lending: Lending<Client>
  /** What the executor below takes and gives. One serves all promises: a closure for each would have to be collected. */
  #arrivedAt = 0
  #made: Waiter<Lease<Client>> | undefined = undefined
  readonly #makeWaiter = (resolve: (lease: Lease<Client>) => void, reject: (error: unknown) => void): void => {
    this.#made = new Waiter(resolve, reject, this.#arrivedAt)
  }

  /** Use {@link createPool}. @internal */
  constructor(driver: Driver<Client>, layers: readonly PoolOptions[], options = resolveOptions(layers, driver.protocol)) {
    this.#engine = new Engine(driver, options, {
      lend: (connection, waiter) => this.#lending.lend(connection, waiter),
      refuse: (waiter, error, failure) => this.#refuse(waiter, error, failure),
      expired: (waiter) => this.#expired(waiter),
      settled: () => this.#lifecycle.settled(),
      refuseStart: (error) => this.#lifecycle.refuseStart(error),
      stop: () => this.#lending.stop(),
    })
    this.#core = this.#engine.core
    this.#lifecycle = new Lifecycle(this.#engine, layers, (waiter, error, failure) => this.#refuse(waiter, error, failure))
    this.#manual = new ManualRebuilds(this.#engine)
    this.#lending = new Lending(this.#engine)
  }

  /** The pool's name in events, metrics and errors. */
  get name(): string {
    return this.#core.options.name
  }

  /** The driver's protocol. */
  get protocol(): string {
    return this.#core.driver.protocol
  }

  /**
   * Borrows a client. It is the caller's until the lease is released; prefer {@link Pool.use}, which can't
   * forget to.
   *
   * @throws ACQUIRE_TIMEOUT when none became available in time; its `verdict` says why
   * @throws POOL_CLOSED, POOL_PAUSED, QUEUE_FULL, CIRCUIT_OPEN, CONNECT_FAILED as their classes say
   * @throws INVALID_CONFIG when an option is wrong or unknown
   * @throws the signal's reason when it is aborted
   */
  acquire(options?: AcquireOptions): Promise<Lease<Client>> {
    if (options !== undefined) return this.#acquireWith(options)
    // Not an async function: one that awaits the queue keeps a second promise, and its frame, while the borrower waits.
    const lease = this.tryAcquire()
    return lease === undefined ? this.#wait(undefined, undefined, undefined) : fulfilled(lease)
  }

  async #acquireWith(options: AcquireOptions): Promise<Lease<Client>> {
    const timeout = readCall(options)
    return this.tryAcquire() ?? this.#wait(options.signal, timeout, undefined)
  }

  /** @returns a lease if a connection is fit to serve this instant and nobody waits for it, otherwise undefined. Never throws. */
  tryAcquire(): Lease<Client> | undefined {
    const core = this.#core
    if (core.state !== 'running' || core.waiting.size > 0 || core.size > core.options.maxConnections) return undefined
    return this.#lending.lendIdle()
  }

  /**
   * Borrows a client, runs `run` with it, and gives it back: the way to prefer.
   *
   * With `idempotent`, `run` is called again on another connection if its connection is lost under it, at
   * most `attempts` times in all. `timeout` bounds the waiting, over all attempts.
   *
   * @returns what `run` returns
   * @throws what `run` throws; CONNECTION_LOST at once when its client is destroyed; otherwise as {@link Pool.acquire}
   */
  async use<Result>(run: (client: Client, context: UseContext) => Result | Promise<Result>, options?: UseOptions): Promise<Result> {
    if (typeof run !== 'function') refuse('run', describe(run), 'a function that is given a client')
    const given = readCall(options)
    const signal = options?.signal
    const core = this.#core
    if (options?.idempotent !== true)
      return runUnderLease(this.tryAcquire() ?? (await this.#wait(signal, given, undefined)), run, 1, signal, false)

    // It keeps its place in the queue, and a drain waits for it, while it has no connection in between.
    core.repeatable++
    try {
      const since = core.clock.now()
      let rank: number | undefined
      let timeout = given
      for (let attempt = 1; ; attempt++) {
        let lease = this.tryAcquire()
        if (lease === undefined) {
          const began = core.clock.now()
          lease = await this.#wait(signal, timeout, rank)
          timeout = Math.max(0, (timeout ?? core.options.acquireTimeout) - (core.clock.now() - began))
        }
        try {
          return await runUnderLease(lease, run, attempt, signal, attempt < core.options.attempts)
        } catch (error) {
          // And not by what came after the use: a reset that failed, a rebuild that was put off until the release.
          if (!lease.generation.lostInUse || attempt >= core.options.attempts || signal?.aborted === true || core.ended) throw error
        }
        // Who comes back has what is left of the time.
        rank = since
        timeout ??= core.options.acquireTimeout
      }
    } finally {
      core.repeatable--
      // A drain may wait for this.
      if (core.state !== 'running') core.changed()
    }
  }

  /**
   * Begins to connect. A pool begins by itself at the first acquire; `start` lets one wait for it.
   *
   * @returns when `minConnections` are connected
   * @throws CONNECT_FAILED when that was not reached within `timeout` (default `acquireTimeout`), or is refused for good
   * @throws POOL_CLOSED after `close` or `drain`; the signal's reason when it is aborted
   */
  start(options: StartOptions = {}): Promise<void> {
    return this.#lifecycle.start(options)
  }

  /**
   * Hands out no more leases until {@link Pool.resume}. Time-outs run on. Does nothing when paused or closing.
   *
   * @throws INVALID_CONFIG when an option is wrong or unknown
   */
  pause(options: PauseOptions = {}): void {
    this.#lifecycle.pause(options)
  }

  /** Ends a pause; does nothing otherwise. */
  resume(): void {
    this.#lifecycle.resume()
  }

  /**
   * Declares every present client stale: idle ones are closed now, leased ones on release, those connecting on
   * arrival. The pool refills itself.
   *
   * @returns when those that were idle are closed
   * @throws INVALID_CONFIG when an option is wrong or unknown
   */
  evict(options: EvictOptions = {}): Promise<void> {
    return this.#lifecycle.evict(options)
  }

  /**
   * Changes options of the running pool, without losing a lease. All or nothing. A wait that has begun, for a repeated
   * check or for the next try of a rebuild, ends when it was to end.
   *
   * @throws INVALID_CONFIG naming everything that is wrong; nothing has changed then
   */
  reconfigure(options: PoolOptions): void {
    this.#lifecycle.reconfigure(options)
  }

  /**
   * Refuses new borrowers, serves those who wait, waits for all leases, and closes. Ends a pause.
   *
   * @param options `timeout`: after this it closes all the same. Default `acquireTimeout`
   */
  drain(options: WaitOptions = {}): Promise<void> {
    return this.#lifecycle.drain(options)
  }

  /**
   * Rejects who waits, gives leases `timeout` to be released, then destroys what is left. A second call joins
   * the first.
   *
   * @param options `timeout`: default `closeTimeout`
   * @returns when nothing is left of the pool: no client, no timer
   */
  close(options: WaitOptions = {}): Promise<void> {
    return this.#lifecycle.close(options)
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Rebuilds one connection and waits for the outcome. In use or not: who holds the old client keeps it.
   *
   * @returns the outcome; `success: false` when the successor could not be had, and then nothing has happened
   * @throws CONNECTION_NOT_FOUND, CONNECTION_STATE, CIRCUIT_OPEN, POOL_CLOSED; CONNECTION_BUSY when it could not
   *   begin within `timeout` (default `acquireTimeout`); the signal's reason. The mark stays then.
   */
  rebuildConnectionById(id: string, options: RebuildOptions = {}): Promise<RebuildResult> {
    return this.#manual.byId(id, options)
  }

  /**
   * Rebuilds what is marked or due, or with `all` every connection, a few at a time.
   *
   * @returns what became of each, also when some fail
   * @throws REBUILD_FAILED when all fail, with the result on it
   */
  rebuildConnections(options: BatchRebuildOptions = {}): Promise<BatchRebuildResult> {
    return this.#manual.batch(options)
  }

  /** The pool in numbers, as it is now. */
  stats(): PoolStats {
    return snapshot(this.#engine)
  }

  /** What is known of each connection, as it is now. */
  connections(): ConnectionRecord[] {
    return [...this.#core.connections.values()].map((connection) => this.#core.record(connection))
  }

  /** The options in force, as they were given: defaults, the driver's, the user's and what was reconfigured. */
  get options(): Readonly<PoolOptions> {
    return this.#lifecycle.options
  }

  /**
   * @returns a function that takes the listener off again
   * @throws INVALID_CONFIG when there is no event of this name, or the listener is no function
   */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    checkListener(name, listener)
    return this.#core.events.on(name, listener)
  }

  off<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    this.#core.events.off(name, listener)
  }

  /** Joins the queue. */
  #wait(signal: AbortSignal | undefined, timeout: number | undefined, since: number | undefined): Promise<Lease<Client>> {
    const core = this.#core
    if (core.state !== 'running') {
      const refusal = this.#lifecycle.admit(since !== undefined)
      if (refusal !== undefined) return this.#turnAway(refusal)
    }
    const { options } = core
    if (core.waiting.size >= options.maxWaiting) {
      return this.#turnAway(new QueueFullError(`pool ${options.name} has ${core.waiting.size} borrowers waiting (maxWaiting)`))
    }
    // Once the next try is due, whoever comes is the need for it.
    if (options.failFast && !this.#engine.connector.mayTry && core.inService() === 0) return this.#turnAway(this.#engine.circuitOpen())
    const now = core.clock.now()
    if (timeout !== undefined && timeout <= 0) {
      core.counters.acquireTimeouts++
      return this.#turnAway(this.#timeoutError(0), 'timed_out')
    }
    this.#arrivedAt = since ?? now
    const promise = new Promise<Lease<Client>>(this.#makeWaiter)
    const waiter = this.#made as Waiter<Lease<Client>>
    this.#made = undefined
    if (options.leakDetectionThreshold !== NEVER) waiter.trace = traceOf(this.#wait)
    if (signal === undefined && timeout === undefined) core.waiting.add(waiter)
    else core.waiting.addSpecial(waiter, timeout, signal, () => this.#refuse(waiter, signal?.reason, 'aborted'))
    // With everything in use and no room to grow, all that helps is a release, and it comes by itself.
    if (core.acquired < core.places || core.places < options.maxConnections || core.idle.size > 0) core.changed()
    return promise
  }

  /** Refuses somebody who has not waited at all. */
  async #turnAway(error: unknown, failure: AcquireFailure = 'refused'): Promise<never> {
    this.#core.measure('acquireFailed', failure, 0)
    throw error
  }

  #refuse(waiter: Waiter<Lease<Client>>, error: unknown, failure: AcquireFailure): void {
    this.#core.measure('acquireFailed', failure, this.#core.clock.now() - waiter.since)
    waiter.reject(error)
    this.#core.changed()
  }

  #expired(waiter: Waiter<Lease<Client>>): void {
    const core = this.#core
    const error = this.#timeoutError(core.clock.now() - waiter.since)
    core.counters.acquireTimeouts++
    this.#refuse(waiter, error, 'timed_out')
  }

  /** Thousands may be needed in one turn of the event loop: only what it says is counted. */
  #timeoutError(waitedMs: number): AcquireTimeoutError {
    const { acquired, connections, options, size: total, waiting: queue } = this.#core
    let idle = 0
    if (acquired < total) for (const connection of connections.values()) if (connection.state === 'idle') idle++
    const waiting = queue.size + 1
    const [verdict, why, cause] = this.#judge()
    const numbers = `(total ${total}, idle ${idle}, acquired ${acquired}, waiting ${waiting})`
    return withoutStack(
      () =>
        new AcquireTimeoutError(
          `pool ${options.name}: no connection after ${formatMs(waitedMs)}, ${why} ${numbers}`,
          { verdict, waitedMs, total, idle, acquired, waiting },
          cause,
        ),
    )
  }

  /** Why nobody can be served now, in one word and in many, and the failed connect that is to blame. */
  #judge(): [verdict: AcquireVerdict, why: string, cause?: ConnectError] {
    const { acquired, options, size, state } = this.#core
    const { lastError } = this.#engine.connector
    if (state === 'paused') return ['paused', 'the pool is paused']
    if (size > 0 && acquired === size) {
      const busy = `all ${acquired} connections have been in use for ${formatMs(this.#lending.busyFor())}`
      // A pool that is whole needs no connect.
      if (lastError === undefined || size >= options.maxConnections)
        return ['saturated', `${busy}; release sooner, or raise maxConnections`]
      return ['saturated', `${busy}; no more can be made: ${lastError.message}`, lastError]
    }
    if (lastError === undefined) return ['connecting', 'one is being made or checked']
    return ['down', `the endpoint cannot be reached: ${lastError.message}`, lastError]
  }
}

/** Creates an error without a stack: a timer's leads nowhere, and to walk it takes ten times as long as all the rest. */
function withoutStack<Result>(create: () => Result): Result {
  const { stackTraceLimit } = Error
  // Not by assignment: with frozen intrinsics that would throw.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return create()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

/** As Promise.resolve, which looks for a `then` and takes a little longer. */
async function fulfilled<Value>(value: Value): Promise<Value> {
  return value
}
