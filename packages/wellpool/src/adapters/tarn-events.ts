import { EventEmitter } from 'node:events'

/** tarn's events, each with what its listeners are called with. */
export interface TarnEvents<T> {
  acquireRequest: [eventId: number]
  acquireSuccess: [eventId: number, resource: T]
  acquireFail: [eventId: number, error: Error]
  release: [resource: T]
  createRequest: [eventId: number]
  createSuccess: [eventId: number, resource: T]
  createFail: [eventId: number, error: Error]
  destroyRequest: [eventId: number, resource: T]
  destroySuccess: [eventId: number, resource: T]
  destroyFail: [eventId: number, resource: T, error: Error]
  /** From now on what is free for too long is destroyed: there is something. */
  startReaping: []
  /** There is nothing any more. */
  stopReaping: []
  poolDestroyRequest: [eventId: number]
  poolDestroySuccess: [eventId: number]
}

/** Tells listeners of events, and keeps them from harming the pool and each other. */
export class TarnListeners<T> {
  readonly #emitter = new EventEmitter()
  readonly #log: (message: string, level: string) => unknown
  #lastId = 0

  constructor(log: (message: string, level: string) => unknown) {
    this.#log = log
  }

  /** The number of a request: all events of that request have it. */
  nextId(): number {
    return ++this.#lastId
  }

  on(event: string, listener: (...values: never[]) => unknown): void {
    this.#emitter.on(event, listener as () => void)
  }

  off(event: string | symbol, listener: (...values: never[]) => unknown): void {
    this.#emitter.off(event, listener as () => void)
  }

  clear(event?: string | symbol): void {
    if (event === undefined) this.#emitter.removeAllListeners()
    else this.#emitter.removeAllListeners(event)
  }

  tell<Name extends keyof TarnEvents<T>>(event: Name, ...values: TarnEvents<T>[Name]): void {
    for (const listener of this.#emitter.listeners(event)) {
      try {
        listener(...values)
      } catch (error) {
        this.fault(`a listener of ${event}`, error)
      }
    }
  }

  /** Somebody else's code has thrown, and nobody waits for it. */
  fault(where: string, error: unknown): void {
    this.#log(`${where} threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, 'warn')
  }
}
