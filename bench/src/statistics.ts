import { seeded } from './random.ts'

/** A median with its 95 % confidence interval. */
export interface Estimate {
  readonly median: number
  readonly low: number
  readonly high: number
}

const RESAMPLES = 4000

/** The middle of the values; of two middles their mean. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/**
 * What a repeated measurement is summed up to inside of one process: whatever else runs on the machine makes
 * some of its values larger, and none smaller.
 */
export function lowerQuartile(values: readonly number[]): number {
  return quantile(values, 0.25)
}

/** The value below which the share `q` of the values lies, interpolated between neighbours. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = Float64Array.from(values).sort()
  const position = q * (sorted.length - 1)
  const below = Math.floor(position)
  const lower = sorted[below] as number
  const upper = sorted[Math.min(below + 1, sorted.length - 1)] as number
  // Values may be endless: between two such, or next to one, there is nothing to interpolate.
  if (lower === upper || position === below) return lower
  return lower + (upper - lower) * (position - below)
}

/**
 * The median and its percentile-bootstrap interval. The resampling is seeded, so that a report of the same
 * figures always says the same. With fewer than five rounds the interval is no more than the range seen.
 */
export function estimate(values: readonly number[]): Estimate {
  const random = seeded(values.length)
  const medians = Array.from({ length: RESAMPLES }, () => median(values.map(() => values[Math.floor(random() * values.length)] as number)))
  return { median: median(values), low: quantile(medians, 0.025), high: quantile(medians, 0.975) }
}
