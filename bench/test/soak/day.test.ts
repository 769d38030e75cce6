import { describe, expect, test } from 'vitest'
import { type DayReport, type DaySettings, MAX_CONNECTIONS } from '../../soak/day-report.ts'
import { growthOf } from '../../soak/growth.ts'
import { Child } from '../../src/child.ts'
import { compile } from '../../src/compile.ts'
import { STEADY_HEAP_FLAGS } from '../../src/heap.ts'

/** What the heap may be larger by at the end, bytes: requests that left ten bytes behind each would be more. */
const ALLOWED = { amount: 100_000, warmUp: 1 / 3 }

async function play(settings: DaySettings): Promise<DayReport> {
  await using compiled = await compile([new URL('../../soak/day.ts', import.meta.url)], { sources: true })
  const child = new Child<never, DayReport>(compiled.program, {
    name: 'the day',
    args: [JSON.stringify(settings)],
    flags: STEADY_HEAP_FLAGS,
    patienceMs: 110_000,
  })
  return await child.hear('day')
}

describe('24 simulated hours', { timeout: 120_000 }, () => {
  test('of a day’s load, with faults, leave the heap as it was', async () => {
    const report = await play({ hours: 24, seed: 1, leaks: false })
    expect(report.requests).toBeGreaterThan(15_000)
    expect(report.faults).toBeGreaterThan(50)
    expect(report.rebuilds).toBeGreaterThan(100)
    expect(report.closedIdle).toBeGreaterThan(10)
    expect(report.problems).toEqual([])
    expect(report.mostOpen).toBeLessThanOrEqual(MAX_CONNECTIONS + 1)
    expect([report.timersLeft, report.openLeft]).toEqual([0, 0])
    expect(growthOf(report.heap, ALLOWED)).toMatchObject({ verdict: 'steady' })
  })

  test('in which something is kept of each request are found out', async () => {
    const { heap } = await play({ hours: 12, seed: 2, leaks: true })
    expect(growthOf(heap, ALLOWED)).toMatchObject({ verdict: 'grows' })
  })
})
