import { median } from '../src/statistics.ts'

/** A figure at some time. */
export interface Sampled {
  /** ms */
  readonly at: number
  readonly value: number
}

/** How much a figure may grow over the time that counts without meaning anything: whichever is more. */
export interface Tolerance {
  /** Of the figure's unit. */
  readonly amount: number
  /** A share of what the figure usually is. Default 0. */
  readonly share?: number
  /** At first caches fill up and code is compiled: this share of the time does not count. Default 0.2. */
  readonly warmUp?: number
}

/**
 * - `steady`: even at the steep end of its interval the growth over the whole time is less than what may be.
 * - `grows`: it surely rises, and by more than what may be.
 * - `unclear`: neither can be told.
 */
export type Verdict = 'steady' | 'grows' | 'unclear'

/** What became of a figure over time. All growth is over the whole time that counts. */
export interface Growth {
  readonly verdict: Verdict
  /** What the figure usually is. */
  readonly level: number
  readonly growth: number
  /** The 95 % confidence interval of the growth. */
  readonly low: number
  readonly high: number
  readonly allowed: number
  /** The time that counts, ms. */
  readonly spanMs: number
}

/** More samples than these are summed up in groups, by their medians. */
const MOST_SAMPLES = 300
/** Fewer say nothing. */
const LEAST_SAMPLES = 5
/** The 97.5 % point of the normal distribution. */
const Z = 1.959964

/**
 * Whether a figure grows. Its slope is Theil and Sen's, the median of the slopes between all pairs of samples, so that
 * no single sample, and no two points, decide; the interval is Sen's, widened for how much samples resemble those before
 * them (Hamed and Rao), so that a figure that goes up and down in slow waves is not taken for one that grows.
 */
export function growthOf(samples: readonly Sampled[], { amount, share = 0, warmUp = 0.2 }: Tolerance): Growth {
  const points = reduce(samples.slice(Math.ceil(samples.length * warmUp)))
  const level = points.length === 0 ? Number.NaN : median(points.map(({ value }) => value))
  const allowed = Math.max(amount, share * Math.abs(level))
  const spanMs = (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0)
  if (points.length < LEAST_SAMPLES) {
    return { verdict: 'unclear', level, growth: Number.NaN, low: Number.NaN, high: Number.NaN, allowed, spanMs }
  }
  const slopes = points.flatMap((a, index) => points.slice(index + 1).map((b) => (b.value - a.value) / (b.at - a.at))).sort((a, b) => a - b)
  const growth = median(slopes) * spanMs
  const half = Z * Math.sqrt(varianceOfSigns(points) * inflation(points, growth / spanMs))
  // The slopes at this place, counted from 1 at either end, are the bounds.
  const place = Math.max(1, Math.floor((slopes.length - half) / 2))
  const low = (slopes[place - 1] as number) * spanMs
  const high = (slopes[slopes.length - place] as number) * spanMs
  return { verdict: verdictOf(growth, low, high, allowed), level, growth, low, high, allowed, spanMs }
}

function verdictOf(growth: number, low: number, high: number, allowed: number): Verdict {
  if (high <= allowed) return 'steady'
  return low > 0 && growth > allowed ? 'grows' : 'unclear'
}

/** The same in at most {@link MOST_SAMPLES} points. */
function reduce(samples: readonly Sampled[]): Sampled[] {
  const size = Math.ceil(samples.length / MOST_SAMPLES)
  if (size <= 1) return [...samples]
  return Array.from({ length: Math.floor(samples.length / size) }, (_, group) => {
    const members = samples.slice(group * size, (group + 1) * size)
    return { at: median(members.map(({ at }) => at)), value: median(members.map(({ value }) => value)) }
  })
}

/** The variance of how many more pairs rise than fall, if nothing grows (Mann and Kendall): less where values are equal. */
function varianceOfSigns(points: readonly Sampled[]): number {
  const n = points.length
  const counts = new Map<number, number>()
  for (const { value } of points) counts.set(value, (counts.get(value) ?? 0) + 1)
  const term = (size: number): number => size * (size - 1) * (2 * size + 5)
  return [...counts.values()].reduce((variance, equal) => variance - term(equal), term(n)) / 18
}

/** By how much that variance is larger because samples resemble those before them. */
function inflation(points: readonly Sampled[], slope: number): number {
  const n = points.length
  const ranks = ranksOf(points.map(({ at, value }) => value - slope * at))
  const mean = (n + 1) / 2
  const spread = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0)
  if (spread === 0) return 1
  let sum = 0
  for (let lag = 1; lag < n - 2; lag++) {
    let product = 0
    for (let i = lag; i < n; i++) product += ((ranks[i] as number) - mean) * ((ranks[i - lag] as number) - mean)
    const correlation = product / spread
    // Only what is more than chance: the sum of all would be chance itself.
    if (Math.abs(correlation) > Z / Math.sqrt(n)) sum += (n - lag) * (n - lag - 1) * (n - lag - 2) * correlation
  }
  return Math.max(1, 1 + (2 * sum) / (n * (n - 1) * (n - 2)))
}

/** The place of each value among all, equal ones sharing theirs. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value)
  const ranks = new Array<number>(values.length).fill(0)
  for (let first = 0; first < order.length; ) {
    let last = first
    while (last + 1 < order.length && order[last + 1]?.value === order[first]?.value) last++
    for (let i = first; i <= last; i++) ranks[order[i]?.index as number] = (first + last) / 2 + 1
    first = last + 1
  }
  return ranks
}
