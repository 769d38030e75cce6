import { systemClock } from './clock.ts'
import { driverProblems } from './create-pool.ts'
import type { Driver } from './driver.ts'
import { ConfigError, type ConfigProblem, ConnectionNotFoundError, PoolClosedError, RebuildFailedError } from './errors.ts'
import type { EventName, Listener } from './events.ts'
import { summarize, throwIfAllFailed } from './manual-rebuilds.ts'
import { nearest } from './nearest.ts'
import type { PoolOptions } from './options.ts'
import { Pool } from './pool.ts'
import type { BatchRebuildOptions, RebuildOptions, StartOptions, WaitOptions } from './pool-types.ts'
import type { BatchRebuildResult, RebuildResult } from './rebuild-result.ts'
import type { PoolStats } from './records.ts'
import { checkListener, describe, isObject, problem, refuse, resolveOptions } from './resolve-options.ts'

/** A driver with options of its own, in a set of pools. */
export type PoolSpec<Client> = { readonly driver: Driver<Client> } & Omit<PoolOptions, 'name'>

/** What a set of pools is made from: by name, a driver, or a driver with options. */
export type PoolSpecs<Clients> = { readonly [Name in keyof Clients]: Driver<Clients[Name]> | PoolSpec<Clients[Name]> }

/** A set of pools, each also a property under its name. `Clients` gives the client of each. */
export type Pools<Clients = Record<never, never>> = PoolSet & { readonly [Name in keyof Clients]: Pool<Clients[Name]> }

/** Several pools by name, under one life cycle. Make it with {@link createPools}. */
export class PoolSet {
  readonly #pools = new Map<string, Pool<unknown>>()
  readonly #options: PoolOptions
  readonly #listeners = new Set<{ readonly name: EventName; readonly listener: Listener<never> }>()
  #started = false
  #closed = false

  /** Use {@link createPools}. @internal */
  constructor(options: PoolOptions) {
    this.#options = options
  }

