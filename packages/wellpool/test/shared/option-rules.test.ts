import { describe, expect, it } from 'vitest'
import {
  callback,
  choice,
  defined,
  duration,
  findProblems,
  flag,
  type OptionRule,
  password,
  port,
  text,
  tls,
  toMs,
  wholeNumber,
} from '../../src/shared/option-rules.ts'

describe('a rule', () => {
  it.each<[name: string, rule: OptionRule, fits: unknown[], fitsNot: unknown[]]>([
    ['text', text, ['a'], ['', 7, null, ['a']]],
    ['flag', flag, [true, false], [0, 'true', null]],
    ['callback', callback, [() => {}], ['() => {}', {}]],
    ['port', port, [1, 65_535], [0, 65_536, 1.5, '80', Number.NaN]],
    ['password', password, ['', 'x', () => 'x'], [7, null, ['x']]],
    ['tls', tls, [true, false, {}], ['true', null, []]],
    ['wholeNumber', wholeNumber(2, 4), [2, 4], [1, 5, 2.5, '3', Number.NaN]],
    ['wholeNumber without an end', wholeNumber(0), [0, 2 ** 53 - 1], [-1, 2 ** 53, Number.POSITIVE_INFINITY]],
    ['choice', choice('a', 'b'), ['a', 'b'], ['c', '', undefined, 0]],
    ['duration', duration(10), [10, '10ms', '1.5s', 2 ** 31 - 1], [9, 'soon', '', 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY, null]],
  ])('%s takes what fits and nothing else', (_, rule, fits, fitsNot) => {
    expect(fits.filter((value) => !rule.fits(value))).toEqual([])
    expect(fitsNot.filter((value) => rule.fits(value))).toEqual([])
  })

  it('says what is allowed', () => {
    expect(choice('a', 'b').allowed).toBe("'a' or 'b'")
    expect(wholeNumber(2, 4).allowed).toBe('a whole number from 2 to 4')
    expect(wholeNumber(2).allowed).toBe('a whole number from 2')
    expect(duration(10).allowed).toContain('from 10 ms')
  })
})

describe('findProblems', () => {
  const rules = { host: text, port, password }

  it('finds nothing wrong with options that fit or are not given', () => {
    expect(findProblems({ host: 'a', port: undefined }, rules)).toEqual([])
  })

  it('names everything that is wrong, by its path', () => {
    expect(findProblems({ host: '', port: 0, hosts: 'a', toString: 'x' }, rules, 'jump.')).toEqual([
      { path: 'jump.host', given: "''", allowed: text.allowed },
      { path: 'jump.port', given: '0', allowed: port.allowed },
      { path: 'jump.hosts', given: 'an unknown option', allowed: 'host, port, password' },
      { path: 'jump.toString', given: 'an unknown option', allowed: 'host, port, password' },
    ])
  })

  it.each([
    [7, 'a number'],
    [['hunter2'], 'an array'],
    [{ text: 'hunter2' }, 'an object'],
    [null, 'null'],
  ])('shows of a secret %j only what kind of value it is', (given, shown) => {
    expect(findProblems({ password: given }, rules)).toEqual([{ path: 'password', given: shown, allowed: 'a text or a function' }])
  })

  it.each([
    [null, 'null'],
    ['x', 'a text'],
    [[], 'an array'],
    [undefined, 'undefined'],
  ])('refuses options that are %j', (given, shown) => {
    expect(findProblems(given, rules)).toEqual([{ path: 'options', given: shown, allowed: 'an object' }])
  })
})

it('toMs reads numbers and texts, rounds up, and leaves the rest', () => {
  expect([1.2, '1.5s', 0, 'soon', Number.NaN, null, undefined].map(toMs)).toEqual([2, 1500, 0, undefined, undefined, undefined, undefined])
})

it('defined leaves out what is undefined, and nothing else', () => {
  expect(defined({ a: undefined, b: null, c: 0, d: '', e: false })).toEqual({ b: null, c: 0, d: '', e: false })
})
