import { describe, expect, test } from 'vitest'
import { lostIn } from '../../chaos/crash.ts'
import { type Course, figuresOf, isSlow, largestBurst, latencyOf } from '../../chaos/figures.ts'
import { NOT_MADE, type Request } from '../../chaos/messages.ts'

/** A request that was due then and took so long; with an error it failed. */
const request = (due: number, ms: number, error?: string, work = 0): Request => ({ due, work, settled: due + ms, error })

/** One request every 100 ms from 0 to 10 s, each answered in 1 ms. */
const steady = (): Request[] => Array.from({ length: 100 }, (_, index) => request(index * 100, 1))

const course = (changes: Partial<Course> = {}): Course => ({
  startsAt: 0,
  endsAt: 10_000,
  episodes: [],
  standstills: [],
  roundTripMs: 0,
  accepted: [],
  ...changes,
})

const figures = (requests: readonly Request[], changes: Partial<Course> = {}, connects: readonly number[] = []) =>
  figuresOf({ requests, connects, trace: [], crash: undefined }, course(changes))

const fault = (from: number, until?: number) => ({ name: 'fault', from, until })

describe('requests', () => {
  test('count from the start to the end of the run', () => {
    const { requests, ok, failed } = figures(steady(), { startsAt: 1_000, endsAt: 2_000 })
    expect({ requests, ok, failed }).toEqual({ requests: 10, ok: 10, failed: 0 })
  })

  test('that failed are counted by their reasons, figures in the text left out', () => {
    const { failed, errors } = figures([
      request(0, 5, 'no connection after 2001 ms'),
      request(1, 5, 'no connection after 2003.5 ms'),
      request(2, 1),
    ])
    expect(failed).toBe(2)
    expect(errors).toEqual({ 'no connection after # ms': 2 })
  })

  test('are slow above 100 ms, beside the work and the round trip', () => {
    const near = course()
    expect([99, 100, 101].map((ms) => isSlow(request(0, ms), near))).toEqual([false, false, true])
    expect(isSlow(request(0, 350, undefined, 250), near)).toBe(false)
    expect(isSlow(request(0, 351, undefined, 250), near)).toBe(true)
    const far = course({ roundTripMs: 80 })
    expect([180, 181].map((ms) => isSlow(request(0, ms), far))).toEqual([false, true])
  })

  test('that failed are not slow as well', () => {
    const { failed, slow } = figures([request(0, 2_000, 'time-out')])
    expect({ failed, slow }).toEqual({ failed: 1, slow: 0 })
  })

  test('that were not made have failed, unless the application was made to stand still', () => {
    const notMade = [1_500, 2_500].map((due) => request(due, 3_000, NOT_MADE))
    expect(figures([...steady(), ...notMade])).toMatchObject({ requests: 102, ok: 100, failed: 2, skipped: 0 })
    expect(figures([...steady(), ...notMade], { standstills: [{ from: 1_000, until: 2_000 }] })).toMatchObject({
      requests: 101,
      failed: 1,
      skipped: 1,
    })
  })

  test('are not charged with the time in which the application stood still', () => {
    const still = course({ standstills: [{ from: 1_000, until: 3_000 }] })
    expect(latencyOf(request(900, 2_150), still)).toBe(150)
    expect(latencyOf(request(1_500, 1_510), still)).toBe(10)
    expect(latencyOf(request(4_000, 20), still)).toBe(20)
  })
})

