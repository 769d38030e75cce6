import { describe, expect, test } from 'vitest'
import { RecentTimes } from '../../src/engine/recent-times.ts'

function after(...times: readonly number[]): RecentTimes {
  const recent = new RecentTimes()
  for (const ms of times) recent.add(ms)
  return recent
}

const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms)

describe('the usual', () => {
  test('is unknown without a sample, and the first sample is it', () => {
    expect(after().usual).toBeUndefined()
    expect(after(7).usual).toBe(7)
  })

  test('is the 25th percentile', () => {
    expect(after(5, 1, 4, 2, 3).usual).toBe(2)
    expect(after(...Array.from({ length: 41 }, (_, index) => 40 - index)).usual).toBe(10)
  })

  test('does not move when half of the times become slow', () => {
    const recent = after(...times(32, 2))
    expect(recent.usual).toBe(2)
    for (let index = 0; index < 32; index++) recent.add(1000)
    expect(recent.usual).toBe(2)
    for (let index = 0; index < 100; index++) recent.add(index % 2 === 0 ? 2 : 1000)
    expect(recent.usual).toBe(2)
  })

  test('follows when nearly all of them do', () => {
    const recent = after(...times(64, 2), ...times(64, 1000))
    expect(recent.usual).toBe(1000)
  })

  test('is that of recent times: what is old is forgotten', () => {
    expect(after(...times(1000, 500), ...times(64, 3)).usual).toBe(3)
  })

  test('keeps up with what is added, a few samples late at most', () => {
    const recent = after(...times(64, 10))
    expect(recent.usual).toBe(10)
    let added = 0
    while (recent.usual === 10 && added < 64) {
      recent.add(1)
      added++
    }
    // A quarter of the window has to be new, and it is renewed every eight samples.
    expect(added).toBeGreaterThan(8)
    expect(added).toBeLessThanOrEqual(24)
  })
})
