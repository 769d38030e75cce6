import { describe, expect, test } from 'vitest'
import { LIMITS, outcomesOf } from '../../chaos/limits.ts'
import { SCENARIOS } from '../../chaos/scenarios.ts'

const measured = (changes = {}) => ({ failed: 0, slow: 0, healedMs: 0, connects: 0, outageMs: 0, ...changes })

describe('limits', () => {
  test('belong to scenarios that exist', () => {
    expect(SCENARIOS.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(LIMITS)))
  })

  test('are reached up to the last one', () => {
    const limit = { failed: 0, slow: 5, healedMs: 100 }
    expect(outcomesOf(limit, [measured({ slow: 5, healedMs: 100 })]).map(({ met }) => met)).toEqual([true, true, true])
    expect(outcomesOf(limit, [measured({ failed: 1, slow: 6, healedMs: 101 })]).map(({ met }) => met)).toEqual([false, false, false])
  })

  test('for failures are judged by the worst round, for all else by the median', () => {
    const limit = { failed: 0, slow: 5 }
    const rounds = [measured({ slow: 1 }), measured({ failed: 1, slow: 50 }), measured({ slow: 2 })]
    expect(outcomesOf(limit, rounds)).toMatchObject([
      { metric: 'failed', measured: 1, met: false },
      { metric: 'slow', measured: 2, met: true },
    ])
  })

  test('are missed by a pool that never healed in one round of several', () => {
    const [once, often] = [measured({ healedMs: 20 }), measured({ healedMs: Number.POSITIVE_INFINITY })]
    expect(outcomesOf({ healedMs: 100 }, [once, often, once])).toMatchObject([{ measured: Number.POSITIVE_INFINITY, met: false }])
  })

  test('allow to fail who waited as long as it might', () => {
    const limit = LIMITS['refused-5s'] ?? {}
    // 200 a second for the 3 s beyond the deadline and 0.1 s of healing, and one burst.
    const [outcome] = outcomesOf(limit, [measured({ outageMs: 5_000, healedMs: 100, failed: 636 })])
    expect(outcome).toMatchObject({ metric: 'failed', limit: 636, met: true })
    expect(outcomesOf(limit, [measured({ outageMs: 5_000, healedMs: 100, failed: 637 })])[0]).toMatchObject({ met: false })
  })

  test('allow nobody more to fail because the pool never healed', () => {
    const never = measured({ outageMs: 5_000, healedMs: Number.POSITIVE_INFINITY, failed: 1_600 })
    const [outcome] = outcomesOf(LIMITS['refused-5s'] ?? {}, [measured({ outageMs: 5_000 }), never, measured({ outageMs: 5_000 })])
    expect(outcome).toMatchObject({ metric: 'failed', limit: 616, measured: 1_600, met: false })
  })

  test('allow none to fail for an outage within the deadline, but one burst', () => {
    expect(outcomesOf(LIMITS['gone-2s'] ?? {}, [measured({ outageMs: 1_900, healedMs: 0 })])[0]?.limit).toBe(16)
  })

  test('allow those to be slow who come while the endpoint is away, and two bursts', () => {
    const outcomes = outcomesOf(LIMITS.restarted ?? {}, [measured({ outageMs: 250 })])
    expect(outcomes.find(({ metric }) => metric === 'slow')?.limit).toBe(82)
  })
})
