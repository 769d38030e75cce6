import { describe, expect, test } from 'vitest'
import { ok } from '../../src/testing/index.ts'
import { setUp, type TestPool } from './set-up.ts'

/** Chance that can be repeated, and is spread evenly: a linear congruential generator. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('idleTimeout', () => {
  test('closes down to minConnections, although health checks are off', async () => {
    const { borrowMany, clock, listen, pool } = setUp({ minConnections: 1, maxConnections: 4, idleTimeout: 10_000 })
    const closed = listen('connectionClosed')
    for (const lease of await borrowMany(4)) lease.release()
    await clock.advance(9998)
    expect(pool.stats().total).toBe(4)
    await clock.advance(12)
    expect(pool.stats().total).toBe(1)
    expect(closed.map(({ reason }) => reason)).toEqual(['idle', 'idle', 'idle'])
    await clock.advance(60_000)
    expect(pool.stats().total).toBe(1)
  })

  test('begins anew with each use', async () => {
    const { borrow, clock, pool } = setUp({ idleTimeout: 10_000 })
    for (let round = 0; round < 3; round++) {
      ;(await borrow()).release()
      await clock.advance(9000)
    }
    expect([pool.stats().total, pool.stats().created]).toEqual([1, 1])
    await clock.advance(1001)
    expect(pool.stats().total).toBe(0)
  })

  test('leaves those that serve, and closes those that serve least often', async () => {
    const { borrow, borrowMany, clock, pool } = setUp({ idleTimeout: 10_000 })
    for (const lease of await borrowMany(3)) lease.release()
    const served = new Set<number>()
    for (let second = 0; second < 12; second++) {
      const lease = await borrow()
      served.add(lease.client.id)
      lease.release()
      await clock.advance(1000)
    }
    expect([pool.stats().total, served.size]).toEqual([1, 1])
  })

  test('that is over in the middle of a check closes when the check has ended', async () => {
    const { borrow, clock, driver, fate, pool } = setUp({
      idleTimeout: 10_000,
      healthCheckInterval: 1000,
      outlierFactor: Number.POSITIVE_INFINITY,
    })
    driver.always('check', ok(998))
    ;(await borrow()).release()
    await clock.advance(15_000)
    expect([fate(1), pool.stats().total]).toEqual(['closed', 0])
  })

  test('counts on while a connection is checked, although others are closed meanwhile', async () => {
    const { borrowMany, clock, driver, pool } = setUp({
      idleTimeout: 10_000,
      healthCheckInterval: 1000,
      outlierFactor: Number.POSITIVE_INFINITY,
    })
    driver.always('check', ok(900))
    const [first, second] = await borrowMany(2)
    first?.release()
    await clock.advance(5500)
    second?.release()
    await clock.advance(12_000)
    expect(pool.stats().total).toBe(0)
  })

  test('0 closes nothing', async () => {
    const { borrow, clock, pool } = setUp({ idleTimeout: 0 })
    ;(await borrow()).release()
    await clock.advance(24 * 3_600_000)
    expect(pool.stats().total).toBe(1)
  })

  test('does not close a connection in use, however long', async () => {
    const { borrow, clock, fate } = setUp({ idleTimeout: 1000 })
    const lease = await borrow()
    await clock.advance(60_000)
    expect(fate(1)).toBe('open')
    lease.release()
    await clock.advance(999)
    expect(fate(1)).toBe('open')
    await clock.advance(2)
    expect(fate(1)).toBe('closed')
  })
})

describe('maxLifetime', () => {
  /** How old the first clients of so many connections were when they were replaced, ms. */
  const lifetimes = async (count: number, options: { maxLifetimeJitter?: number; random?: () => number }): Promise<number[]> => {
    const setup: TestPool = setUp({
      minConnections: count,
      maxConnections: count,
      maxConnecting: count,
      rebuildMaxSurge: count,
      rebuildConcurrency: count,
      rebuildBatchSize: Number.POSITIVE_INFINITY,
      maxLifetime: 100_000,
      ...options,
    })
    const marked = setup.listen('rebuildMarked')
    await setup.start()
    const connectedAt = setup.clock.wallNow()
    await setup.clock.advance(100_010)
    const first = new Map(marked.filter(({ generation }) => generation === 1).map((event) => [event.connectionId, event.timestamp]))
    return [...first.values()].map((at) => at - connectedAt)
  }

  test('without jitter comes to the millisecond, without a sweep', async () => {
    expect(await lifetimes(3, { maxLifetimeJitter: 0 })).toEqual([100_000, 100_000, 100_000])
  })

  test.each([
    [0, 100_000],
    [0.5, 87_500],
    [0.8, 80_000],
  ])('with a draw of %d ends after %i ms', async (draw, expected) => {
    expect(await lifetimes(1, { random: () => draw })).toEqual([expected])
  })

  test('is spread evenly over 75 to 100 % of it, to the millisecond', async () => {
    const ages = await lifetimes(400, { random: seeded(7) })
    expect(ages).toHaveLength(400)
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(75_000)
    expect(Math.max(...ages)).toBeLessThanOrEqual(100_000)
    // Eight equal parts with 50 each: more than 24.3 would happen to an even spread once in a thousand times.
    const parts = Array.from(
      { length: 8 },
      (_, part) => ages.filter((age) => Math.min(7, Math.floor((age - 75_000) / 3125)) === part).length,
    )
    const chiSquare = parts.reduce((sum, found) => sum + (found - 50) ** 2 / 50, 0)
    expect(chiSquare).toBeLessThan(24.3)
    // To the millisecond: hardly two of them at the same time.
    expect(new Set(ages).size).toBeGreaterThan(380)
    expect(new Set(ages.map((age) => age % 10)).size).toBe(10)
  })

  test('is drawn anew for each client', async () => {
    const { clock, listen, start } = setUp({ minConnections: 1, maxConnections: 1, maxLifetime: 10_000, random: seeded(3) })
    const marked = listen('rebuildMarked')
    await start()
    await clock.advance(60_000)
    const gaps = marked.slice(1).map(({ timestamp }, index) => timestamp - (marked[index]?.timestamp ?? 0))
    expect(gaps.length).toBeGreaterThan(4)
    expect(new Set(gaps).size).toBe(gaps.length)
  })

  test('comes although its timer is a fraction early', async () => {
    const { clock, pool, start } = setUp({
      fakeClock: { startAt: 1000.75, wholeMilliseconds: true },
      minConnections: 1,
      maxLifetime: 1000,
      maxLifetimeJitter: 0,
    })
    await start()
    await clock.advance(1010)
    expect(pool.stats().rebuildsMarked).toEqual({ max_lifetime: 1 })
  })

  test('0 lets clients live for ever', async () => {
    const { clock, pool, start } = setUp({ minConnections: 1, maxLifetime: 0 })
    await start()
    await clock.advance(24 * 3_600_000)
    expect(pool.connections()).toMatchObject([{ generation: 1 }])
  })

  test('that is changed holds for the clients that are present', async () => {
    const { clock, pool, start } = setUp({ minConnections: 1, maxConnections: 1, maxLifetime: 0 })
    await start()
    await clock.advance(5000)
    pool.reconfigure({ maxLifetime: 20_000, maxLifetimeJitter: 0 })
    await clock.advance(14_999)
    expect(pool.stats().rebuildsMarked).toEqual({})
    await clock.advance(20)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
  })
})

describe('the sweep', () => {
  test('marks what is due every rebuildCheckInterval', async () => {
    const { borrow, clock, pool } = setUp({
      minConnections: 1,
      maxConnections: 1,
      rebuildCheckInterval: 60_000,
      maxErrorRate: 0.2,
      minRequestsForErrorRate: 2,
      rebuildMinInterval: 30_000,
    })
    const useBadly = async (): Promise<void> => {
      for (let use = 0; use < 2; use++) (await borrow()).release(new Error('bad'))
      await clock.advance(10)
    }
    await useBadly()
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
    // Within rebuildMinInterval nothing is marked; nobody uses it after that, and the sweep finds it.
    await useBadly()
    await clock.advance(50_000)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
    await clock.advance(10_100)
    expect(pool.connections()).toMatchObject([{ generation: 3 }])
  })

  test('with rebuildCheckInterval 0 does not happen', async () => {
    const { clock, start } = setUp({ minConnections: 1 })
    await start()
    // What is left is the one timer that finds out whether the process was asleep, and the hold of the process.
    expect(clock.pending().filter(({ dueIn }) => dueIn > 1000 && dueIn < 2 ** 30)).toEqual([])
  })
})
