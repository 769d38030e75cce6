/**
 * The errors with which connects have failed. Drivers are asked what an error means without being told where it
 * came from, and the same code may mean one thing of a connect and another of a session.
 */
export class ConnectErrors {
  readonly #errors = new WeakSet<object>()

  /** Remembers it for as long as anybody holds it. */
  add(error: unknown): void {
    if (error instanceof Error) this.#errors.add(error)
  }

  /** Whether a connect failed with this very error. */
  has(error: unknown): boolean {
    return error instanceof Error && this.#errors.has(error)
  }
}
