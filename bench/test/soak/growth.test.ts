import { describe, expect, test } from 'vitest'
import { growthOf, type Sampled } from '../../soak/growth.ts'
import { type Random, seeded } from '../../src/random.ts'

const MINUTE = 60_000

/** A sample each minute. */
function series(count: number, valueAt: (index: number) => number): Sampled[] {
  return Array.from({ length: count }, (_, index) => ({ at: index * MINUTE, value: valueAt(index) }))
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

const MB = 1_000_000
const HEAP = { amount: 0.3 * MB, share: 0.03 }
const COUNT = { amount: 0.5 }

describe('a figure that grows', () => {
  test('is found under noise, and by how much', () => {
    const random = seeded(1)
    const leak = series(120, (minute) => 12 * MB + minute * 10_000 + normal(random) * 100_000)
    const { verdict, growth, low, high } = growthOf(leak, HEAP)
    expect(verdict).toBe('grows')
    // Of the 120 minutes the first 24 do not count.
    expect(low).toBeLessThan(95 * 10_000)
    expect(high).toBeGreaterThan(95 * 10_000)
    expect(growth).toBeCloseTo(95 * 10_000, -5)
  })

  test('is found where it goes up and down while it grows', () => {
    expect(
      growthOf(
        series(200, (minute) => 12 * MB + (minute % 12) * 50_000 + minute * 8_000),
        HEAP,
      ).verdict,
    ).toBe('grows')
  })

  test('is found where it grows by one now and then', () => {
    expect(
      growthOf(
        series(120, (minute) => 8 + Math.floor(minute / 20)),
        COUNT,
      ).verdict,
    ).toBe('grows')
  })
})

describe('a figure that does not grow', () => {
  test('is steady when it is always the same', () => {
    expect(
      growthOf(
        series(20, () => 8),
        COUNT,
      ),
    ).toMatchObject({ verdict: 'steady', level: 8, growth: 0, low: 0, high: 0 })
  })

  test('is steady under noise', () => {
    const random = seeded(2)
    expect(
      growthOf(
        series(120, () => 12 * MB + normal(random) * 100_000),
        HEAP,
      ).verdict,
    ).toBe('steady')
  })

  test('is steady when it rises and falls like a saw', () => {
    expect(
      growthOf(
        series(240, (minute) => 12 * MB + (minute % 10) * 50_000),
        HEAP,
      ).verdict,
    ).toBe('steady')
  })

  test('is not taken for one that grows when it wanders slowly', () => {
    let grows = 0
    for (let seed = 1; seed <= 100; seed++) {
      const random = seeded(seed)
      let drift = 0
      const wandering = series(100, () => {
        drift = 0.5 * drift + normal(random) * 200_000
        return 12 * MB + drift
      })
      if (growthOf(wandering, { amount: 0 }).verdict === 'grows') grows++
    }
    // By chance alone it would be 2 or 3; as many again are what the allowance for the likeness of neighbours leaves.
    expect(grows).toBeLessThan(10)
  })

  test('is steady when it has grown only while it warmed up', () => {
    expect(
      growthOf(
        series(100, (minute) => 12 * MB - 4 * MB * 0.7 ** minute),
        HEAP,
      ).verdict,
    ).toBe('steady')
  })

  test('is steady whatever a single sample says', () => {
    expect(
      growthOf(
        series(50, (minute) => (minute === 49 ? 500 : 8)),
        COUNT,
      ).verdict,
    ).toBe('steady')
  })

  test('is steady when it falls', () => {
    expect(
      growthOf(
        series(50, (minute) => 12 * MB - minute * 20_000),
        HEAP,
      ).verdict,
    ).toBe('steady')
  })
})

describe('the interval', () => {
  /** All orders in which so many values can come. */
  const orders = (count: number): number[][] =>
    count === 0
      ? [[]]
      : orders(count - 1).flatMap((order) =>
          Array.from({ length: count }, (_, place) => [...order.slice(0, place), count - 1, ...order.slice(place)]),
        )

  // Where nothing grows all orders are as likely: so this is no sample, but what the interval is.
  test.each([5, 6, 7])('misses the truth at most once in twenty times, exactly, with %d samples', (count) => {
    const all = orders(count)
    const missed = all.filter((order) => {
      const { low, high } = growthOf(
        series(count, (index) => Math.sqrt(1 + (order[index] as number))),
        { amount: 0, warmUp: 0 },
      )
      return low > 0 || high < 0
    })
    expect(missed.length / all.length).toBeLessThanOrEqual(0.05)
  })

  test('is that of a reference', () => {
    // scipy.stats.theilslopes: the samples do not resemble their neighbours, so nothing is widened.
    const values = [3, 1, 4, 1.5, 9, 2.6, 5, 3.5, 8, 9.7, 9.3, 2.3, 8.4, 6, 2.64, 3.3]
    const { growth, low, high } = growthOf(
      series(values.length, (index) => values[index] as number),
      { amount: 0, warmUp: 0 },
    )
    expect([growth, low, high].map((each) => each / 15)).toEqual([0.1414, -0.1889, 0.625].map((slope) => expect.closeTo(slope, 4)))
  })
})

describe('a figure of which too little is known', () => {
  test('is unclear with few samples', () => {
    expect(
      growthOf(
        series(5, () => 8),
        COUNT,
      ).verdict,
    ).toBe('unclear')
  })

  test('is unclear when its noise is larger than what it may grow', () => {
    const random = seeded(3)
    expect(
      growthOf(
        series(20, () => 12 * MB + normal(random) * 2 * MB),
        HEAP,
      ).verdict,
    ).toBe('unclear')
  })
})

test('a long series is judged as fast as a short one', () => {
  const random = seeded(4)
  const begun = performance.now()
  const { verdict } = growthOf(
    series(50_000, () => 12 * MB + normal(random) * 100_000),
    HEAP,
  )
  expect(verdict).toBe('steady')
  expect(performance.now() - begun).toBeLessThan(5_000)
})
