import type { Request, Tally } from './tally.ts'

/** Makes one request; rejects if it fails. `index` counts them from 0. */
export type MakeRequest = (request: Request, index: number) => Promise<void>

/** What was due longer ago than this is not made any more: the whole process was suspended. */
const MOST_BEHIND_MS = 2_000

/**
 * A steady load: a request becomes due every so often, whether or not those before it have been answered. So a
 * server that stands still meets as many requests as one that answers, as it would outside.
 */
export class Load {
  readonly #intervalMs: number
  readonly #make: MakeRequest
  readonly #tally: Tally
  readonly #underWay = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #nextDue = 0
  #index = 0

  constructor(requestsPerSecond: number, tally: Tally, make: MakeRequest) {
    this.#intervalMs = 1_000 / requestsPerSecond
    this.#tally = tally
    this.#make = make
  }

  start(): void {
    this.#nextDue = performance.now()
    this.#issueDue()
  }

  /** Makes no more requests. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Waits until every request has been settled, `limitMs` at most. @returns how many have not */
  async settled(limitMs: number): Promise<number> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs)
    })
    await Promise.race([Promise.all(this.#underWay), limit])
    clearTimeout(timer)
    return this.#underWay.size
  }

  #issueDue(): void {
    const now = performance.now()
    if (now - this.#nextDue > MOST_BEHIND_MS) this.#nextDue = now
    for (; this.#nextDue <= now; this.#nextDue += this.#intervalMs) this.#issue(this.#nextDue)
    this.#timer = setTimeout(() => this.#issueDue(), Math.max(0, this.#nextDue - now))
  }

  #issue(due: number): void {
    const request = this.#tally.begin(due)
    const done = this.#make(request, this.#index++).then(
      () => this.#tally.succeed(request, performance.now()),
      (error: unknown) => this.#tally.fail(request, performance.now(), error),
    )
    this.#underWay.add(done)
    void done.finally(() => this.#underWay.delete(done))
  }
}
