import { offAbort, onAbort } from './abort-listeners.ts'
import { ConnectionLostError } from './errors.ts'
import type { Lease } from './lease.ts'
import type { UseContext } from './pool-types.ts'

/**
 * Runs a function under a lease, and releases it. Settles as the function does, or rejects with CONNECTION_LOST as soon
 * as the client is destroyed: a function that waits for a dead client might never settle.
 *
 * @param repeatable whether the function runs again elsewhere then
 */
export function runUnderLease<Client, Result>(
  lease: Lease<Client>,
  run: (client: Client, context: UseContext) => Result | Promise<Result>,
  attempt: number,
  signal: AbortSignal | undefined,
  repeatable: boolean,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const { generation } = lease
    if (repeatable) generation.repeatable++
    const context = new Context(attempt, signal)
    const lost = (cause: unknown): void => {
      const error = new ConnectionLostError(
        `connection ${generation.connection.id} was lost while it was in use: ${cause instanceof Error ? cause.message : 'its client was destroyed'}`,
        cause,
      )
      // Who destroys the client is in the middle of it: the release comes when that is done.
      queueMicrotask(() => fail(error))
      context.end(error)
    }
    generation.lostListeners.add(lost)
    /** @returns whether this is the end; a function whose client was lost may settle long after that. */
    const end = (error?: unknown): boolean => {
      if (lease.released) return false
      generation.lostListeners.delete(lost)
      if (repeatable) generation.repeatable--
      context.end()
      try {
        lease.release(error)
        return true
      } catch (bug) {
        reject(bug)
        return false
      }
    }
    const fail = (error: unknown): void => {
      if (end(error ?? new Error('rejected without a reason'))) reject(error)
    }
    try {
      Promise.resolve(run(lease.client, context)).then((result) => {
        if (end()) resolve(result)
      }, fail)
    } catch (error) {
      fail(error)
    }
  })
}

/** Makes the signal only when somebody asks for it. */
class Context implements UseContext {
  readonly attempt: number
  readonly #outer: AbortSignal | undefined
  #controller: AbortController | undefined
  #ended = false
  /** Why the signal is aborted, if the client was lost. */
  #lost: Error | undefined

  constructor(attempt: number, outer: AbortSignal | undefined) {
    this.attempt = attempt
    this.#outer = outer
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#lost !== undefined) this.#controller.abort(this.#lost)
      else if (this.#outer?.aborted === true) this.#forward()
      else if (!this.#ended) onAbort(this.#outer, this.#forward)
    }
    return this.#controller.signal
  }

  /** @param lost that the client was lost; without it the function has settled, and its signal is of no more use */
  end(lost?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#lost = lost
    offAbort(this.#outer, this.#forward)
    if (lost !== undefined) this.#controller?.abort(lost)
  }

  readonly #forward = (): void => {
    this.#controller?.abort(this.#outer?.reason)
  }
}
