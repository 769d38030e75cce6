import { getEventListeners } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConfigError, createPools, PoolClosedError, type PoolOptions, type Pools, RebuildFailedError } from '../../src/index.ts'
import { createFakeDriver, type FakeClient, FakeClock, type FakeDriver, fail, ok } from '../../src/testing/index.ts'
import { QUIET, resultOf, track } from './set-up.ts'

interface TestPools {
  readonly clock: FakeClock
  readonly orders: FakeDriver
  readonly billing: FakeDriver
  readonly router: FakeDriver
  readonly pools: Pools<{ orders: FakeClient; billing: FakeClient; 'router-17': FakeClient }>
}

const { name: _, ...quiet } = QUIET

/** Three pools of two protocols; nothing may be left of them when the test has ended. */
function setUp(options: Omit<PoolOptions, 'name'> = {}): TestPools {
  const clock = new FakeClock()
  const [orders, billing] = [createFakeDriver({ clock, protocol: 'sql' }), createFakeDriver({ clock, protocol: 'sql' })]
  const router = createFakeDriver({ clock, protocol: 'shell', defaults: { maxConnecting: 1 } })
  const pools = createPools({ orders, billing, 'router-17': { driver: router, maxConnections: 2 } }, { ...quiet, clock, ...options })
  onTestFinished(async () => {
    await clock.until(pools.close({ timeout: 0 }))
    expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
    for (const driver of [orders, billing, router]) expect([driver.ledger.open, driver.ledger.problems()]).toEqual([0, []])
  })
  return { clock, orders, billing, router, pools }
}

describe('a set of pools', () => {
  test('has each pool under its name, by get, and in order', () => {
    const { pools } = setUp()
    expect(pools.orders).toBe(pools.get('orders'))
    expect(pools['router-17'].name).toBe('router-17')
    expect(pools.names()).toEqual(['orders', 'billing', 'router-17'])
    expect([...pools].map(([name, pool]) => [name, pool.protocol])).toEqual([
      ['orders', 'sql'],
      ['billing', 'sql'],
      ['router-17', 'shell'],
    ])
    expect(pools.get('none')).toBeUndefined()
  })

  test('gives its options to all, beneath their own and above the defaults of the driver', () => {
    const { pools } = setUp({ maxConnections: 7, maxConnecting: 4 })
    expect(pools.orders.options).toMatchObject({ maxConnections: 7, maxConnecting: 4 })
    expect(pools['router-17'].options).toMatchObject({ maxConnections: 2, maxConnecting: 4 })
  })

  test('starts, drains and closes as one', async () => {
    const { clock, pools } = setUp({ minConnections: 1 })
    await clock.until(pools.start())
    expect(Object.entries(pools.stats()).map(([name, { idle }]) => [name, idle])).toEqual([
      ['orders', 1],
      ['billing', 1],
      ['router-17', 1],
    ])
    const lease = await clock.until(pools.orders.acquire())
    const drained = track(pools.drain())
    await clock.advance(10)
    expect([drained.status, pools.billing.stats().state]).toEqual(['pending', 'closed'])
    lease.release()
    await clock.advance(10)
    expect(drained.status).toBe('fulfilled')
    await clock.until(pools.close())
  })

  test('whose start fails in one pool rejects with that failure when all have ended; the others go on', async () => {
    const { billing, clock, pools } = setUp({ minConnections: 1 })
    billing.always('connect', fail(new Error('refused')))
    const started = track(pools.start({ timeout: 500 }))
    await clock.advance(500)
    expect(started.error).toMatchObject({ code: 'CONNECT_FAILED' })
    expect([pools.orders.stats().idle, pools['router-17'].stats().idle]).toEqual([1, 1])
  })

  test('hears the events of all, also of those that are added later, until the listener is taken off', async () => {
    const { clock, pools } = setUp()
    const heard: string[] = []
    const off = pools.on('connectionCreated', ({ pool }) => heard.push(pool))
    const late = createFakeDriver({ clock })
    pools.add('late', late)
    await clock.until(pools.orders.use(() => undefined))
    await clock.until((pools.get('late') as typeof pools.orders).use(() => undefined))
    off()
    await clock.until(pools.billing.use(() => undefined))
    expect(heard).toEqual(['orders', 'late'])
  })

  test('is closed by await using', async () => {
    const { clock, pools } = setUp()
    await clock.until(pools[Symbol.asyncDispose]())
    expect(pools.orders.stats().state).toBe('closed')
  })
})

