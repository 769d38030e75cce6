import { describe, expect, it } from 'vitest'
import { age, duration, percent, whole } from '../src/format.ts'

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [0.012, '0.012 ms'],
    [0.42, '0.42 ms'],
    [0.999, '1 ms'],
    [1, '1 ms'],
    [3.14, '3.1 ms'],
    [12.6, '13 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [1240, '1.24 s'],
    [12_340, '12.3 s'],
    [59_999, '1 m 00 s'],
    [125_000, '2 m 05 s'],
    [3_599_999, '1 h 00 m'],
    [3 * 3_600_000 + 12 * 60_000, '3 h 12 m'],
    [86_399_999, '1 d 00 h'],
    [4 * 86_400_000 + 3 * 3_600_000, '4 d 03 h'],
  ])('%d ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  it('says nothing of what is no number, and takes what is negative as nothing', () => {
    expect(duration(Number.NaN)).toBe('–')
    expect(duration(-5)).toBe('0 ms')
  })
})

describe('age', () => {
  it.each([
    [-20, '0.0 s'],
    [449, '0.4 s'],
    [9999, '9.9 s'],
    [10_000, '10 s'],
    [59_999, '59 s'],
    [125_000, '2 m 05 s'],
  ])('%d ms is %s', (ms, text) => {
    expect(age(ms)).toBe(text)
  })
})

it('writes whole numbers in groups', () => {
  expect([0, 999, 1000, 1_234_567].map(whole)).toEqual(['0', '999', '1,000', '1,234,567'])
})

it('writes shares, and does not call a small one none', () => {
  expect([percent(0, 10), percent(1, 250), percent(1, 8), percent(1, 0)]).toEqual(['0 %', '0.4 %', '13 %', '–'])
})
