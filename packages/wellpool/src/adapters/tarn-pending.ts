/** A borrower's wait. */
export class PendingAcquire<T> {
  /** Fulfils with the resource. */
  promise: Promise<T>
  /** Whether it has ended without a resource. */
  isRejected = false
  /** Why the latest create failed while it waited: what its time-out will say. */
  possibleTimeoutCause: Error | null = null
  readonly #controller = new AbortController()

  /** @param wait begins the wait, which ends with the signal's reason when that is aborted */
  constructor(wait: (pending: PendingAcquire<T>, signal: AbortSignal) => Promise<T>) {
    this.promise = wait(this, this.#controller.signal).catch((error: unknown) => {
      this.isRejected = true
      throw error
    })
  }

  /** Ends the wait; does nothing when it is over. */
  abort(): void {
    this.reject(new Error('aborted'))
  }

  /** Ends the wait with this error; does nothing when it is over. */
  reject(error: Error): void {
    this.#controller.abort(error)
  }
}
