import { EventEmitter } from 'node:events'
import { fromFactory } from '../drivers/factory.ts'
import { createPool as createWellpool, type Lease, type Pool as WellpoolPool } from '../index.ts'
import { type GenericPoolOptions, type ResolvedGenericPoolOptions, resolveGenericPoolOptions } from './generic-pool-options.ts'
import { type Request, RequestQueue } from './generic-pool-queue.ts'
import { type Resource, ResourceFactory } from './generic-pool-resource.ts'

export type { GenericPoolOptions } from './generic-pool-options.ts'

/** What makes resources, ends them, and looks whether they still work. */
export interface Factory<T> {
  create(): T | PromiseLike<T>
  destroy(resource: T): unknown
  /** Fulfils with `false` when the resource is of no more use. */
  validate?(resource: T): unknown
}

/** A borrower has waited for `acquireTimeoutMillis`; `cause` is the pool's own error, which says why. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/**
 * Stands where the pool of generic-pool 3 stands, with Wellpool's pool underneath: a create that fails is tried again
 * with a backoff, and resources that a `validate` finds broken are replaced before anybody asks for them.
 * `docs/migrating.md` lists what is different.
 *
 * Events: `factoryCreateError` and `factoryDestroyError`, with the error.
 */
export class Pool<T> extends EventEmitter {
  /** The pool underneath: its health, its rebuilds, its events and figures. */
  readonly wellpool: WellpoolPool<Resource<T>>
  readonly #options: ResolvedGenericPoolOptions
  readonly #queue: RequestQueue<T>
  /** One for each request: what the pool underneath is asked for. Whichever is granted serves whoever comes first here. */
  readonly #asked: AbortController[] = []
  readonly #borrowed = new Map<T, Lease<Resource<T>>>()
  readonly #factory: ResourceFactory<T>
  #started = false
  #draining = false
  /** Who waits until nobody waits and nothing is borrowed. */
  readonly #drained: (() => void)[] = []
  #renewals: NodeJS.Timeout | undefined

