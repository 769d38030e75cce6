import { describe, expect, test } from 'vitest'
import { outcomesOf, type Verdict } from '../src/evaluate.ts'
import type { Target, Workload } from '../src/workload.ts'

function verdictOf(values: readonly number[], target: Partial<Target> = {}): Verdict | undefined {
  const workload: Workload = {
    name: 'some',
    title: '',
    rounds: values.length,
    contenders: ['wellpool'],
    metrics: [],
    targets: [{ metric: 'time', limit: 1, ...target }],
    run: async () => ({}),
  }
  return outcomesOf(workload, { wellpool: values.map((time) => ({ time })) })[0]?.verdict
}

const BELOW = [0.7, 0.75, 0.8, 0.85, 0.9]
const ACROSS = [0.7, 0.8, 0.9, 1.1, 1.2]
const ABOVE = [1.1, 1.15, 1.2, 1.25, 1.3]

describe('a target', () => {
  test('is decided by the median', () => {
    expect([BELOW, ACROSS, ABOVE].map((values) => verdictOf(values))).toEqual(['met', 'met', 'missed'])
  })

  test('that is left to the noise is open wherever the interval lies on both sides of the limit', () => {
    const byInterval = (values: readonly number[], atLeast: boolean): Verdict | undefined =>
      verdictOf(values, { byInterval: true, atLeast })
    expect([BELOW, ACROSS, ABOVE].map((values) => byInterval(values, false))).toEqual(['met', 'open', 'missed'])
    expect([BELOW, ACROSS, ABOVE].map((values) => byInterval(values, true))).toEqual(['missed', 'open', 'met'])
  })
})
