import type { Random } from '../src/random.ts'
import { now } from './clock.ts'
import { NOT_MADE, type Request } from './messages.ts'
import { DEADLINE_MS } from './pools.ts'
import type { Variant } from './variants.ts'

/** Makes one request on which the server works for so long, ms. */
export type MakeRequest = (work: number) => Promise<unknown>

/** What was due longer ago than this is not made any more: the process stood still, and who asked has left. It has failed. ms */
const MOST_BEHIND_MS = 2_000

/**
 * The open-loop load: so many requests become due at every beat, whether or not those before them have been answered,
 * and each counts from when it was due. So nothing hides by waiting.
 */
export class Load {
  readonly #ended: (request: Request) => void
  readonly #variant: Variant
  readonly #random: Random
  readonly #make: MakeRequest
  readonly #underWay = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #nextDue = 0

  /** @param ended is told of each request when its caller has heard of its end */
  constructor(variant: Variant, random: Random, make: MakeRequest, ended: (request: Request) => void) {
    this.#ended = ended
    this.#variant = variant
    this.#random = random
    this.#make = make
  }

  /** @returns when the first requests are due */
  start(): number {
    this.#nextDue = now() + this.#variant.everyMs
    this.#arm()
    return this.#nextDue
  }

  /** Nothing becomes due until {@link resume}. */
  pause(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Goes on at the next beat. */
  resume(): void {
    if (this.#timer !== undefined) return
    const { everyMs } = this.#variant
    this.#nextDue += Math.max(0, Math.ceil((now() - this.#nextDue) / everyMs)) * everyMs
    this.#arm()
  }

  /** Makes no more requests, and resolves when all that were made have ended. */
  async end(): Promise<void> {
    this.pause()
    await Promise.all(this.#underWay)
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#issueDue(), Math.max(0, this.#nextDue - now()))
  }

  #issueDue(): void {
    const { callers, everyMs } = this.#variant
    const present = now()
    for (; this.#nextDue <= present; this.#nextDue += everyMs) {
      const inTime = present - this.#nextDue <= MOST_BEHIND_MS
      for (let caller = 0; caller < callers; caller++) {
        if (inTime) this.#issue(this.#nextDue)
        else this.#ended({ due: this.#nextDue, work: 0, settled: present, error: NOT_MADE })
      }
    }
    this.#arm()
  }

  #issue(due: number): void {
    const request: Request = { due, work: this.#variant.work(this.#random), settled: Number.POSITIVE_INFINITY, error: undefined }
    const ended = new Promise<void>((resolve) => {
      const settle = (error: string | undefined): void => {
        if (request.settled !== Number.POSITIVE_INFINITY) return
        clearTimeout(timer)
        request.settled = now()
        request.error = error
        this.#ended(request)
        resolve()
      }
      // Node runs timers that expired while the process stood still before it reads what has come in meanwhile.
      const late = (): void => void setImmediate(() => settle(`no answer within ${DEADLINE_MS} ms`))
      const timer = setTimeout(late, due + DEADLINE_MS - now())
      this.#make(request.work).then(
        () => settle(undefined),
        (error: unknown) => settle(error instanceof Error ? error.message : String(error)),
      )
    })
    this.#underWay.add(ended)
    void ended.then(() => this.#underWay.delete(ended))
  }
}
