import { describe, expect, it } from 'vitest'
import { alone, SampleLog } from '../../src/state/sample-log.ts'
import { sample } from '../support/records.ts'

const total = [({ total: value }: { total: number }) => value]

describe('the samples of a pool', () => {
  it('are columns of the last seconds', () => {
    const log = new SampleLog()
    for (let second = 1; second <= 20; second++) log.add('orders', sample(second, { total: second }))
    expect(log.columns('orders', 3, total)).toEqual({ times: [17, 18, 19, 20], values: [[17, 18, 19, 20]] })
    expect(log.columns('billing', 3, total)).toEqual({ times: [], values: [[]] })
  })

  it('have a gap where there were none', () => {
    const log = new SampleLog()
    for (const second of [1, 2, 9]) log.add('orders', sample(second))
    expect(log.columns('orders', 60, total)).toEqual({ times: [1, 2, 3, 9], values: [[2, 2, null, 2]] })
  })

  it('join what the agent remembers and what was heard, each second once', () => {
    const log = new SampleLog()
    for (const second of [8, 9, 10]) log.add('orders', sample(second))
    log.fill('orders', [sample(6), sample(7), sample(8), sample(9)])
    log.add('orders', sample(10))
    expect(log.of('orders').map(({ timestamp }) => timestamp / 1000)).toEqual([6, 7, 8, 9, 10])
  })

  it('keep what was heard of an agent that was started again, and remembers less', () => {
    const log = new SampleLog()
    for (const second of [1, 2, 8]) log.add('orders', sample(second))
    log.fill('orders', [])
    log.fill('orders', [sample(6), sample(7), sample(8)])
    expect(log.of('orders').map(({ timestamp }) => timestamp / 1000)).toEqual([1, 2, 6, 7, 8])
  })

  it('go on when the clock of the agent is set back, without those that are still to come', () => {
    const log = new SampleLog()
    for (const second of [10, 20, 30, 31, 32]) log.add('orders', sample(second))
    for (const second of [32, 31, 30]) log.add('orders', sample(second))
    expect(log.of('orders').map(({ timestamp }) => timestamp / 1000)).toEqual([10, 20, 30, 31, 32])
    for (const second of [20, 21]) log.add('orders', sample(second, { total: 7 }))
    expect(log.of('orders').map(({ timestamp, total }) => [timestamp / 1000, total])).toEqual([
      [10, 2],
      [20, 7],
      [21, 7],
    ])
  })

  it('go back ten minutes, no farther', () => {
    const log = new SampleLog()
    for (let second = 1; second <= 5000; second++) log.add('orders', sample(second))
    expect(log.of('orders').length).toBeLessThanOrEqual(660)
  })
})

it('finds the values to which no line leads', () => {
  expect(alone([null, 4, null, 5, 6, null, 7])).toEqual([1, 6])
  expect(alone([3])).toEqual([0])
  expect(alone([])).toEqual([])
})