describe('add', () => {
  test('gives the set’s options to the new pool, beneath its own, and starts it in a set that was started', async () => {
    const { clock, pools } = setUp({ minConnections: 1 })
    await clock.until(pools.start())
    const driver = createFakeDriver({ clock })
    const added = pools.add('late', driver, { maxConnections: 3 })
    expect(added.options).toMatchObject({ minConnections: 1, maxConnections: 3, name: 'late' })
    expect((pools as unknown as Record<string, unknown>).late).toBe(added)
    await clock.advance(5)
    expect(added.stats().idle).toBe(1)
  })

  test.each(['orders', 'then', 'close', 'add', 'stats', 'rebuildConnections', 'constructor', 'toString', ''])(
    'refuses the name %j',
    (name) => {
      const { clock, pools } = setUp()
      expect(() => pools.add(name, createFakeDriver({ clock }))).toThrow(ConfigError)
      expect(pools.names()).toEqual(['orders', 'billing', 'router-17'])
    },
  )

  test('refuses wrong options, and the name stays free', () => {
    const { clock, pools } = setUp()
    expect(() => pools.add('late', createFakeDriver({ clock }), { maxConnections: 0 })).toThrow(/late\.maxConnections/)
    pools.add('late', createFakeDriver({ clock }))
  })

  test('after close is refused with POOL_CLOSED', async () => {
    const { clock, pools } = setUp()
    await clock.until(pools.close())
    expect(() => pools.add('late', createFakeDriver({ clock }))).toThrow(PoolClosedError)
  })
})

describe('remove', () => {
  test('drains the pool; its name is free at once', async () => {
    const { clock, orders, pools } = setUp()
    const lease = await clock.until(pools.orders.acquire())
    const removed = track(pools.remove('orders'))
    await clock.settle()
    expect([removed.status, pools.get('orders'), pools.names()]).toEqual(['pending', undefined, ['billing', 'router-17']])
    pools.add('orders', createFakeDriver({ clock }))
    lease.release()
    await clock.advance(10)
    expect([removed.status, orders.ledger.open]).toEqual(['fulfilled', 0])
  })

  test('with a wrong time-out changes nothing; nor do drain and close', async () => {
    const { clock, pools } = setUp()
    await clock.until(pools.start())
    const wrong = { timeout: 'soon' }
    await expect(pools.remove('orders', wrong)).rejects.toThrow(ConfigError)
    await expect(pools.drain(wrong)).rejects.toThrow(ConfigError)
    await expect(pools.close(wrong)).rejects.toThrow(ConfigError)
    expect(pools.names()).toContain('orders')
    expect(pools.get('orders')?.stats().state).toBe('running')
    pools.add('late', createFakeDriver({ clock }))
  })

  test('of a name that there is not is refused, naming those that there are', async () => {
    const { pools } = setUp()
    await expect(pools.remove('cache')).rejects.toThrow(
      /got 'cache', allowed is (orders|billing|router-17)(, (orders|billing|router-17)){2}$/,
    )
    await expect(pools.remove('order')).rejects.toThrow("got 'order', allowed is orders?")
  })
})

test('an event that there is not is refused, naming the nearest, also while there are no pools', () => {
  const { pools } = setUp()
  for (const set of [pools, createPools({})]) {
    expect(() => set.on('poolClosed', 5 as never)).toThrow('wrong option: listener: got 5, allowed is a function')
    expect(() => set.on('poolClose' as 'poolClosed', () => {})).toThrow("wrong option: event: got 'poolClose', allowed is poolClosed?")
  }
})

describe('createPools', () => {
  test.each([undefined, null, 'postgres://localhost/db', []])('of %j is refused, and shows no text', (specs) => {
    expect(() => createPools(specs as never)).toThrow(/^wrong option: pools: got (undefined|null|a text|an array), allowed is an object/)
  })

  test.each([undefined, null, 'postgres://localhost/db'])('with %j for a driver is refused by the name of the pool', (spec) => {
    expect(() => createPools({ orders: spec as never })).toThrow(/^wrong option: orders\.driver: got (undefined|null|a text), allowed is/)
  })

  test('refuses everything that is wrong in any pool at once', () => {
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    const make = (): unknown => createPools({ a: { driver, maxConnections: 0 }, b: { driver, idleTimeout: -1 }, drain: driver })
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(/a\.maxConnections[\s\S]*b\.idleTimeout[\s\S]*drain/)
  })

  test('of nothing is an empty set that can grow', async () => {
    const clock = new FakeClock()
    const pools = createPools({}, { ...quiet, clock })
    const pool = pools.add('one', createFakeDriver({ clock }))
    expect(await clock.until(pool.use((client: FakeClient) => client.id))).toBe(1)
    await clock.until(pools.close())
  })
})

