import { expect, it } from 'vitest'
import { inCi } from '../src/index.ts'

it.each([
  ['true', true],
  ['1', true],
  ['woodpecker', true],
  ['false', false],
  ['', false],
])('CI=%j means %j', (ci, expected) => {
  expect(inCi(ci)).toBe(expected)
})
