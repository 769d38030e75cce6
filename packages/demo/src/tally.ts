import { SLOW_MS } from './settings.ts'

/** One request of the application. Times are of `performance.now()`. */
export interface Request {
  readonly id: number
  /** When it should have been made; its latency counts from here. */
  readonly due: number
  /** Undefined while it is under way. */
  latencyMs: number | undefined
  /** Likewise. */
  settledAt: number | undefined
  error: unknown
}

/** What the application saw of its requests in some span of time. */
export interface Seen {
  readonly requests: number
  readonly failed: number
  /** Answered, but later than the limit. */
  readonly slow: number
  readonly slowestMs: number
  /** When the last bad request was due; undefined if there was none. */
  readonly lastBadDue: number | undefined
  /** What the failed ones said, each with how often, the most frequent first. */
  readonly errors: readonly { readonly text: string; readonly count: number }[]
}

/** Latencies of what was settled lately, ms. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** How the requests of one slice of time fared. */
export type Slice = 'none' | 'ok' | 'slow' | 'failed'

/** Requests are kept for this long: longer than any fault is watched, ms. */
export const KEPT_MS = 60_000

/** Keeps the books on requests: in all, lately, and since any moment of the last minute. */
export class Tally {
  readonly #requests: Request[] = []
  readonly #excused: (from: number, to: number) => number
  #issued = 0
  #ok = 0
  #slow = 0
  #failed = 0

  /** @param excused how much of a span of time is nobody's fault, because the machine did not let the process run, ms */
  constructor(excused: (from: number, to: number) => number = () => 0) {
    this.#excused = excused
  }

  get issued(): number {
    return this.#issued
  }

  get ok(): number {
    return this.#ok
  }

  /** Of those that are ok, how many took too long. */
  get slow(): number {
    return this.#slow
  }

  get failed(): number {
    return this.#failed
  }

  /** Issued and not settled yet. */
  get underWay(): number {
    return this.#issued - this.#ok - this.#failed
  }

  begin(due: number): Request {
    const request: Request = { id: ++this.#issued, due, latencyMs: undefined, settledAt: undefined, error: undefined }
    this.#requests.push(request)
    this.#forget(due - KEPT_MS)
    return request
  }

  succeed(request: Request, now: number): void {
    this.#settle(request, now)
    this.#ok++
    if (this.#latency(request, now) > SLOW_MS) this.#slow++
  }

  fail(request: Request, now: number, error: unknown): void {
    this.#settle(request, now)
    request.error = error ?? new Error('rejected without a reason')
    this.#failed++
  }

  /**
   * What the application saw from `from` on: of the requests that were due then or later, and of those that were under way
   * and not late yet. What happens at `from` befalls these first.
   */
  since(from: number, now: number): Seen {
    let requests = 0
    let failed = 0
    let slow = 0
    let slowestMs = 0
    let lastBadDue: number | undefined
    const errors = new Map<string, number>()
    for (const request of this.#from(from - SLOW_MS)) {
      if (request.due < from && request.settledAt !== undefined && request.settledAt <= from) continue
      requests++
      const ms = this.#latency(request, now)
      if (ms > slowestMs) slowestMs = ms
      if (request.error !== undefined) {
        failed++
        const text = describeError(request.error)
        errors.set(text, (errors.get(text) ?? 0) + 1)
      } else if (ms > SLOW_MS) slow++
      else continue
      lastBadDue = request.due
    }
    const sorted = [...errors].map(([text, count]) => ({ text, count })).sort((a, b) => b.count - a.count)
    return { requests, failed, slow, slowestMs, lastBadDue, errors: sorted }
  }

  /** Of the requests that were due in the last `spanMs` and are settled; undefined if there is none. */
  latency(spanMs: number, now: number): Latency | undefined {
    const sorted = this.#from(now - spanMs)
      .filter(({ latencyMs }) => latencyMs !== undefined)
      .map((request) => this.#latency(request, now))
      .sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
    return sorted.length === 0 ? undefined : { p50: at(0.5), p99: at(0.99), max: at(1) }
  }

  /** The worst of each slice of `sliceMs`, `count` slices up to the one that holds `now`, the oldest first. */
  slices(count: number, sliceMs: number, now: number): Slice[] {
    const last = Math.floor(now / sliceMs)
    const slices: Slice[] = Array.from({ length: count }, () => 'none')
    for (const request of this.#from((last - count + 1) * sliceMs)) {
      const index = count - 1 - (last - Math.floor(request.due / sliceMs))
      const before = slices[index]
      if (request.error !== undefined) slices[index] = 'failed'
      else if (before !== 'failed' && this.#latency(request, now) > SLOW_MS) slices[index] = 'slow'
      else if (before === 'none') slices[index] = 'ok'
    }
    return slices
  }

  #settle(request: Request, now: number): void {
    request.latencyMs = this.#latency(request, now)
    request.settledAt = now
  }

  /** What is still under way has taken at least this long. */
  #latency({ due, latencyMs }: Request, now: number): number {
    return latencyMs ?? Math.max(0, now - due - this.#excused(due, now))
  }

  /** In the order in which they were due. */
  #from(from: number): Request[] {
    let index = this.#requests.length
    while (index > 0 && (this.#requests[index - 1] as Request).due >= from) index--
    return this.#requests.slice(index)
  }

  #forget(before: number): void {
    let count = 0
    while ((this.#requests[count]?.due ?? Number.POSITIVE_INFINITY) < before) count++
    // Not one by one: taking the first of a long array off moves all the others.
    if (count > 1_000) this.#requests.splice(0, count)
  }
}

/** Short, and the same for errors of one kind, so that they can be counted. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, verdict } = error as { code?: unknown; verdict?: unknown }
  if (typeof verdict === 'string') return `${String(code)} (${verdict})`
  return typeof code === 'string' ? code : error.message
}
