import { offAbort, onAbort } from './abort-listeners.ts'
import { ConnectionLostError } from './errors.ts'
import type { Lease } from './lease.ts'
import type { UseContext } from './pool-types.ts'

/**
 * Runs a function under a lease. Settles as the function does, or rejects with CONNECTION_LOST as soon as the
 * client is destroyed: a function that waits for a dead client might never settle.
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
      reject(error)
      context.end(error)
    }
    generation.lostListeners ??= new Set()
    const listeners = generation.lostListeners
    listeners.add(lost)
    const settle = (): void => {
      listeners.delete(lost)
      if (repeatable) generation.repeatable--
      context.end(undefined)
    }
    const fail = (error: unknown): void => {
      settle()
      reject(error)
    }
    try {
      Promise.resolve(run(lease.client, context)).then((result) => {
        settle()
        resolve(result)
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
  #ended: { readonly reason: unknown } | undefined

  constructor(attempt: number, outer: AbortSignal | undefined) {
    this.attempt = attempt
    this.#outer = outer
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#ended?.reason !== undefined) this.#controller.abort(this.#ended.reason)
      else if (this.#outer?.aborted === true) this.#controller.abort(this.#outer.reason)
      else if (this.#ended === undefined && this.#outer !== undefined) onAbort(this.#outer, this.#forward)
    }
    return this.#controller.signal
  }

  /** @param reason why the signal is to be aborted; undefined when the function has settled */
  end(reason: unknown): void {
    if (this.#ended !== undefined) return
    this.#ended = { reason }
    if (this.#controller === undefined) return
    if (this.#outer !== undefined) offAbort(this.#outer, this.#forward)
    if (reason !== undefined) this.#controller.abort(reason)
  }

  readonly #forward = (): void => {
    this.#controller?.abort(this.#outer?.reason)
  }
}
