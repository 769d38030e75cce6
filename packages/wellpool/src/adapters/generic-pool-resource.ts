import type { Factory as DriverFactory } from '../drivers/factory.ts'
import type { ConnectContext } from '../engine/driver.ts'
import { ConnectError } from '../engine/errors.ts'
import type { Factory } from './generic-pool.ts'
import type { ResolvedGenericPoolOptions } from './generic-pool-options.ts'

/** What a factory has made, which may be anything, and what is known of it. */
export class Resource<T> {
  /** Since when nobody has it, ms of `performance.now()`; undefined while somebody has. */
  idleSince: number | undefined = performance.now()

  constructor(
    readonly value: T,
    /** The pool's connection that it is the client of. */
    readonly connectionId: string,
  ) {}
}

/** A factory's failures by the names under which they are told. */
export type FactoryEvent = 'factoryCreateError' | 'factoryDestroyError'

/** Calls the application's factory, and tells of its failures. */
export class ResourceFactory<T> {
  readonly #factory: Factory<T>
  readonly #options: ResolvedGenericPoolOptions
  readonly #tell: (event: FactoryEvent, error: unknown) => void
  readonly #present = new Set<Resource<T>>()

  constructor(factory: Factory<T>, options: ResolvedGenericPoolOptions, tell: (event: FactoryEvent, error: unknown) => void) {
    this.#factory = factory
    this.#options = options
    this.#tell = tell
  }

  /** The resources that have been created and not destroyed. */
  present(): Resource<T>[] {
    return [...this.#present]
  }

  /** A create that takes too long has no error of its own. */
  noteTimeout(error: Error): void {
    const { cause } = error
    if (cause instanceof Error && cause.name === ConnectError.prototype.name) this.#tell('factoryCreateError', error)
  }

  /** What the driver is made of; what the application's factory lacks stays missing, so that it is refused. */
  forDriver(): DriverFactory<Resource<T>> {
    const { create, destroy, validate } = (this.#factory ?? {}) as Partial<Factory<T>>
    return {
      create: create && ((context) => this.#create(context)),
      destroy: destroy && ((resource) => this.#destroy(resource)),
      ...(validate !== undefined && {
        validate: typeof validate === 'function' ? ({ value }) => this.#factory.validate?.(value) : validate,
      }),
      ...(typeof validate === 'function' && this.#options.testOnReturn && { reset: ({ value }) => this.#look(value) }),
    } as DriverFactory<Resource<T>>
  }

  async #create({ connectionId }: ConnectContext): Promise<Resource<T>> {
    try {
      const resource = new Resource(await this.#factory.create(), connectionId)
      this.#present.add(resource)
      return resource
    } catch (error) {
      this.#tell('factoryCreateError', error)
      throw error
    }
  }

  async #destroy(resource: Resource<T>): Promise<void> {
    this.#present.delete(resource)
    const { destroyTimeout } = this.#options
    let timer: NodeJS.Timeout | undefined
    try {
      const destroyed = this.#factory.destroy(resource.value)
      if (destroyTimeout === undefined) {
        await destroyed
        return
      }
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('destroy timed out')), destroyTimeout).unref()
      })
      await Promise.race([destroyed, late])
    } catch (error) {
      this.#tell('factoryDestroyError', error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async #look(value: T): Promise<void> {
    if ((await this.#factory.validate?.(value)) === false) throw new Error('the factory says that the resource is no longer valid')
  }
}