  /** @throws ConfigError when the factory lacks a function, or options are no numbers */
  constructor(factory: Factory<T>, options: GenericPoolOptions = {}) {
    super()
    this.#options = resolveGenericPoolOptions(options, typeof factory?.validate === 'function')
    this.#queue = new RequestQueue(this.#options.priorityRange)
    this.#factory = new ResourceFactory(factory, this.#options, (event, error) => void this.emit(event, error))
    this.wellpool = createWellpool(fromFactory(this.#factory.forDriver(), { protocol: 'generic' }), this.#options.pool)
    this.wellpool.on('connectFailed', ({ error }) => this.#factory.noteTimeout(error))
    if (this.#options.autostart) this.start()
  }

  /** How many more resources there may be. */
  get spareResourceCapacity(): number {
    return this.#options.max - this.size
  }

  /** Resources that there are, those being created included. */
  get size(): number {
    const { total, connecting } = this.wellpool.stats()
    return total + connecting
  }

  /** Resources that nobody has. */
  get available(): number {
    return this.wellpool.stats().idle
  }

  /** Resources that somebody has. */
  get borrowed(): number {
    return this.#borrowed.size
  }

  /** Borrowers that wait. */
  get pending(): number {
    return this.#queue.size
  }

  get max(): number {
    return this.#options.max
  }

  get min(): number {
    return this.#options.min
  }

  /** Creates `min` resources, unless that has begun. */
  start(): void {
    if (this.#draining || this.#started) return
    this.#started = true
    // It begins; nobody waits for it here.
    this.wellpool.start({ timeout: 0 }).catch(() => {})
    const { renewal } = this.#options
    if (renewal !== undefined) this.#renewals = setInterval(() => this.#renew(), renewal.interval).unref()
  }

  /** Fulfils when `min` resources have been created. */
  ready(): Promise<void> {
    return this.#promise(this.wellpool.start({ timeout: Number.POSITIVE_INFINITY }))
  }

  /**
   * Borrows a resource. It is the caller's until `release` or `destroy`.
   *
   * @param priority 0 to `priorityRange` - 1: who waits with a lower one is served before the others. Default 0
   * @throws TimeoutError after `acquireTimeoutMillis`; `max waitingClients count exceeded`; `pool is draining and
   *   cannot accept work`
   */
  acquire(priority?: number): Promise<T> {
    const { acquireTimeout, maxWaitingClients, Promise: PromiseClass } = this.#options
    if (!this.#started && !this.#draining) this.start()
    if (this.#draining) return PromiseClass.reject(new Error('pool is draining and cannot accept work'))
    const lease = this.#queue.size === 0 ? this.wellpool.tryAcquire() : undefined
    if (lease !== undefined) return PromiseClass.resolve(this.#lend(lease))
    if (this.#queue.size >= maxWaitingClients && this.#isFull && this.available < 1) {
      return PromiseClass.reject(new Error('max waitingClients count exceeded'))
    }
    return new PromiseClass<T>((resolve, reject) => {
      const request: Request<T> = { resolve, reject, timer: undefined }
      if (acquireTimeout !== undefined) request.timer = setTimeout(() => this.#timedOut(request), acquireTimeout)
      this.#queue.add(request, priority)
      this.#ask()
    })
  }

  /** Gives a resource back. */
  release(resource: T): Promise<void> {
    return this.#end(resource, (lease) => lease.release())
  }

  /** Gives a resource back to be destroyed. */
  destroy(resource: T): Promise<void> {
    return this.#end(resource, (lease) => lease.discard())
  }

  /**
   * Borrows a resource, runs `run` with it, and gives it back; one under which `run` has failed is destroyed.
   *
   * @returns what `run` returns
   */
  use<Result>(run: (resource: T) => Result | PromiseLike<Result>, priority?: number): Promise<Result> {
    return this.acquire(priority).then(async (resource) => {
      try {
        const result = await run(resource)
        // Whoever has released it in there by hand is none of our concern.
        this.release(resource).catch(() => {})
        return result
      } catch (error) {
        this.destroy(resource).catch(() => {})
        throw error
      }
    })
  }

  /** Whether somebody has this resource. */
  isBorrowedResource(resource: T): boolean {
    return this.#borrowed.has(resource)
  }

  /** Refuses new borrowers. Fulfils when those who wait have been served and all resources are back; `clear` ends them. */
  drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true
      clearInterval(this.#renewals)
      this.wellpool.reconfigure({ minConnections: 0 })
    }
    return new this.#options.Promise<void>((resolve) => {
      this.#drained.push(resolve)
      this.#lookWhetherDrained()
    })
  }

  /**
   * Destroys all resources that nobody has, those being created included; what is borrowed is destroyed when it comes
   * back. Unless the pool is draining, `min` are created anew.
   *
   * @returns when they are destroyed
   */
  clear(): Promise<void> {
    const isOver = this.#draining && this.#isQuiet
    return this.#promise(isOver ? this.wellpool.close() : this.wellpool.evict())
  }

  #promise<Value>(promise: Promise<Value>): Promise<Value> {
    return this.#options.Promise.resolve(promise)
  }

  #ask(): void {
    const controller = new AbortController()
    this.#asked.push(controller)
    const settled = (): void => {
      const index = this.#asked.indexOf(controller)
      if (index !== -1) this.#asked.splice(index, 1)
    }
    this.wellpool.acquire({ signal: controller.signal }).then(
      (lease) => {
        settled()
        this.#serve(lease)
      },
      (error: unknown) => {
        settled()
        if (!controller.signal.aborted) this.#settle(this.#queue.shift(), ({ reject }) => reject(error))
      },
    )
  }

  #serve(lease: Lease<Resource<T>>): void {
    const request = this.#queue.shift()
    if (request === undefined) lease[Symbol.dispose]()
    else this.#settle(request, ({ resolve }) => resolve(this.#lend(lease)))
  }

  #lend(lease: Lease<Resource<T>>): T {
    const { value } = lease.client
    lease.client.idleSince = undefined
    this.#borrowed.set(value, lease)
    return value
  }

  #settle(request: Request<T> | undefined, settle: (request: Request<T>) => void): void {
    if (request === undefined) return
    clearTimeout(request.timer)
    settle(request)
    this.#lookWhetherDrained()
  }

  #timedOut(request: Request<T>): void {
    this.#queue.delete(request)
    // Who asked last loses the least: all others keep their places.
    this.#asked.pop()?.abort()
    // Asked for at once, the pool underneath says why there is nothing.
    this.wellpool.acquire({ timeout: 0 }).then(
      (lease) => this.#settle(request, ({ resolve }) => resolve(this.#lend(lease))),
      (cause: unknown) => this.#settle(request, ({ reject }) => reject(new TimeoutError('ResourceRequest timed out', { cause }))),
    )
  }

  #end(resource: T, end: (lease: Lease<Resource<T>>) => void): Promise<void> {
    const { Promise: PromiseClass } = this.#options
    const lease = this.#borrowed.get(resource)
    if (lease === undefined) return PromiseClass.reject(new Error('Resource not currently part of this pool'))
    this.#borrowed.delete(resource)
    lease.client.idleSince = performance.now()
    end(lease)
    this.#lookWhetherDrained()
    return PromiseClass.resolve()
  }

  /**
   * Whether all resources that there may be are there or asked for. Creates begin later than who waits for them comes,
   * and none is under way between tries that fail.
   */
  get #isFull(): boolean {
    return this.spareResourceCapacity < 1 || this.#queue.size + this.borrowed >= this.#options.max
  }

  get #isQuiet(): boolean {
    return this.#queue.size === 0 && this.#borrowed.size === 0
  }

  #lookWhetherDrained(): void {
    if (!this.#draining || !this.#isQuiet) return
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  /** What is idle for too long is replaced, although it is kept: above `min` the pool underneath closes it by itself. */
  #renew(): void {
    const { renewal } = this.#options
    if (renewal === undefined) return
    const before = performance.now() - renewal.idleFor
    const stale = this.#factory.present().filter(({ idleSince }) => idleSince !== undefined && idleSince < before)
    for (const { connectionId } of stale.slice(0, renewal.atOnce)) {
      this.wellpool.rebuildConnectionById(connectionId).catch(() => {})
    }
  }
}

/**
 * Makes a pool, as generic-pool's function of this name does.
 *
 * @example
 * const pool = createPool({ create: () => launch(), destroy: (browser) => browser.close() }, { max: 4 })
 * const title = await pool.use((browser) => browser.title())
 */
export function createPool<T>(factory: Factory<T>, options?: GenericPoolOptions): Pool<T> {
  return new Pool(factory, options)
}
