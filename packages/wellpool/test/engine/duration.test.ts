import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatMs, parseDuration } from '../../src/engine/duration.ts'

describe('parseDuration', () => {
  test.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['1m30s500ms', 90_500],
    ['  30S ', 30_000],
    ['0', 0],
    ['0s', 0],
    ['infinity', Number.POSITIVE_INFINITY],
    ['Infinity', Number.POSITIVE_INFINITY],
  ])('reads %j as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each(['', ' ', '30', 's', '5min', '30 s', '-5s', '+5s', '1e3ms', '.5s', '5.s', 'NaN', '-infinity', '1h 30m', '1,5s', '5µs', 'ten'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )

  test('adds up the parts, whatever their number and units', () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
    const part = fc.record({ amount: fc.nat(10_000), unit: fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])) })
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.map(({ amount, unit }) => `${amount}${unit}`).join('')
        const sum = parts.reduce((total, { amount, unit }) => total + amount * units[unit], 0)
        expect(parseDuration(text)).toBe(sum)
      }),
    )
  })

  test('never throws and never answers with less than 0 or NaN', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseDuration(text)
        expect(ms === undefined || ms >= 0).toBe(true)
      }),
    )
  })
})

describe('formatMs', () => {
  test.each([
    [0, '0 ms'],
    [12.34, '12.3 ms'],
    [99.96, '100 ms'],
    [123.4, '123 ms'],
    [5000, '5000 ms'],
    [9999, '9999 ms'],
    [45_000, '45 s'],
    [599_000, '599 s'],
    [600_000, '10 min'],
    [5_400_000, '90 min'],
  ])('says %d ms as %j', (ms, text) => {
    expect(formatMs(ms)).toBe(text)
  })
})
