import { describe, expect, it } from 'vitest'
import { AcquireTimeoutError } from 'wellpool'
import { Tally } from '../src/tally.ts'

/** Requests that were due at these times and took so long; those that failed say why. */
function tallyOf(...requests: [due: number, ms: number, error?: unknown][]): Tally {
  const tally = new Tally()
  for (const [due, ms, error] of requests) {
    const request = tally.begin(due)
    if (error === undefined) tally.succeed(request, due + ms)
    else tally.fail(request, due + ms, error)
  }
  return tally
}

describe('Tally', () => {
  it('counts what was issued, what became of it, and what is under way', () => {
    const tally = tallyOf([0, 10], [10, 101], [20, 5, new Error('no')])
    tally.begin(30)
    expect(tally).toMatchObject({ issued: 4, ok: 2, slow: 1, failed: 1, underWay: 1 })
  })

  it('says what was seen from a moment on, by when requests were due', () => {
    const tally = tallyOf([-1, 500], [50, 20], [100, 10], [200, 300], [300, 20, new Error('no')], [400, 10])
    expect(tally.since(100, 1_000)).toEqual({
      requests: 4,
      failed: 1,
      slow: 1,
      slowestMs: 300,
      lastBadDue: 300,
      errors: [{ text: 'no', count: 1 }],
    })
    expect(tally.since(350, 1_000)).toMatchObject({ requests: 1, lastBadDue: undefined })
  })

  it('counts what was under way at that moment, but not what was late already', () => {
    const tally = tallyOf([0, 400], [60, 40], [70, 600], [80, 300, new Error('killed')], [90, 30])
    const open = tally.begin(95)
    expect(tally.since(101, 200)).toMatchObject({ requests: 4, failed: 1, slow: 2, slowestMs: 600, lastBadDue: 95 })
    tally.succeed(open, 150)
    expect(tally.since(101, 200)).toMatchObject({ requests: 4, failed: 1, slow: 1, slowestMs: 600, lastBadDue: 80 })
  })

  it('counts a request that is under way as slow as soon as it is', () => {
    const tally = new Tally()
    tally.begin(0)
    expect(tally.since(0, 100)).toMatchObject({ slow: 0, lastBadDue: undefined })
    expect(tally.since(0, 101)).toMatchObject({ slow: 1, slowestMs: 101, lastBadDue: 0 })
  })

  it('does not count time in which the machine did not let the process run', () => {
    const tally = new Tally((from, to) => (from <= 50 && to >= 250 ? 200 : 0))
    tally.succeed(tally.begin(0), 290)
    tally.succeed(tally.begin(100), 290)
    expect(tally.since(0, 300)).toMatchObject({ slow: 1, slowestMs: 190, lastBadDue: 100 })
  })

  it('counts errors of one kind together, whatever numbers they hold', () => {
    const timeout = (waitedMs: number): Error =>
      new AcquireTimeoutError(`after ${waitedMs} ms`, { verdict: 'down', waitedMs, total: 0, idle: 0, acquired: 0, waiting: 1 })
    const tally = tallyOf(
      [0, 1, new Error('other')],
      [1, 1, timeout(5)],
      [2, 1, timeout(6)],
      [3, 1, Object.assign(new Error('x'), { code: '57P01' })],
    )
    expect(tally.since(0, 10).errors).toEqual([
      { text: 'ACQUIRE_TIMEOUT (down)', count: 2 },
      { text: 'other', count: 1 },
      { text: '57P01', count: 1 },
    ])
  })

  it('knows percentiles of what was settled in the last while', () => {
    const tally = tallyOf(...Array.from({ length: 100 }, (_, index) => [1_000 + index, index + 1] as [number, number]))
    expect(tally.latency(1_000, 1_200)).toEqual({ p50: 51, p99: 100, max: 100 })
    expect(tally.latency(50, 1_200)).toBeUndefined()
  })

  it('shows each slice of time by the worst of its requests', () => {
    const tally = tallyOf([100, 10], [600, 200], [650, 10], [1_100, 10, new Error('no')], [1_200, 300])
    expect(tally.slices(5, 500, 2_100)).toEqual(['ok', 'slow', 'failed', 'none', 'none'])
  })

  it('forgets what is older than a minute, and keeps the totals', () => {
    const tally = tallyOf(...Array.from({ length: 3_000 }, (_, index) => [index * 50, 1] as [number, number]))
    expect(tally.issued).toBe(3_000)
    expect(tally.since(0, 150_000).requests).toBeLessThan(2_500)
    expect(tally.since(90_000, 150_000).requests).toBe(1_200)
  })
})
