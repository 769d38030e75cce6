import { fromFactory } from '../drivers/factory.ts'
import { AcquireTimeoutError, createPool, type Lease, PoolClosedError, type Pool as WellpoolPool } from '../index.ts'
import { type TarnEvents, TarnListeners } from './tarn-events.ts'
import { TarnFactory, type TarnResource } from './tarn-factory.ts'
import { type ResolvedTarnPoolOptions, resolveTarnPoolOptions, type TarnPoolOptions } from './tarn-options.ts'
import { PendingAcquire } from './tarn-pending.ts'

export type { TarnEvents } from './tarn-events.ts'
export type { CreateCallback, TarnPoolOptions } from './tarn-options.ts'
export type { PendingAcquire } from './tarn-pending.ts'

/** Something has taken too long. Its message is that of the latest create that failed meanwhile, if there was one. */
export class TimeoutError extends Error {}

/**
 * Stands where the pool of tarn 3 stands, with Wellpool's pool underneath: `min` is kept open, creates that fail are
 * tried again with a backoff, and what `validate` finds broken is replaced before anybody asks for it. Knex takes it
 * by a recipe in `docs/migrating.md`, which also lists what is different.
 *
 * @example
 * const pool = new Pool({ create: () => connect(), destroy: (client) => client.end(), min: 0, max: 10 })
 * const client = await pool.acquire().promise
 * pool.release(client)
 */
export class Pool<T> {
  /**
   * The class of the errors of what takes too long. A subclass may name tarn's own, for libraries that tell errors by
   * that.
   */
  static TimeoutError: new (message: string) => Error = TimeoutError
  /** The pool underneath: its health, its rebuilds, its events and figures. */
  readonly wellpool: WellpoolPool<TarnResource<T>>
  readonly #options: ResolvedTarnPoolOptions<T>
  readonly #listeners: TarnListeners<T>
  readonly #factory: TarnFactory<T>
  readonly #pending = new Set<PendingAcquire<T>>()
  /** A create may return the same thing more than once: then it is lent as often. */
  readonly #used = new Map<T, Lease<TarnResource<T>>[]>()
  #isReaping = false
  #destroying: Promise<void> | undefined
  #allReleased: (() => void) | undefined

  /** @throws ConfigError naming everything that is wrong, unknown or missing */
  constructor(options: TarnPoolOptions<T>) {
    this.#options = resolveTarnPoolOptions(options)
    this.#listeners = new TarnListeners(this.#options.log)
    this.#factory = new TarnFactory(
      this.#options,
      this.#listeners,
      (cause) => this.#timeoutError(undefined, cause),
      (error) => this.#createFailed(error),
    )
    this.wellpool = createPool(fromFactory(this.#factory, { protocol: 'tarn' }), this.#options.pool)
    this.wellpool.on('connectionClosed', () => this.check())
  }

  /** Resources that somebody has, those included that are being validated for somebody. */
  numUsed(): number {
    let used = this.numPendingValidations()
    for (const leases of this.#used.values()) used += leases.length
    return used
  }

  /** Resources that nobody has. */
  numFree(): number {
    const { idle, checking } = this.wellpool.stats()
    return idle + checking - this.numPendingValidations()
  }

  /** Borrowers that wait, those left out for whom a resource is being validated. */
  numPendingAcquires(): number {
    return this.#pending.size - this.numPendingValidations()
  }

  numPendingValidations(): number {
    return Math.min(this.wellpool.stats().checking, this.#pending.size)
  }

  numPendingCreates(): number {
    return this.wellpool.stats().connecting
  }

  /** Whether there is no resource, and nobody waits for one. */
  isEmpty(): boolean {
    return this.numFree() + this.numUsed() + this.numPendingAcquires() + this.numPendingValidations() + this.numPendingCreates() === 0
  }

  /**
   * Borrows a resource. It is the caller's until `release`.
   *
   * @returns the wait: its `promise` fulfils with the resource, or rejects with a {@link TimeoutError} after
   *   `acquireTimeoutMillis`, with the pool's own error as cause; `abort()` ends it
   */
  acquire(): PendingAcquire<T> {
    const eventId = this.#listeners.nextId()
    this.#listeners.tell('acquireRequest', eventId)
    return new PendingAcquire<T>(async (pending, signal) => {
      this.#pending.add(pending)
      try {
        const lease = await this.wellpool.acquire({ signal })
        const { value } = lease.client
        this.#pending.delete(pending)
        const leases = this.#used.get(value)
        if (leases === undefined) this.#used.set(value, [lease])
        else leases.push(lease)
        this.#reap(true)
        this.#listeners.tell('acquireSuccess', eventId, value)
        return value
      } catch (fault) {
        this.#pending.delete(pending)
        const error = this.#known(fault, pending)
        this.#listeners.tell('acquireFail', eventId, error)
        throw error
      }
    })
  }

  /** Gives a resource back. @returns whether it was borrowed */
  release(resource: T): boolean {
    this.#listeners.tell('release', resource)
    const leases = this.#used.get(resource)
    const lease = leases?.pop()
    if (lease === undefined) return false
    if (leases?.length === 0) this.#used.delete(resource)
    lease.release()
    if (this.#used.size === 0) this.#allReleased?.()
    return true
  }

  /** What is free for too long is destroyed by itself, in time: there is nothing left to do. */
  check(): void {
    if (this.isEmpty()) this.#reap(false)
  }

  /**
   * Lends nothing more, waits until all resources have been released, aborts those who still wait, and destroys all
   * resources. A second call joins the first.
   */
  destroy(): Promise<void> {
    this.#destroying ??= this.#destroy()
    return this.#destroying
  }

  on<Name extends keyof TarnEvents<T>>(event: Name, listener: (...values: TarnEvents<T>[Name]) => unknown): void {
    this.#listeners.on(event, listener as (...values: never[]) => unknown)
  }

  removeListener(event: string | symbol, listener: (...values: never[]) => unknown): void {
    this.#listeners.off(event, listener)
  }

  removeAllListeners(event?: string | symbol): void {
    this.#listeners.clear(event)
  }

  async #destroy(): Promise<void> {
    const eventId = this.#listeners.nextId()
    this.#listeners.tell('poolDestroyRequest', eventId)
    this.#reap(false)
    this.wellpool.pause()
    await this.#factory.settled()
    if (this.#used.size > 0) {
      await new Promise<void>((resolve) => {
        this.#allReleased = resolve
      })
    }
    for (const pending of [...this.#pending]) pending.abort()
    await this.wellpool.close()
    this.#listeners.tell('poolDestroySuccess', eventId)
    this.#listeners.clear()
  }

  #createFailed(error: Error): void {
    for (const pending of this.#pending) pending.possibleTimeoutCause = error
    const [first] = this.#pending
    if (this.#options.propagateCreateError) first?.reject(error)
  }

  #known(error: unknown, pending: PendingAcquire<T>): Error {
    if (error instanceof AcquireTimeoutError) return this.#timeoutError(pending.possibleTimeoutCause?.message, error)
    if (error instanceof PoolClosedError) return new Error('aborted', { cause: error })
    return error as Error
  }

  #timeoutError(message = 'operation timed out for an unknown reason', cause: unknown): Error {
    const { TimeoutError: ErrorClass } = this.constructor as typeof Pool
    return Object.assign(new ErrorClass(message), cause !== undefined && { cause })
  }

  #reap(isReaping: boolean): void {
    if (isReaping === this.#isReaping || (isReaping && this.#destroying !== undefined)) return
    this.#isReaping = isReaping
    this.#listeners.tell(isReaping ? 'startReaping' : 'stopReaping')
  }
}
