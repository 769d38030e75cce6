import { describe, expect, test } from 'vitest'
import { seeded } from '../src/random.ts'
import { criticalRank, pairedEstimate } from '../src/signed-rank.ts'

/** Normally distributed numbers (Box–Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

describe('the rank that bounds the interval', () => {
  // The tables of Wilcoxon's test, two-sided 5 %: the largest sum that is significant; the interval begins one further.
  test.each([
    [6, 0],
    [8, 3],
    [10, 8],
    [12, 13],
    [14, 21],
    [16, 29],
    [20, 52],
    [25, 89],
  ])('is that of the tables for %d rounds', (n, significant) => {
    expect(criticalRank(n)).toBe(significant + 1)
  })

  test('leaves nothing out where there is no such interval', () => {
    expect(criticalRank(5)).toBe(0)
  })
})

describe('the estimate of paired differences', () => {
  test('is the median of the means of all pairs', () => {
    expect(pairedEstimate([1, 2, 6]).median).toBe((2 + 3.5) / 2)
  })

  test('is hardly moved by a round that somebody else has spoilt', () => {
    const rounds = [1, 1.1, 0.9, 1.05, 0.95, 1, 1.02, 0.98, 1.03, 0.97, 1.01, 0.99]
    const spoilt = [...rounds.slice(1), 50]
    expect(Math.abs(pairedEstimate(spoilt).median - pairedEstimate(rounds).median)).toBeLessThan(0.02)
    expect(pairedEstimate(spoilt).high).toBeLessThan(1.2)
  })

  test('with few rounds has the whole range as its interval', () => {
    expect(pairedEstimate([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 })
  })

  // However the signs fall out, all of them are as likely: so this is no sample, but what the interval is.
  test.each([6, 7, 8, 10, 12])('has an interval that misses the truth at most once in twenty times, exactly, with %d rounds', (n) => {
    const sizes = Array.from({ length: n }, (_, index) => index + 1 + Math.sqrt(index + 1))
    let missed = 0
    for (let signs = 0; signs < 2 ** n; signs++) {
      const { low, high } = pairedEstimate(sizes.map((size, index) => ((signs >> index) & 1 ? size : -size)))
      if (low > 0 || high < 0) missed++
    }
    expect(missed / 2 ** n).toBeLessThanOrEqual(0.05)
  })

  test('has an interval that misses the truth about once in twenty times', () => {
    const random = seeded(7)
    const repeats = 2_000
    let missed = 0
    for (let i = 0; i < repeats; i++) {
      const { low, high } = pairedEstimate(Array.from({ length: 12 }, () => 3 + normal(random)))
      if (low > 3 || high < 3) missed++
    }
    expect(missed / repeats).toBeGreaterThan(0.03)
    expect(missed / repeats).toBeLessThan(0.065)
  })
})
