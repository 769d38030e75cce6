import { describe, expect, it } from 'vitest'
import type { FaultKind } from '../src/faults.ts'
import { Tally } from '../src/tally.ts'
import { Observation, type Patient } from '../src/verdict.ts'

const fault: FaultKind = {
  key: '9',
  name: 'some fault',
  target: 'postgres',
  boundMs: 2_000,
  awayMs: 0,
  inject: () => Promise.reject(new Error('unused')),
}

interface Scene {
  readonly tally: Tally
  readonly observation: Observation
  /** What the pool says of itself. */
  readonly stats: { -readonly [Key in keyof ReturnType<Patient['stats']>]: ReturnType<Patient['stats']>[Key] }
  /** A request that is due at a time and takes so long. */
  request(due: number, ms: number, error?: Error): void
}

/** A fault at 10,000 ms, in a pool of 6. */
function scene(healsFrom = 10_000, leftOver = (): number => 0): Scene {
  const tally = new Tally()
  const stats: Scene['stats'] = {
    total: 6,
    rebuilding: 0,
    breaker: 'closed',
    panic: false,
    marked: 0,
    health: { healthy: 6, unknown: 0, degraded: 0, unhealthy: 0 },
  }
  const injected = { detail: 'done', healsFrom, leftOver, end: () => {} }
  const observation = new Observation(fault, 10_000, injected, { tally, pool: { stats: () => stats }, wanted: 6 })
  const request = (due: number, ms: number, error?: Error): void => {
    const begun = tally.begin(due)
    if (error === undefined) tally.succeed(begun, due + ms)
    else tally.fail(begun, due + ms, error)
  }
  return { tally, observation, stats, request }
}

describe('Observation', () => {
  it('finds a fault healed once all has been well for a second', () => {
    const { observation, request } = scene()
    request(9_890, 5_000)
    request(9_990, 10)
    request(10_100, 20)
    expect(observation.look(10_999)).toBeUndefined()
    expect(observation.look(11_000)).toMatchObject({ healed: true, healMs: 0, wholeMs: 0, seen: { requests: 1, failed: 0, slow: 0 } })
  })

  it('takes until the last bad request was due for the time to heal', () => {
    const { observation, request } = scene()
    request(10_100, 20, new Error('lost'))
    request(10_400, 150)
    request(10_500, 20)
    expect(observation.look(11_399)).toBeUndefined()
    expect(observation.look(11_400)).toMatchObject({ healed: true, healMs: 400, seen: { requests: 3, failed: 1, slow: 1, slowestMs: 150 } })
  })

  it('knows what became of the requests that were under way when it happened', () => {
    const { observation, request } = scene()
    request(9_990, 30, new Error('killed'))
    request(9_995, 300)
    expect(observation.look(11_000)).toMatchObject({ healed: true, healMs: 0, seen: { requests: 2, failed: 1, slow: 1, slowestMs: 300 } })
  })

  it('waits for a request that is still under way', () => {
    const { observation, tally } = scene()
    tally.begin(10_950)
    expect(observation.look(11_040)).toMatchObject({ healed: true })
    expect(observation.look(11_100)).toBeUndefined()
  })

  it('counts from when the endpoint answers again', () => {
    const { observation, request } = scene(13_000)
    request(10_100, 2_900)
    request(13_200, 110)
    expect(observation.look(14_200)).toMatchObject({ healed: true, healMs: 200, seen: { slowestMs: 2_900 } })
  })

  it('does not find healed what the application saw for longer than the bound', () => {
    const { observation, request } = scene()
    request(12_001, 20, new Error('still'))
    expect(observation.look(12_999)).toBeUndefined()
    expect(observation.look(13_000)).toMatchObject({ healed: false, healMs: 2_001 })
  })

  it.each([
    ['a connection is missing', { total: 5 }],
    ['a connection is being rebuilt', { rebuilding: 1 }],
    ['the breaker is open', { breaker: 'open' }],
    ['a panic goes on', { panic: true }],
    ['a rebuild is due', { marked: 1 }],
    ['a connection is unhealthy', { health: { healthy: 5, unknown: 0, degraded: 0, unhealthy: 1 } }],
  ] as const)('does not find the pool whole while %s', (_, change) => {
    const { observation, stats } = scene()
    const well = { ...stats }
    Object.assign(stats, change)
    expect(observation.look(10_700)).toBeUndefined()
    Object.assign(stats, well)
    expect(observation.look(11_699)).toBeUndefined()
    expect(observation.look(11_700)).toMatchObject({ healed: true, healMs: 0, wholeMs: 700 })
    Object.assign(stats, change)
    expect(observation.look(13_000)).toMatchObject({ healed: false, wholeMs: 3_000 })
  })

  it('does not find the pool whole while it holds a flow that the fault has spoilt', () => {
    let left = 2
    const { observation } = scene(10_000, () => left)
    expect(observation.look(11_500)).toBeUndefined()
    left = 0
    expect(observation.look(12_500)).toMatchObject({ healed: true, wholeMs: 1_500 })
  })
})
