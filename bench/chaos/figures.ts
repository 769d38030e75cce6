import { quantile } from '../src/statistics.ts'
import { NOT_MADE, type Recording, type Request } from './messages.ts'

/** One fault of a run. Times as the machine's clock has them. */
export interface Episode {
  readonly name: string
  readonly from: number
  /** When the endpoint answered again; undefined if the fault lasts, or was over as soon as it had happened. */
  readonly until: number | undefined
}

/** What is known of a run beside what the application has seen. */
export interface Course {
  /** From here on requests count: the pool has warmed up. */
  readonly startsAt: number
  readonly endsAt: number
  readonly episodes: readonly Episode[]
  /** When the application itself stood still: no pool can answer a request then. */
  readonly standstills: readonly { readonly from: number; readonly until: number }[]
  /** The round trip that the network takes, ms: no pool can answer sooner. */
  readonly roundTripMs: number
  /** When the proxy accepted each connection. */
  readonly accepted: readonly number[]
}

/** How long requests took, ms; one that failed counts as endless. Undefined: none was due. */
export interface Latencies {
  readonly p50: number | undefined
  readonly p99: number | undefined
  readonly p999: number | undefined
}

/** What one run came to. */
export interface Figures {
  readonly requests: number
  readonly ok: number
  readonly failed: number
  /** Answered, but more than {@link SLOW_MS} later than the network and the server's work on it account for. */
  readonly slow: number
  /**
   * Not made: due while the scenario had the application stand still, so long before it went on that who asked had left.
   * Where a pool itself kept the application from making them they have failed.
   */
  readonly skipped: number
  /** How long the endpoint was away, ms: the longest of the run's faults. */
  readonly outageMs: number
  /** From when the endpoint answered again, or from a fault that lasts, until the last bad request was due; the longest of the run's faults. `Infinity`: never. */
  readonly healedMs: number
  readonly before: Latencies
  readonly during: Latencies
  readonly after: Latencies
  /** Connects begun since the (first) fault, whether or not they came through. */
  readonly connects: number
  /** How many of them reached the endpoint's host. */
  readonly accepted: number
  /** The most connects begun within any 100 ms since the (first) fault. */
  readonly burst: number
  /** How the application's process ended by itself; undefined if it did not. */
  readonly crash: string | undefined
  /** Why requests failed, figures in the text left out, and how many for each reason. */
  readonly errors: Readonly<Record<string, number>>
}

/** More than this is slow, ms. */
export const SLOW_MS = 100
/** Whose last bad request was due within this time before the end of the run has not healed, ms. */
export const NOT_HEALED_MS = 1_000
const BURST_MS = 100

/** Sums a run up. */
export function figuresOf({ requests: all, connects, crash }: Recording, course: Course): Figures {
  const { startsAt, endsAt, episodes } = course
  const { counted: requests, skipped } = dueIn(course, all)
  const from = episodes[0]?.from ?? endsAt
  const failed = requests.filter(({ error }) => error !== undefined)
  const slow = requests.filter((request) => isSlow(request, course))
  const healedMs = healedAfter([...failed, ...slow], course)
  const over = overAt(episodes, endsAt, healedMs)
  const latencies = (begin: number, end: number): Latencies => latenciesOf(requests, begin, end, course)
  const sinceFault = (times: readonly number[]): number[] => times.filter((at) => at >= from && at < endsAt)
  const since = sinceFault(connects)
  return {
    requests: requests.length,
    ok: requests.length - failed.length,
    failed: failed.length,
    slow: slow.length,
    skipped: skipped.length,
    outageMs: Math.max(0, ...episodes.map((episode) => (episode.until ?? episode.from) - episode.from)),
    healedMs,
    before: latencies(startsAt, from),
    during: latencies(from, over),
    after: latencies(over, endsAt),
    connects: since.length,
    accepted: sinceFault(course.accepted).length,
    burst: largestBurst(since),
    crash,
    errors: countBy(failed.map(({ error }) => (error as string).replaceAll(/\d+(\.\d+)?/g, '#'))),
  }
}

/** The requests of a run, apart from those that were not made because the scenario had the application stand still. */
export function dueIn(
  { startsAt, endsAt, standstills }: Pick<Course, 'startsAt' | 'endsAt' | 'standstills'>,
  requests: readonly Request[],
): { readonly counted: readonly Request[]; readonly skipped: readonly Request[] } {
  const counted: Request[] = []
  const skipped: Request[] = []
  for (const request of requests) {
    const { due, error } = request
    if (due < startsAt || due >= endsAt) continue
    const isSkipped = error === NOT_MADE && standstills.some(({ from, until }) => due >= from && due < until)
    const kind = isSkipped ? skipped : counted
    kind.push(request)
  }
  return { counted, skipped }
}

/** How long a request took, but for what no pool could have spared it: the time in which the application stood still. */
export function latencyOf({ due, settled }: Request, { standstills }: Pick<Course, 'standstills'>): number {
  let latency = settled - due
  for (const { from, until } of standstills) latency -= Math.max(0, Math.min(until, settled) - Math.max(from, due))
  return latency
}

/** Whether a request was answered late. */
export function isSlow(request: Request, course: Pick<Course, 'standstills' | 'roundTripMs'>): boolean {
  return request.error === undefined && latencyOf(request, course) > lateAfter(request, course)
}

/** How long after it was due a request is late, ms: beside the network and the server's work on it. */
function lateAfter({ work }: Request, { roundTripMs }: Pick<Course, 'roundTripMs'>): number {
  return work + roundTripMs + SLOW_MS
}

/** The most of these times that lie within any 100 ms. */
export function largestBurst(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  let largest = 0
  let first = 0
  for (const [index, time] of sorted.entries()) {
    while (time - (sorted[first] as number) > BURST_MS) first++
    largest = Math.max(largest, index - first + 1)
  }
  return largest
}

/** The longest time to heal. Each fault answers for the requests that became bad, late or failed, from it up to the next. */
function healedAfter(bad: readonly Request[], course: Course): number {
  const { episodes, endsAt } = course
  let longest = 0
  for (const request of bad) {
    const badAt = Math.min(request.settled, request.due + lateAfter(request, course))
    const fault = episodes.findLast(({ from }) => from <= badAt)
    // Due before it, and still in time when it came: that it met this one says nothing of how the one before was healed.
    if (fault !== undefined) longest = Math.max(longest, request.due - (fault.until ?? fault.from))
  }
  const lastBad = Math.max(...bad.map(({ due }) => due))
  return episodes.length > 0 && lastBad > endsAt - NOT_HEALED_MS ? Number.POSITIVE_INFINITY : longest
}

/** When "after" begins: when the endpoint answered again, or, where the last fault lasts, when the pool had healed. */
function overAt(episodes: readonly Episode[], endsAt: number, healedMs: number): number {
  const last = episodes.at(-1)
  if (last === undefined) return endsAt
  return last.until ?? Math.min(endsAt, last.from + healedMs)
}

function latenciesOf(requests: readonly Request[], from: number, until: number, course: Course): Latencies {
  const latencies = requests
    .filter(({ due }) => due >= from && due < until)
    .map((request) => (request.error === undefined ? latencyOf(request, course) : Number.POSITIVE_INFINITY))
  const at = (share: number): number | undefined => (latencies.length === 0 ? undefined : quantile(latencies, share))
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
