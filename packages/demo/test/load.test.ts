import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Load } from '../src/load.ts'
import { Tally } from '../src/tally.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

describe('Load', () => {
  it('issues requests when they are due although none is answered', async () => {
    const due: number[] = []
    const load = new Load(100, new Tally(), (request) => {
      due.push(request.due)
      return new Promise(() => {})
    })
    const start = performance.now()
    load.start()
    await vi.advanceTimersByTimeAsync(95)
    load.stop()
    expect(due.map((at) => Math.round(at - start))).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
  })

  it('counts a request from when it was due, also when it is issued late', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    const due: number[] = []
    const load = new Load(100, new Tally(), async (request) => {
      due.push(request.due)
    })
    load.start()
    expect(due).toEqual([1_000])
    // The process was busy for 45 ms, and then its timer fires.
    clock.mockReturnValue(1_045)
    await vi.advanceTimersToNextTimerAsync()
    load.stop()
    expect(due).toEqual([1_000, 1_010, 1_020, 1_030, 1_040])
  })

  it('does not make up for requests that were due while the whole process was suspended', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    const due: number[] = []
    const load = new Load(100, new Tally(), async (request) => {
      due.push(request.due)
    })
    load.start()
    clock.mockReturnValue(61_000)
    await vi.advanceTimersToNextTimerAsync()
    load.stop()
    expect(due).toEqual([1_000, 61_000])
  })

  it('tells the books how each request ended', async () => {
    const tally = new Tally()
    const load = new Load(100, tally, async (_, index) => {
      if (index % 2 === 1) throw new Error('odd')
    })
    load.start()
    await vi.advanceTimersByTimeAsync(35)
    load.stop()
    expect(await load.settled(1_000)).toBe(0)
    expect(tally).toMatchObject({ issued: 4, ok: 2, failed: 2, underWay: 0 })
  })

  it('says how many were never settled once its patience ends', async () => {
    const load = new Load(100, new Tally(), (_, index) => (index === 0 ? new Promise(() => {}) : Promise.resolve()))
    load.start()
    await vi.advanceTimersByTimeAsync(15)
    load.stop()
    const left = load.settled(1_000)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await left).toBe(1)
  })
})
