/** Somebody who waits for a resource. */
export interface Request<T> {
  readonly resolve: (resource: T) => void
  readonly reject: (error: unknown) => void
  /** Ends the request when its time is up. */
  timer: NodeJS.Timeout | undefined
}

/** Who waits, by priority and then in the order of coming. Priority 0 comes first. */
export class RequestQueue<T> {
  readonly #slots: Set<Request<T>>[]

  /** @param priorities how many there are; at least one */
  constructor(priorities: number) {
    this.#slots = Array.from({ length: Math.max(1, Math.trunc(priorities)) }, () => new Set())
  }

  get size(): number {
    let size = 0
    for (const slot of this.#slots) size += slot.size
    return size
  }

  /** @param priority a whole number; one that there is not is the last. Default 0 */
  add(request: Request<T>, priority: unknown): void {
    const wanted = Math.trunc(Number(priority ?? 0)) || 0
    const last = this.#slots.length - 1
    this.#slots[wanted < 0 || wanted > last ? last : wanted]?.add(request)
  }

  /** @returns whether it was waiting */
  delete(request: Request<T>): boolean {
    return this.#slots.some((slot) => slot.delete(request))
  }

  /** Takes out who comes first. */
  shift(): Request<T> | undefined {
    for (const slot of this.#slots) {
      for (const request of slot) {
        slot.delete(request)
        return request
      }
    }
    return undefined
  }
}
