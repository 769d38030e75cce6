import type { Estimate } from './statistics.ts'

/** How often an interval may miss what it is about. */
const ALPHA = 0.05

/**
 * What lies behind paired differences of a few rounds, with its 95 % confidence interval: the Hodges–Lehmann estimate,
 * which is the median of the means of all pairs, and the interval of Wilcoxon's signed-rank test. Exact for any number
 * of rounds, and for any distribution that is symmetric, as that of a difference is whose order was drawn by lot; a
 * round that somebody else has spoilt hardly moves it. With fewer than six rounds there is no such interval, and the
 * whole range stands for it.
 */
export function pairedEstimate(differences: readonly number[]): Estimate {
  const means = differences.flatMap((a, index) => differences.slice(index).map((b) => (a + b) / 2)).sort((a, b) => a - b)
  const last = means.length - 1
  const outside = Math.max(0, criticalRank(differences.length) - 1)
  return {
    median: ((means[Math.floor(last / 2)] ?? Number.NaN) + (means[Math.ceil(last / 2)] ?? Number.NaN)) / 2,
    low: means[outside] ?? Number.NaN,
    high: means[last - outside] ?? Number.NaN,
  }
}

/**
 * Which of the means, counted from 1 at either end, bounds the interval: as large as it can be with at most 2.5 % of all
 * ways to sign the ranks 1 to n having a smaller sum. The truth lies beyond that mean just as often. 0: none does.
 */
export function criticalRank(n: number): number {
  const ways = waysToSum(n)
  const allowed = (ALPHA / 2) * 2 ** n
  let below = 0
  let rank = 0
  while (rank < ways.length && below + (ways[rank] as number) <= allowed) below += ways[rank++] as number
  return rank
}

/** For each sum: how many subsets of the ranks 1 to n have it. */
function waysToSum(n: number): Float64Array {
  const ways = new Float64Array((n * (n + 1)) / 2 + 1)
  ways[0] = 1
  for (let rank = 1; rank <= n; rank++) {
    for (let sum = ways.length - 1; sum >= rank; sum--) ways[sum] = (ways[sum] as number) + (ways[sum - rank] as number)
  }
  return ways
}
