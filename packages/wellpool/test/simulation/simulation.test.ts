import { beforeAll, describe, expect, test } from 'vitest'
import { FOUND_BUGS } from './found-bugs.ts'
import { chunks, KINDS } from './kinds.ts'
import { simulate } from './simulation.ts'
import { Summary } from './summary.ts'

const SEEDS = 2000
const TIME_LIMIT_MS = 400_000

describe('the engine', () => {
  const summary = new Summary()
  beforeAll(async () => {
    for (const { kind, from, to } of chunks(1, SEEDS)) {
      for (let seed = from; seed <= to; seed++) summary.add(await simulate(seed, { kind }))
    }
  }, TIME_LIMIT_MS)

  test(`keeps all invariants after every step of ${SEEDS} seeded runs`, () => {
    const told = summary.failures
      .slice(0, 20)
      .map(({ seed, kind, problem }) => `npm run simulate -- --kind ${kind} --seed ${seed}: ${problem.split('\n')[0]}`)
    expect(told).toEqual([])
    expect(summary.runs.get('mixed')).toEqual({ count: SEEDS, last: SEEDS })
    expect([...summary.runs.keys()].sort()).toEqual([...KINDS].sort())
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
    ...['lost', 'retired', 'silent', 'broken', 'slow'].map((what) => `storm: ${what}`),
    ...[
      'batch: some succeeded',
      'batch: all failed',
      'panic',
      'asleep',
      'suspended',
      'wall clock set',
      'recovered',
      'condemned by a second opinion',
      'discarded',
      'accepted and lost',
      'accepted and retired',
      'connected in vain',
      'a crowd aborted',
      'pool added',
      'pool removed',
      'event leakSuspected',
      'event breakerHalfOpened',
      'event poolDrained',
    ],
  ])('meets in its runs, more than once: %s', (what) => {
    expect(summary.met.get(what) ?? 0).toBeGreaterThan(1)
  })
})

test.each(FOUND_BUGS)('with seed $seed the engine no longer shows that $name', async ({ seed, kind = 'mixed' }) => {
  expect((await simulate(seed, { kind })).problem).toBeUndefined()
})

describe('a run', () => {
  test.each([
    ['mixed', 3],
    ['mixed', 77_777],
    ['storms', 3],
    ['clocks', 3],
    ['crowds', 3],
    ['hangups', 3],
    ['pools', 3],
  ] as const)('of kind %s with seed %i goes the same way each time', async (kind, seed) => {
    const first = await simulate(seed, { kind, keepTrace: true })
    const second = await simulate(seed, { kind })
    const third = await simulate(seed, { kind, keepTrace: true })
    expect(first.trace.length).toBeGreaterThan(50)
    expect(third.trace).toEqual(first.trace)
    expect([second.hash, third.hash]).toEqual([first.hash, first.hash])
  })

  test('with another seed, and of another kind, goes another way', async () => {
    const runs = [await simulate(1), await simulate(2), await simulate(1, { kind: 'storms' }), await simulate(1, { kind: 'clocks' })]
    expect(new Set(runs.map(({ hash }) => hash)).size).toBe(runs.length)
  })
})

describe('the seeds to play', () => {
  const all = (...args: Parameters<typeof chunks>): string[] => [...chunks(...args)].map(({ kind, from, to }) => `${kind} ${from}–${to}`)

  test('are those of one kind, a few at a time', () => {
    expect(all(5, 50, 'storms')).toEqual(['storms 5–24', 'storms 25–44', 'storms 45–50'])
  })

  test('are without a kind those of mixed, and some of each other kind with them', () => {
    expect(all(1, 40)).toEqual([
      'mixed 1–20',
      'storms 1–2',
      'clocks 1–2',
      'crowds 1–2',
      'hangups 1–2',
      'pools 1–1',
      'mixed 21–40',
      'storms 3–4',
      'clocks 3–4',
      'crowds 3–4',
      'hangups 3–4',
      'pools 2–2',
    ])
  })

  test('go on where others have ended', () => {
    const seeds = (first: number, last: number): string[] =>
      [...chunks(first, last)].flatMap(({ kind, from, to }) =>
        Array.from({ length: to - from + 1 }, (_, index) => `${kind} ${from + index}`),
      )
    expect([...seeds(1, 1234), ...seeds(1235, 3000)].sort()).toEqual(seeds(1, 3000).sort())
  })
})
