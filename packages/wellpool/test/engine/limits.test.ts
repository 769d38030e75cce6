import { describe, expect, test } from 'vitest'
import { type PoolOptions, WellpoolError } from '../../src/index.ts'
import { setUp, type TestPool, track } from './set-up.ts'

const classify = (error: unknown): 'transient' | 'application' => ((error as Error).message === 'application' ? 'application' : 'transient')

/** One connection that does not verify, with limits off but for those that are given. */
async function limited(options: PoolOptions): Promise<TestPool> {
  const setup = setUp({ minConnections: 1, maxConnections: 1, maxErrorRate: Number.POSITIVE_INFINITY, ...options, driver: { classify } })
  await setup.start()
  return setup
}

/** So many uses, one after the other; the first of them fail. */
async function uses({ clock, pool }: TestPool, count: number, failing = 0): Promise<void> {
  for (let use = 0; use < count; use++) {
    const acquired = track(pool.acquire())
    for (let ms = 0; ms < 50 && acquired.status === 'pending'; ms++) await clock.advance(1)
    acquired.value?.release(use < failing ? new Error('transient') : undefined)
  }
  await clock.settle()
}

const kindOf = ({ pool }: TestPool): string[] => Object.keys(pool.stats().rebuildsMarked)

describe('max_uses', () => {
  test('is reached at the release of the lease that makes it full', async () => {
    const setup = await limited({ maxUses: 3 })
    const marked = setup.listen('rebuildMarked')
    await uses(setup, 2)
    const lease = await setup.borrow()
    expect(setup.pool.stats().marked).toBe(0)
    lease.release()
    await setup.clock.settle()
    expect(marked).toMatchObject([{ urgent: false, reason: { kind: 'max_uses', detail: expect.stringMatching(/3.*3/) } }])
    await setup.clock.advance(10)
    expect(setup.pool.connections()).toMatchObject([{ generation: 2, uses: 0 }])
  })

  test('counts disposed leases as well', async () => {
    const setup = await limited({ maxUses: 1 })
    ;(await setup.borrow())[Symbol.dispose]()
    await setup.clock.settle()
    expect(kindOf(setup)).toEqual(['max_uses'])
  })
})

describe('error_rate', () => {
  test.each([
    [10, 2, []],
    [9, 9, []],
  ])('after %i requests, %i of them failed, the marks are %j', async (count, failing, expected) => {
    const setup = await limited({ maxErrorRate: 0.2, minRequestsForErrorRate: 10 })
    await uses(setup, count, failing)
    expect(kindOf(setup)).toEqual(expected)
  })

  test('is looked at when an error arrives', async () => {
    const setup = await limited({ maxErrorRate: 0.2, minRequestsForErrorRate: 10 })
    await uses(setup, 9, 2)
    await uses(setup, 1, 1)
    expect(setup.pool.stats().rebuildsMarked).toEqual({ error_rate: 1 })
  })

  test('does not count errors of the application', async () => {
    const setup = await limited({ maxErrorRate: 0.2, minRequestsForErrorRate: 1 })
    for (let use = 0; use < 10; use++) (await setup.borrow()).release(new Error('application'))
    expect([kindOf(setup), setup.pool.connections()[0]?.errors]).toEqual([[], 0])
  })

  test('is over the last 100 requests: what is older is forgotten', async () => {
    const setup = await limited({ maxErrorRate: 0.2, minRequestsForErrorRate: 30 })
    await uses(setup, 29, 29)
    setup.pool.reconfigure({ minRequestsForErrorRate: 1000 })
    await uses(setup, 100)
    expect(setup.pool.connections()).toMatchObject([{ requests: 129, errors: 29 }])
    setup.pool.reconfigure({ minRequestsForErrorRate: 1 })
    await uses(setup, 1)
    expect(kindOf(setup)).toEqual([])
  })

  test('does not mark again within rebuildMinInterval of the last rebuild', async () => {
    const setup = await limited({ maxErrorRate: 0.2, minRequestsForErrorRate: 5, rebuildMinInterval: 60_000 })
    await uses(setup, 5, 5)
    await setup.clock.advance(100)
    expect(setup.pool.connections()).toMatchObject([{ generation: 2, requests: 0, errors: 0 }])
    await uses(setup, 10, 10)
    await setup.clock.advance(100)
    expect(setup.pool.connections()).toMatchObject([{ generation: 2 }])
    await setup.clock.advance(60_000)
    await uses(setup, 1, 1)
    await setup.clock.advance(100)
    expect(setup.pool.connections()).toMatchObject([{ generation: 3 }])
  })

  test.each(['max_uses', 'max_lifetime'])('and not %s heeds rebuildMinInterval', async (kind) => {
    const limit = kind === 'max_uses' ? { maxUses: 1 } : { maxLifetime: 1000, maxLifetimeJitter: 0 }
    const setup = await limited({ ...limit, rebuildMinInterval: '1h' })
    for (let round = 0; round < 3; round++) {
      if (kind === 'max_uses') await uses(setup, 1)
      await setup.clock.advance(1100)
    }
    expect(setup.pool.connections()[0]?.generation).toBeGreaterThanOrEqual(3)
  })
})

describe('rebuildStrategy', () => {
  /** Both limits: three uses, and an error rate after five requests. */
  const both = { maxUses: 3, maxErrorRate: 0.2, minRequestsForErrorRate: 5 } as const

  test('any: the first limit that is reached decides', async () => {
    const setup = await limited({ ...both, rebuildStrategy: 'any' })
    await uses(setup, 3)
    expect(kindOf(setup)).toEqual(['max_uses'])
  })

  test('all: every limit that is on has to be reached', async () => {
    const setup = await limited({ ...both, rebuildStrategy: 'all' })
    await uses(setup, 4, 4)
    expect(kindOf(setup)).toEqual([])
    await uses(setup, 1, 1)
    expect(kindOf(setup)).toHaveLength(1)
  })

  test('all with one limit on is that limit', async () => {
    const setup = await limited({ maxUses: 2, rebuildStrategy: 'all' })
    await uses(setup, 2)
    expect(kindOf(setup)).toEqual(['max_uses'])
  })

  test('the name of one: the others do not count', async () => {
    const setup = await limited({ ...both, rebuildStrategy: 'error_rate' })
    await uses(setup, 4, 1)
    expect(kindOf(setup)).toEqual([])
    await uses(setup, 1, 1)
    expect(kindOf(setup)).toEqual(['error_rate'])
  })

  test('that names a limit which is off is refused', async () => {
    expect(() => setUp({ rebuildStrategy: 'max_uses' })).toThrow(WellpoolError)
  })
})

test('smartRebuildEnabled false leaves all limits without effect', async () => {
  const setup = await limited({ maxUses: 1, maxLifetime: 1000, maxErrorRate: 0, minRequestsForErrorRate: 1, smartRebuildEnabled: false })
  await uses(setup, 5, 5)
  await setup.clock.advance(60_000)
  expect(kindOf(setup)).toEqual([])
  setup.driver.lose(setup.client(1))
  await setup.clock.advance(10)
  expect(kindOf(setup)).toEqual(['connection_lost'])
})

test('error_rate is looked at on every release, also one that brings the number of requests to minRequestsForErrorRate by a success', async () => {
  const setup = await limited({ maxErrorRate: 0.2, minRequestsForErrorRate: 10 })
  await uses(setup, 10, 3)
  expect(kindOf(setup)).toEqual(['error_rate'])
})