  /**
   * Adds a pool, with the set's options beneath its own. It starts at once if the set has been started.
   *
   * @throws INVALID_CONFIG for a name that is taken or can't be one, and for wrong options
   * @throws POOL_CLOSED after `close` or `drain`
   */
  add<Client>(name: string, driver: Driver<Client>, options: Omit<PoolOptions, 'name'> = {}): Pool<Client> {
    if (this.#closed) throw new PoolClosedError('this set of pools is closed')
    const problems = [...this.#nameProblems(name), ...driverProblems(driver, `${name}.`)]
    if (problems.length > 0) throw new ConfigError(problems)
    const layers = [driver.defaults ?? {}, this.#options, { ...options, name }]
    const pool = new Pool(driver, layers, resolveOptions(layers, name, `${name}.`))
    this.#adopt(name, pool as Pool<unknown>)
    return pool
  }

  /**
   * Drains a pool and takes it out of the set. Its name is free again at once.
   *
   * @returns when it is closed
   * @throws INVALID_CONFIG when there is no pool of this name
   */
  async remove(name: string, options: WaitOptions = {}): Promise<void> {
    const pool = this.#pools.get(name)
    if (pool === undefined) refuse('name', `'${name}'`, nearest(name, this.names()) || 'nothing: there are no pools')
    const drained = pool.drain(options)
    this.#pools.delete(name)
    delete (this as Record<string, unknown>)[name]
    await drained
  }

  /** @returns the pool of this name, or undefined */
  get(name: string): Pool<unknown> | undefined {
    return this.#pools.get(name)
  }

  /** The names of the pools, in the order in which they were added. */
  names(): string[] {
    return [...this.#pools.keys()]
  }

  /** The pools by name. */
  [Symbol.iterator](): Iterator<[string, Pool<unknown>]> {
    return this.#pools[Symbol.iterator]()
  }

  /**
   * Starts all pools, and from now on those that are added.
   *
   * @returns when each has its `minConnections`
   * @throws the first pool's failure; the others go on
   */
  async start(options: StartOptions = {}): Promise<void> {
    this.#started = true
    await all([...this.#pools.values()].map((pool) => pool.start(options)))
  }

  /** Drains all pools; see {@link Pool.drain}. */
  drain(options: WaitOptions = {}): Promise<void> {
    return this.#end((pool) => pool.drain(options))
  }

  /** Closes all pools; see {@link Pool.close}. */
  close(options: WaitOptions = {}): Promise<void> {
    return this.#end((pool) => pool.close(options))
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Each pool in numbers, by name. */
  stats(): Record<string, PoolStats> {
    return Object.fromEntries([...this.#pools].map(([name, pool]) => [name, pool.stats()]))
  }

  /**
   * Hears the events of all pools, those that are added later included.
   *
   * @returns a function that takes the listener off again
   * @throws INVALID_CONFIG when there is no event of this name, or the listener is no function
   */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    checkListener(name, listener)
    const entry = { name, listener: listener as Listener<never> }
    this.#listeners.add(entry)
    for (const pool of this.#pools.values()) pool.on(name, listener)
    return () => {
      this.#listeners.delete(entry)
      for (const pool of this.#pools.values()) pool.off(name, listener)
    }
  }

  /** Rebuilds one connection of whichever pool has it; see {@link Pool.rebuildConnectionById}. */
  async rebuildConnectionById(id: string, options: RebuildOptions = {}): Promise<RebuildResult> {
    for (const pool of this.#pools.values()) {
      if (pool.connections().some((connection) => connection.id === id)) return pool.rebuildConnectionById(id, options)
    }
    throw new ConnectionNotFoundError(`no pool has a connection ${id}`)
  }

  /** Rebuilds in all pools of one protocol; see {@link Pool.rebuildConnections}. An unknown protocol has nothing to rebuild. */
  rebuildConnectionsByProtocol(protocol: string, options: BatchRebuildOptions = {}): Promise<BatchRebuildResult> {
    return this.#rebuild(
      [...this.#pools.values()].filter((pool) => pool.protocol === protocol),
      options,
    )
  }

  /** Rebuilds in all pools; see {@link Pool.rebuildConnections}. */
  rebuildConnections(options: BatchRebuildOptions = {}): Promise<BatchRebuildResult> {
    return this.#rebuild([...this.#pools.values()], options)
  }

  async #end(end: (pool: Pool<unknown>) => Promise<void>): Promise<void> {
    const ends = [...this.#pools.values()].map(end)
    // Not if the options were wrong: then nothing has changed.
    this.#closed = true
    await all(ends)
  }

  async #rebuild(pools: readonly Pool<unknown>[], options: BatchRebuildOptions): Promise<BatchRebuildResult> {
    const clock = this.#options.clock ?? systemClock
    const startedAt = clock.wallNow()
    const began = clock.now()
    const parts = await Promise.all(
      pools.map(async (pool) => {
        try {
          return await pool.rebuildConnections(options)
        } catch (error) {
          // One pool where all have failed is only a part of the whole.
          if (error instanceof RebuildFailedError) return error.result
          if (error instanceof PoolClosedError) return undefined
          throw error
        }
      }),
    )
    const skipped: Record<string, number> = {}
    for (const part of parts) {
      for (const [protocol, counts] of Object.entries(part?.byProtocol ?? {})) skipped[protocol] = (skipped[protocol] ?? 0) + counts.skipped
    }
    const results = parts.flatMap((part) => part?.results ?? [])
    const times = { startedAt, endedAt: clock.wallNow(), durationMs: clock.now() - began, cancelled: options.signal?.aborted === true }
    return throwIfAllFailed(summarize(results, skipped, times))
  }

  #adopt(name: string, pool: Pool<unknown>): void {
    this.#pools.set(name, pool)
    Object.defineProperty(this, name, { value: pool, configurable: true, enumerable: true })
    for (const { name: event, listener } of this.#listeners) pool.on(event, listener as Listener<EventName>)
    // Who adds a pool to a running set does not wait for it; what goes wrong shows in its events.
    if (this.#started) pool.start().catch(() => {})
  }

  #nameProblems(name: string): ConfigProblem[] {
    if (typeof name !== 'string' || name === '') return [problem('name', String(name), 'a text that is not empty')]
    if (name === 'then' || name in this) {
      const taken = this.#pools.has(name)
      return [problem(name, taken ? 'a name that is taken' : 'the name of a member of the set', 'another name')]
    }
    return []
  }
}

/**
 * Makes a set of pools, each under its name.
 *
 * @param specs by name, a driver, or `{ driver, ...options }`
 * @param options for all pools; a pool's own win over them
 * @throws INVALID_CONFIG naming everything that is wrong in any of them
 *
 * @example
 * const pools = createPools({ orders: postgres({ connectionString }), cache: { driver: redis(), maxConnections: 4 } })
 * await pools.orders.use((client) => client.query('select 1'))
 */
export function createPools<Clients>(specs: PoolSpecs<Clients>, options: Omit<PoolOptions, 'name'> = {}): Pools<Clients> {
  const set = new PoolSet(options)
  if (!isObject(specs)) refuse('pools', describe(specs), 'an object with drivers by name')
  const problems: ConfigProblem[] = []
  for (const [name, spec] of Object.entries(specs as Record<string, Driver<unknown> | PoolSpec<unknown>>)) {
    const { driver, ...own } = isObject(spec) && 'driver' in spec ? spec : { driver: spec }
    try {
      set.add(name, driver, own)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return set as Pools<Clients>
}

/** Waits for all, then rejects with the first failure if there was one. */
async function all(promises: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(promises)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
