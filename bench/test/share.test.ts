import { expect, test } from 'vitest'
import { shareOf } from '../src/share.ts'

test('a share of none has an upper end all the same', () => {
  const { median, low, high } = shareOf(0, 3_000)
  expect([median, low]).toEqual([0, 0])
  expect(high).toBeCloseTo(0.00128, 5)
})

test('a share of all has a lower end all the same', () => {
  const { low, high } = shareOf(30_000, 30_000)
  expect(high).toBe(1)
  expect(low).toBeCloseTo(0.999872, 6)
})

// Newcombe (1998), table I: 81 of 263.
test('a share in between has the interval of the textbooks', () => {
  const { low, high } = shareOf(81, 263)
  expect(low).toBeCloseTo(0.2553, 4)
  expect(high).toBeCloseTo(0.3662, 4)
})
