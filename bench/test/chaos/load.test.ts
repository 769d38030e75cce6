import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { now } from '../../chaos/clock.ts'
import { Load, type MakeRequest } from '../../chaos/load.ts'
import { NOT_MADE, type Request } from '../../chaos/messages.ts'
import { VARIANTS } from '../../chaos/variants.ts'
import { seeded } from '../../src/random.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'hrtime'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A load, and the requests of it that have ended. */
function loadOf(make: MakeRequest, callers = 1): { load: Load; ended: Request[] } {
  const ended: Request[] = []
  return { load: new Load({ ...VARIANTS.base, callers }, seeded(1), make, (request) => ended.push(request)), ended }
}

const answered = async (): Promise<void> => {}
const never = (): Promise<void> => new Promise(() => {})

/** Whose timers have stood still for so long, as after a stop of the process. */
function standStill(ms: number): void {
  const later = now() + ms
  vi.spyOn(process.hrtime, 'bigint').mockReturnValue(BigInt(Math.round(later * 1e6)))
}

describe('the load', () => {
  test('makes all requests of a beat when it is due, whether or not earlier ones were answered', async () => {
    const { load, ended } = loadOf(never, 16)
    const firstDue = load.start()
    await vi.advanceTimersByTimeAsync(160)
    const over = load.end()
    await vi.advanceTimersByTimeAsync(5_000)
    await over
    expect(ended.map(({ due }) => Math.round(due - firstDue))).toEqual([...Array(16).fill(0), ...Array(16).fill(80)])
  })

  test('counts from when a request was due, and notes why it failed', async () => {
    const refuse = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      throw new Error('refused')
    }
    const { load, ended } = loadOf(refuse)
    load.start()
    await vi.advanceTimersByTimeAsync(140)
    load.pause()
    const [request] = ended
    expect(request?.error).toBe('refused')
    expect((request?.settled ?? 0) - (request?.due ?? 0)).toBeCloseTo(50)
  })

  test('gives a request up at its deadline', async () => {
    const { load, ended } = loadOf(never)
    load.start()
    await vi.advanceTimersByTimeAsync(80)
    const over = load.end()
    await vi.advanceTimersByTimeAsync(4_010)
    await over
    expect(ended).toMatchObject([{ error: 'no answer within 4000 ms' }])
  })

  test('pauses, and goes on at the next beat', async () => {
    const { load, ended } = loadOf(answered)
    const firstDue = load.start()
    await vi.advanceTimersByTimeAsync(80)
    load.pause()
    await vi.advanceTimersByTimeAsync(1_000)
    load.resume()
    load.resume()
    await vi.advanceTimersByTimeAsync(80)
    load.pause()
    expect(ended.map(({ due }) => Math.round(due - firstDue))).toEqual([0, 1_040])
  })

  test('makes what was due while the process stood still, but for those whose callers have left: these have failed', async () => {
    const { load, ended } = loadOf(answered)
    const firstDue = load.start()
    standStill(80 + 4_000)
    await vi.advanceTimersByTimeAsync(80)
    load.pause()
    const dueOf = (wanted: string | undefined): number[] =>
      ended.filter(({ error }) => error === wanted).map(({ due }) => Math.round(due - firstDue))
    expect(dueOf(undefined)).toHaveLength(26)
    expect([dueOf(undefined)[0], dueOf(undefined).at(-1)]).toEqual([2_000, 4_000])
    expect(dueOf(NOT_MADE)).toHaveLength(25)
    expect([dueOf(NOT_MADE)[0], dueOf(NOT_MADE).at(-1)]).toEqual([0, 1_920])
  })
})

describe('the variants', () => {
  test('leave half of ten connections idle or more', () => {
    const random = seeded(7)
    for (const { callers, everyMs, roundTripMs, work } of Object.values(VARIANTS)) {
      const works = Array.from({ length: 10_000 }, () => work(random))
      const busyMs = works.reduce((sum, ms) => sum + ms, 0) / works.length + roundTripMs
      expect((busyMs * callers) / everyMs).toBeLessThanOrEqual(5)
    }
  })

  test('draw work from 1 to 500 ms', () => {
    const random = seeded(7)
    const works = Array.from({ length: 10_000 }, () => VARIANTS.long.work(random))
    expect(Math.min(...works)).toBeGreaterThanOrEqual(1)
    expect(Math.max(...works)).toBeLessThanOrEqual(500)
    expect(Math.max(...works)).toBeGreaterThan(450)
  })
})
