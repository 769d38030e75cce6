import { describe, expect, test } from 'vitest'
import { Backoff } from '../../src/engine/backoff.ts'

const CAPS = { base: 50, max: 30_000, maxWhileWaited: 250 }

describe('the longest wait', () => {
  test.each([
    [1, 50],
    [2, 100],
    [3, 200],
    [4, 400],
    [9, 12_800],
    [10, 25_600],
    [11, 30_000],
    [2000, 30_000],
  ])('after %i failures is %i ms', (failures, longest) => {
    const backoff = new Backoff()
    for (let failure = 0; failure < failures; failure++) backoff.fail(() => 1)
    expect(backoff.delay(CAPS, false)).toBe(longest)
  })

  test('is maxWhileWaited while somebody waits, unless max is less', () => {
    const backoff = new Backoff()
    for (let failure = 0; failure < 9; failure++) backoff.fail(() => 1)
    expect(backoff.delay(CAPS, true)).toBe(250)
    expect(backoff.delay({ ...CAPS, max: 100 }, true)).toBe(100)
    expect(backoff.delay(CAPS, false)).toBe(12_800)
  })

  test('is base again after a success', () => {
    const backoff = new Backoff()
    for (let failure = 0; failure < 5; failure++) backoff.fail(() => 1)
    backoff.succeed()
    backoff.fail(() => 1)
    expect(backoff.delay(CAPS, false)).toBe(50)
  })
})

test('a wait is shortened or lengthened without drawing anew', () => {
  let draws = 0
  const backoff = new Backoff()
  for (let failure = 0; failure < 6; failure++) {
    backoff.fail(() => {
      draws++
      return 0.5
    })
  }
  expect([backoff.delay(CAPS, false), backoff.delay(CAPS, true), backoff.delay(CAPS, false)]).toEqual([800, 125, 800])
  expect(draws).toBe(6)
})

test('waits are spread evenly over the whole range, to the millisecond', () => {
  const backoff = new Backoff()
  for (let failure = 0; failure < 5; failure++) backoff.fail(() => 1)
  // Five failures: 0 to 800 ms; the next ones go beyond, so each draw is made from the same place.
  let state = 11
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const waits = Array.from({ length: 8000 }, () => {
    backoff.failures = 4
    backoff.fail(random)
    return backoff.delay(CAPS, false)
  })
  const parts = Array.from({ length: 16 }, (_, part) => waits.filter((wait) => Math.floor(wait / 50) === part).length)
  expect(parts.reduce((sum, count) => sum + count)).toBe(8000)
  // Above 37.7 an even spread comes once in a thousand times.
  expect(parts.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0)).toBeLessThan(37.7)
  expect(new Set(waits.map(Math.floor)).size).toBe(800)
})
