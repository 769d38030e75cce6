import type { Estimate } from './statistics.ts'

/** The 97.5 % point of the normal distribution. */
const Z = 1.959964

/**
 * A share with its 95 % confidence interval (Wilson's, which also holds where nothing or everything was counted). It
 * takes the cases as independent; where they come in clusters the truth lies wider.
 */
export function shareOf(count: number, total: number): Estimate {
  const share = count / total
  const spread = Z ** 2 / total
  const middle = share + spread / 2
  const half = Z * Math.sqrt((share * (1 - share)) / total + spread / (4 * total))
  return {
    median: share,
    low: count === 0 ? 0 : (middle - half) / (1 + spread),
    high: count === total ? 1 : (middle + half) / (1 + spread),
  }
}