describe('rebuilding in a set', () => {
  const started = async (): Promise<TestPools> => {
    const setup = setUp({ minConnections: 2, maxConnections: 2 })
    await setup.clock.until(setup.pools.start())
    return setup
  }

  test('finds a connection by its id wherever it is: ids are unique', async () => {
    const { clock, pools } = await started()
    const ids = [...pools].flatMap(([, pool]) => pool.connections().map(({ id }) => id))
    expect(new Set(ids).size).toBe(6)
    const id = pools['router-17'].connections()[1]?.id as string
    expect(await clock.until(pools.rebuildConnectionById(id))).toMatchObject({ success: true, pool: 'router-17', protocol: 'shell' })
    await expect(pools.rebuildConnectionById('none')).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' })
  })

  test('by protocol takes all pools of that protocol and no other', async () => {
    const { clock, pools, router } = await started()
    const result = await clock.until(pools.rebuildConnectionsByProtocol('sql', { all: true }))
    expect(result).toMatchObject({ total: 4, succeeded: 4, byProtocol: { sql: { total: 4, succeeded: 4, failed: 0, skipped: 0 } } })
    expect(new Set(result.results.map(({ pool }) => pool))).toEqual(new Set(['orders', 'billing']))
    expect(router.ledger.connects).toHaveLength(2)
    expect(await clock.until(pools.rebuildConnectionsByProtocol('none', { all: true }))).toMatchObject({ total: 0 })
  })

  test('takes all pools, and adds up by protocol', async () => {
    const { clock, pools } = await started()
    const result = await clock.until(pools.rebuildConnections({ all: true }))
    expect(result).toMatchObject({ total: 6, succeeded: 6, failed: 0, byProtocol: { sql: { total: 4 }, shell: { total: 2 } } })
  })

  test('resolves when all fail in one pool, and throws REBUILD_FAILED when all fail in all', async () => {
    const { billing, clock, orders, pools, router } = await started()
    billing.always('check', fail(new Error('not ready'), 1))
    expect(await clock.until(pools.rebuildConnections({ all: true }))).toMatchObject({ total: 6, succeeded: 4, failed: 2 })
    for (const driver of [orders, router]) driver.always('check', fail(new Error('not ready'), 1))
    const failed = track(pools.rebuildConnections({ all: true }))
    await clock.advance(1000)
    expect(failed.error).toBeInstanceOf(RebuildFailedError)
    expect((failed.error as RebuildFailedError).result).toMatchObject({ total: 6, failed: 6 })
    for (const driver of [orders, billing, router]) driver.always('check', ok(1))
  })

  test('an abort ends it in all pools', async () => {
    const { clock, pools } = await started()
    const controller = new AbortController()
    const batch = track(pools.rebuildConnections({ all: true, signal: controller.signal }))
    await clock.advance(2)
    controller.abort()
    await clock.advance(100)
    expect(resultOf(batch)).toMatchObject({ total: 6, succeeded: 3, skipped: 3, cancelled: true })
  })
})

test.each<[string, (pools: Pools, signal: AbortSignal) => Promise<unknown>]>([
  ['starting', (pools, signal) => pools.start({ signal })],
  ['rebuilding', (pools, signal) => pools.rebuildConnections({ all: true, signal })],
])('%s puts no listener for each pool on its signal, and leaves none', async (what, call) => {
  const { clock, pools } = setUp({ minConnections: 1 })
  for (let more = 0; more < 10; more++) pools.add(`more-${more}`, createFakeDriver({ clock }), { connectTimeout: 100 })
  if (what === 'rebuilding') await clock.until(pools.start())
  const { signal } = new AbortController()
  const pending = call(pools, signal)
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1)
  await clock.until(pending)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('five hundred pools of two stand beside each other, and leave nothing', async () => {
  const clock = new FakeClock()
  const drivers = Array.from({ length: 500 }, (_, index) => createFakeDriver({ clock, protocol: index % 2 === 0 ? 'shell' : 'sql' }))
  const pools = createPools(Object.fromEntries(drivers.map((driver, index) => [`device-${index}`, driver])), {
    clock,
    minConnections: 2,
    maxConnections: 2,
    random: () => 0.5,
  })
  await clock.until(pools.start())
  const all = Object.values(pools.stats())
  expect(all.reduce((sum, { idle }) => sum + idle, 0)).toBe(1000)
  await clock.advance(60_000)
  await clock.until(Promise.all([...pools].map(([, pool]) => pool.use(() => undefined))))
  const batch = await clock.until(pools.rebuildConnectionsByProtocol('shell', { all: true }))
  expect(batch).toMatchObject({ total: 500, succeeded: 500 })
  await clock.until(pools.close())
  expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
  expect(drivers.every(({ ledger }) => ledger.open === 0 && ledger.maxOpen <= 3 && ledger.problems().length === 0)).toBe(true)
}, 30_000)