describe('healed', () => {
  /** Bad requests at these times, 1 s each. */
  const withBad = (...due: number[]): Request[] => [...steady(), ...due.map((at) => request(at, 1_000))]

  test('at once, when no bad request was due after the fault', () => {
    expect(figures(withBad(2_999), { episodes: [fault(3_000)] }).healedMs).toBe(0)
  })

  test('counts from a fault that lasts to when the last bad request was due', () => {
    expect(figures(withBad(3_100, 3_900), { episodes: [fault(3_000)] }).healedMs).toBe(900)
  })

  test('counts from when the endpoint answered again', () => {
    const { healedMs, outageMs } = figures(withBad(3_100, 5_200), { episodes: [fault(3_000, 5_000)] })
    expect({ healedMs, outageMs }).toEqual({ healedMs: 200, outageMs: 2_000 })
  })

  test('at once, when only those due during the outage were bad', () => {
    expect(figures(withBad(3_100, 4_900), { episodes: [fault(3_000, 5_000)] }).healedMs).toBe(0)
  })

  test('is the longest of several faults, each up to the next', () => {
    const { healedMs } = figures(withBad(1_100, 2_700, 4_050), { episodes: [fault(1_000), fault(2_000), fault(4_000)] })
    expect(healedMs).toBe(700)
  })

  test('has a request that was in time when the next fault came answer for that one', () => {
    const episodes = [fault(1_000), fault(2_000)]
    const bad = (...requests: Request[]) => figures([...steady(), ...requests], { episodes }).healedMs
    expect(bad(request(1_990, 20, 'connection lost'))).toBe(0)
    expect(bad(request(1_990, 500))).toBe(0)
    // Lost, or late, before it came.
    expect(bad(request(1_990, 5, 'connection lost'))).toBe(990)
    expect(bad(request(1_800, 500))).toBe(800)
    expect(bad(request(1_800, 500, 'connection lost'))).toBe(800)
  })

  test('never, when a bad request was due in the last second', () => {
    expect(figures(withBad(3_100, 9_001), { episodes: [fault(3_000)] }).healedMs).toBe(Number.POSITIVE_INFINITY)
    expect(figures(withBad(3_100, 9_000), { episodes: [fault(3_000)] }).healedMs).toBe(6_000)
  })
})

describe('latencies', () => {
  test('are told before, during and after an outage', () => {
    const requests = [request(500, 1), request(1_500, 700), request(2_500, 3)]
    const { before, during, after } = figures(requests, { episodes: [fault(1_000, 2_000)] })
    expect([before.p99, during.p99, after.p99]).toEqual([1, 700, 3])
  })

  test('of a fault that lasts are told until the pool has healed', () => {
    const requests = [request(500, 1), request(1_100, 300), request(1_300, 300), request(2_500, 3)]
    const { during, after } = figures(requests, { episodes: [fault(1_000)] })
    expect([during.p50, after.p50]).toEqual([300, 151.5])
  })

  test('are undefined where no request was due', () => {
    expect(figures([request(500, 1)], { episodes: [fault(1_000, 2_000)] }).during).toEqual({
      p50: undefined,
      p99: undefined,
      p999: undefined,
    })
  })

  test('of 1,000 requests have the percentiles that they have', () => {
    const requests = Array.from({ length: 1_001 }, (_, index) => request(index, index))
    expect(figures(requests, { episodes: [fault(5_000)] }).before).toEqual({ p50: 500, p99: 990, p999: 999 })
  })

  test('have no end for those that failed', () => {
    const requests = Array.from({ length: 100 }, (_, index) => request(index, 1, index < 2 ? 'refused' : undefined))
    expect(figures(requests, { episodes: [fault(5_000)] }).before).toEqual({
      p50: 1,
      p99: Number.POSITIVE_INFINITY,
      p999: Number.POSITIVE_INFINITY,
    })
  })
})

describe('connects', () => {
  test('count from the first fault on, to the end of the run', () => {
    const { connects, accepted, burst } = figures(
      steady(),
      { episodes: [fault(3_000), fault(6_000)], accepted: [10, 3_010, 10_001] },
      [10, 20, 30, 3_010, 6_000, 10_000],
    )
    expect({ connects, accepted, burst }).toEqual({ connects: 2, accepted: 1, burst: 1 })
  })

  test('come in a burst as large as the most of them within any 100 ms', () => {
    expect(largestBurst([])).toBe(0)
    expect(largestBurst([0, 100, 201, 250, 301])).toBe(3)
    expect(largestBurst([50, 0, 99, 100, 20])).toBe(5)
  })
})

describe('of an application whose process has ended by itself', () => {
  const beat = { callers: 2, everyMs: 100 }

  test('requests under way, and all that were due later, have failed', () => {
    const heardOf = [request(4_800, 1), request(4_800, 2), request(4_900, 1)]
    const lost = lostIn({ at: 4_950, firstDue: 4_800, endsAt: 5_200, pauses: [] }, beat, heardOf)
    expect(lost.map(({ due, settled }) => [due, settled])).toEqual([
      [4_900, 4_950],
      [5_000, 5_000],
      [5_000, 5_000],
      [5_100, 5_100],
      [5_100, 5_100],
    ])
    expect(new Set(lost.map(({ error }) => error))).toEqual(new Set(['the process has ended by itself']))
  })

  test('none is missed of what was due so long before that it had ended, or while the load was paused', () => {
    const lost = lostIn({ at: 5_000, firstDue: 0, endsAt: 5_200, pauses: [{ from: 900, until: 5_050 }] }, beat, [])
    expect(lost.map(({ due }) => due)).toEqual([5_100, 5_100])
  })
})
