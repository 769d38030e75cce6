import { beforeAll, describe, expect, test } from 'vitest'
import { FOUND_BUGS } from './found-bugs.ts'
import { simulate } from './simulation.ts'
import { Summary } from './summary.ts'

const SEEDS = 2000
const TIME_LIMIT_MS = 240_000

describe('the engine', () => {
  const summary = new Summary()
  beforeAll(async () => {
    for (let seed = 1; seed <= SEEDS; seed++) summary.add(await simulate(seed))
  }, TIME_LIMIT_MS)

  test(`keeps all invariants after every step of ${SEEDS} seeded runs`, () => {
    const told = summary.failures.slice(0, 20).map(({ seed, problem }) => `npm run simulate -- --seed ${seed}: ${problem.split('\n')[0]}`)
    expect(told).toEqual([])
    expect(summary.runs).toBe(SEEDS)
  })

  test('spreads what chance has to spread over its whole range', () => {
    expect(summary.unevenSpread()).toBeUndefined()
    expect(summary.samples.lifetimes).toBeGreaterThan(500)
    expect(summary.samples.backoffs).toBeGreaterThan(300)
  })

  // What never happens in a run is not tested by it.
  test.each([
    ...['idle', 'surplus', 'evicted', 'unhealthy', 'lost', 'rebuilt', 'rebuild_failed', 'pool_closed'].map((reason) => `closed: ${reason}`),
    ...[
      'connection_lost',
      'health_failures',
      'reset_failed',
      'degraded_performance',
      'retired_by_peer',
      'slow_outlier',
      'max_uses',
      'max_lifetime',
      'error_rate',
      'manual',
    ].map((kind) => `marked: ${kind}`),
    ...['saturated', 'connecting', 'paused', 'down'].map((verdict) => `verdict: ${verdict}`),
    ...['succeeded', 'failed', 'ConnectionBusyError', 'ConnectionNotFoundError', 'ConnectionStateError', 'CircuitOpenError'].map(
      (how) => `rebuild by hand: ${how}`,
    ),
    ...['AcquireTimeoutError', 'PoolClosedError', 'PoolPausedError', 'QueueFullError', 'CircuitOpenError', 'ConnectError'].map(
      (name) => `refused: ${name}`,
    ),
    ...[
      'batch: some succeeded',
      'batch: all failed',
      'panic',
      'asleep',
      'suspended',
      'recovered',
      'event leakSuspected',
      'event breakerHalfOpened',
      'event poolDrained',
    ],
  ])('meets in its runs, more than once: %s', (what) => {
    expect(summary.coverage.get(what) ?? 0).toBeGreaterThan(1)
  })
})

test.each(FOUND_BUGS)('with seed $seed the engine no longer shows that $name', async ({ seed }) => {
  expect((await simulate(seed)).problem).toBeUndefined()
})

describe('a run', () => {
  test.each([3, 1004, 77_777])('with seed %i goes the same way each time', async (seed) => {
    const first = await simulate(seed, true)
    const second = await simulate(seed)
    const third = await simulate(seed, true)
    expect(first.trace.length).toBeGreaterThan(50)
    expect(third.trace).toEqual(first.trace)
    expect([second.hash, third.hash]).toEqual([first.hash, first.hash])
  })

  test('with another seed goes another way', async () => {
    const [first, second] = [await simulate(1), await simulate(2)]
    expect(first.hash).not.toBe(second.hash)
  })
})
