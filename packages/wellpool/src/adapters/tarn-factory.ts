import type { Factory } from '../drivers/factory.ts'
import type { ConnectContext } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import type { TarnListeners } from './tarn-events.ts'
import type { ResolvedTarnPoolOptions } from './tarn-options.ts'

/** What a create has made, which may be anything. */
export interface TarnResource<T> {
  readonly value: T
}

/** Calls the application's create, destroy and validate, and tells of what comes of it. */
export class TarnFactory<T> implements Factory<TarnResource<T>> {
  readonly #options: ResolvedTarnPoolOptions<T>
  readonly #listeners: TarnListeners<T>
  readonly #timeout: (cause: unknown) => Error
  readonly #failed: (error: Error) => void
  readonly #creates = new Set<Promise<unknown>>()

  /**
   * @param timeout makes the error of what takes too long
   * @param failed hears of every create that has failed, and was not given up
   */
  constructor(
    options: ResolvedTarnPoolOptions<T>,
    listeners: TarnListeners<T>,
    timeout: (cause: unknown) => Error,
    failed: (error: Error) => void,
  ) {
    this.#options = options
    this.#listeners = listeners
    this.#timeout = timeout
    this.#failed = failed
  }

  create(context: ConnectContext): Promise<TarnResource<T>> {
    const creating = this.#create(context)
    // One that was given up may never end.
    const underWay = abortable(creating, context.signal)
    this.#creates.add(underWay)
    const settled = (): boolean => this.#creates.delete(underWay)
    underWay.then(settled, settled)
    return creating
  }

  /** Fulfils when all creates have ended or been given up. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#creates)
  }

  async destroy({ value }: TarnResource<T>): Promise<void> {
    const eventId = this.#listeners.nextId()
    this.#listeners.tell('destroyRequest', eventId, value)
    let timer: NodeJS.Timeout | undefined
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(this.#timeout(undefined)), this.#options.destroyTimeoutMillis).unref()
      })
      await Promise.race([this.#options.destroy(value), late])
      this.#listeners.tell('destroySuccess', eventId, value)
    } catch (error) {
      this.#listeners.tell('destroyFail', eventId, value, error as Error)
      this.#listeners.fault('destroy', error)
    } finally {
      clearTimeout(timer)
    }
  }

  async validate({ value }: TarnResource<T>): Promise<boolean> {
    const { validate } = this.#options
    if (validate === undefined) return true
    try {
      return Boolean(await validate(value))
    } catch (error) {
      this.#listeners.fault('validate', error)
      return false
    }
  }

  async #create({ signal }: ConnectContext): Promise<TarnResource<T>> {
    const eventId = this.#listeners.nextId()
    this.#listeners.tell('createRequest', eventId)
    const startedAt = performance.now()
    let isOver = false
    const fail = (error: Error, isFailure: boolean): void => {
      if (isOver) return
      isOver = true
      this.#listeners.tell('createFail', eventId, error)
      if (isFailure) this.#failed(error)
    }
    const abort = (): void => {
      // Otherwise it is the pool that needs it no more.
      const isLate = performance.now() - startedAt >= this.#options.createTimeoutMillis - 1
      fail(isLate ? this.#timeout(signal.reason) : (signal.reason as Error), isLate)
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      const value = await calledBackOrPromised<T>(this.#options.create)
      if (!isOver) this.#listeners.tell('createSuccess', eventId, value)
      isOver = true
      return { value }
    } catch (error) {
      fail(error as Error, true)
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}

/** Whichever comes: a function that returns nothing is expected to call back. */
function calledBackOrPromised<T>(create: ResolvedTarnPoolOptions<T>['create']): Promise<T> {
  return new Promise((resolve, reject) => {
    const callback = (error: Error | null, resource?: T): void => (error ? reject(error) : resolve(resource as T))
    const created = async (): Promise<unknown> => create(callback)
    created().then((resource) => resource && resolve(resource as T), reject)
  })
}
