import { describe, expect, test } from 'vitest'
import { PoolClosedError, type RebuildResult } from '../../src/index.ts'
import { type FakeClient, fail, hang } from '../../src/testing/index.ts'
import { resultOf, served, setUp, type TestPool, track } from './set-up.ts'

describe('drain', () => {
  test('refuses new borrowers, serves those who wait, waits for leases, and closes', async () => {
    const { borrow, clock, listen, pool } = setUp({ maxConnections: 1 })
    const told = listen('poolDrained', 'poolClosed')
    const lease = await borrow()
    const waiter = track(pool.acquire())
    const drained = track(pool.drain())
    const newcomer = track(pool.acquire())
    await clock.advance(10)
    expect(newcomer.error).toBeInstanceOf(PoolClosedError)
    expect([waiter.status, drained.status, pool.stats().state]).toEqual(['pending', 'pending', 'draining'])
    lease.release()
    await clock.advance(10)
    expect([waiter.status, drained.status]).toEqual(['fulfilled', 'pending'])
    resultOf(waiter).release()
    await clock.advance(10)
    expect([drained.status, pool.stats().state]).toEqual(['fulfilled', 'closed'])
    expect(told).toHaveLength(2)
  })

  test('connects for those who wait', async () => {
    const { clock, pool } = setUp()
    const waiter = track(pool.acquire())
    const drained = track(pool.drain())
    await clock.advance(5)
    resultOf(waiter).release()
    await clock.advance(10)
    expect(drained.status).toBe('fulfilled')
  })

  test('ends a pause', async () => {
    const { borrow, clock, pool } = setUp()
    ;(await borrow()).release()
    pool.pause()
    const waiter = track(pool.acquire())
    const drained = track(pool.drain())
    await clock.settle()
    resultOf(waiter).release()
    await clock.advance(10)
    expect(drained.status).toBe('fulfilled')
  })

  test('closes all the same past timeout: waiters are refused, leased clients destroyed', async () => {
    const { borrow, clock, fate, listen, pool } = setUp({ maxConnections: 1 })
    const told = listen('poolDrained')
    const lease = await borrow()
    const waiter = track(pool.acquire())
    const drained = track(pool.drain({ timeout: 500 }))
    await clock.advance(499)
    expect([waiter.status, fate(1)]).toEqual(['pending', 'open'])
    await clock.advance(1)
    expect(waiter.error).toBeInstanceOf(PoolClosedError)
    await clock.advance(1)
    expect([fate(1), drained.status, told.length]).toEqual(['destroyed', 'fulfilled', 0])
    lease.release()
  })

  test('of a pool that has not begun closes it', async () => {
    const { clock, pool } = setUp()
    await clock.until(pool.drain())
    expect(pool.stats().state).toBe('closed')
  })

  test('twice is one drain', async () => {
    const { borrow, clock, pool } = setUp()
    const lease = await borrow()
    const drains = [pool.drain(), pool.drain()].map(track)
    await clock.settle()
    lease.release()
    await clock.advance(10)
    expect(served(drains)).toEqual([0, 1])
  })

  test('lets an idempotent use go on elsewhere when its connection is lost', async () => {
    const { clock, driver, client, pool } = setUp({ maxConnections: 1 })
    const use = track(pool.use((one: FakeClient) => (one.id === 1 ? new Promise<string>(() => {}) : 'done'), { idempotent: true }))
    await clock.advance(5)
    const drained = track(pool.drain())
    await clock.settle()
    driver.lose(client(1))
    await clock.advance(50)
    expect([use.value, drained.status]).toEqual(['done', 'fulfilled'])
  })

  test('that is overtaken by close ends with it', async () => {
    const { borrow, clock, pool } = setUp()
    const lease = await borrow()
    const drained = track(pool.drain())
    const closed = track(pool.close({ timeout: 100 }))
    await clock.advance(100)
    expect([drained.status, closed.status]).toEqual(['fulfilled', 'fulfilled'])
    lease.release()
  })
})

describe('close', () => {
  test('rejects who waits, waits timeout for leases, then destroys what is left', async () => {
    const { borrowMany, clock, fate, listen, pool } = setUp({ maxConnections: 3 })
    const told = listen('connectionClosed', 'poolClosed')
    const [one, two, three] = await borrowMany(3)
    three?.release()
    const first = track(pool.acquire())
    const second = track(pool.acquire())
    await clock.settle()
    resultOf(first).release()
    await clock.settle()
    resultOf(second).release()
    const third = track(pool.acquire())
    await clock.settle()
    const fourth = track(pool.acquire())
    const closed = track(pool.close({ timeout: 1000 }))
    await clock.settle()
    expect(fourth.error).toBeInstanceOf(PoolClosedError)
    await clock.advance(500)
    resultOf(third).release()
    one?.release()
    await clock.advance(1)
    expect([closed.status, [1, 2, 3].filter((id) => fate(id) === 'closed').length]).toEqual(['pending', 2])
    await clock.advance(499)
    expect([closed.status, fate(two?.client.id as number)]).toEqual(['fulfilled', 'destroyed'])
    expect(told.map((event) => ('reason' in event ? event.reason : 'end'))).toEqual(['pool_closed', 'pool_closed', 'pool_closed', 'end'])
    two?.release()
  })

  test('a second call joins the first', async () => {
    const { borrow, clock, pool } = setUp()
    const lease = await borrow()
    const closes = [pool.close({ timeout: 1000 }), pool.close({ timeout: 0 })].map(track)
    await clock.advance(999)
    expect(served(closes)).toEqual([])
    lease.release()
    await clock.advance(1)
    expect(served(closes)).toEqual([0, 1])
  })

  test.each([
    ['rejects', fail(new Error('no goodbye'), 2), 2],
    ['throws', { do: 'throw', error: new Error('no goodbye') }, 0],
    ['never settles', hang(), 300],
  ] as const)('destroys a client whose goodbye %s', async (_, outcome, after) => {
    const { clock, driver, fate, pool, start } = setUp({ minConnections: 1, closeTimeout: 300 })
    await start()
    driver.next('close', outcome)
    const closed = track(pool.close())
    if (after > 0) {
      await clock.advance(after - 1)
      expect([fate(1), closed.status]).toEqual(['closing', 'pending'])
      await clock.advance(1)
    }
    await clock.settle()
    expect([fate(1), closed.status]).toEqual(['destroyed', 'fulfilled'])
  })

  test('ignores and reports a destroy that throws', async () => {
    const reports: unknown[] = []
    const quiet = (): void => {}
    const logger = { debug: quiet, info: quiet, warn: quiet, error: (facts: unknown) => reports.push(facts) }
    const { client, clock, driver, pool, start } = setUp({ minConnections: 1, logger: logger as never })
    await start()
    driver.next('destroy', { do: 'throw', error: new Error('cannot die') })
    driver.lose(client(1))
    await clock.advance(10)
    expect(reports).toMatchObject([{ err: { message: 'cannot die' } }])
    expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
  })

  test('gives up connects; a client that arrives all the same is destroyed at once', async () => {
    const { clock, driver, fate, pool } = setUp()
    driver.next('connect', { do: 'fulfil', afterMs: 1000, ignoreAbort: true })
    const waiter = track(pool.acquire())
    await clock.advance(10)
    const closed = track(pool.close())
    await clock.settle()
    expect([waiter.error, closed.status]).toEqual([expect.any(PoolClosedError), 'fulfilled'])
    await clock.advance(1000)
    expect(fate(1)).toBe('destroyed')
  })

  test('during a check abandons it, and closes the client', async () => {
    const { clock, driver, fate, pool, start } = setUp({ minConnections: 1, healthCheckInterval: 10_000 })
    await start()
    driver.next('check', hang())
    await clock.advance(10_500)
    expect(pool.stats().checking).toBe(1)
    await clock.until(pool.close())
    expect(fate(1)).toBe('closed')
  })

  test('during a planned rebuild rejects it, and leaves neither client', async () => {
    const { clock, driver, fate, listen, pool, start } = setUp({ minConnections: 1 })
    const told = listen('rebuildStarted', 'rebuildFailed')
    await start()
    driver.next('check', hang())
    const rebuild = track<RebuildResult>(pool.rebuildConnectionById(pool.connections()[0]?.id as string))
    await clock.advance(6)
    await clock.until(pool.close())
    expect(rebuild.error).toBeInstanceOf(PoolClosedError)
    expect(told).toMatchObject([{ urgent: false }, { stage: 'replace', error: expect.any(PoolClosedError) }])
    expect(pool.stats()).toMatchObject({ rebuildsStarted: 1, rebuildsFailed: 1 })
    expect([fate(1), fate(2)]).toEqual(['closed', 'destroyed'])
  })

  test('during an urgent rebuild rejects it, and gives its connect up', async () => {
    const { clock, driver, fate, pool, start } = setUp({ minConnections: 1 })
    await start()
    driver.next('connect', { do: 'hang', ignoreAbort: false })
    const rebuild = track(pool.rebuildConnectionById(pool.connections()[0]?.id as string, { urgent: true }))
    await clock.advance(6)
    const closed = track(pool.close())
    await clock.settle()
    expect([rebuild.error, closed.status, fate(1)]).toEqual([expect.any(PoolClosedError), 'fulfilled', 'destroyed'])
  })

  test('while the breaker is open ends the wait for the next try', async () => {
    const { clock, driver, pool } = setUp({ minConnections: 1, backoff: { base: 10_000, maxWhileWaited: 10_000 } })
    driver.next('connect', fail(new Error('refused')))
    const started = track(pool.start())
    await clock.settle()
    await clock.until(pool.close())
    expect(started.error).toBeInstanceOf(PoolClosedError)
    expect(clock.counts().timers).toBe(0)
  })

  test('of a retired client waits for its holder as well', async () => {
    const { borrow, clock, fate, pool } = setUp()
    const lease = await borrow()
    await clock.until(pool.rebuildConnectionById(lease.connection.id))
    const closed = track(pool.close({ timeout: 1000 }))
    await clock.advance(10)
    expect([closed.status, fate(1), fate(2)]).toEqual(['pending', 'open', 'closed'])
    lease.release()
    await clock.advance(1)
    expect([closed.status, fate(1)]).toEqual(['fulfilled', 'closed'])
  })

  test('of a pool that has not begun is closed at once', async () => {
    const { clock, driver, listen, pool } = setUp()
    const told = listen('poolClosed')
    await pool.close()
    await clock.settle()
    expect([driver.ledger.connects.length, told.length, pool.stats().state]).toEqual([0, 1, 'closed'])
  })

  test('is what await using does', async () => {
    const { borrow, clock, pool } = setUp()
    ;(await borrow()).release()
    await clock.until(pool[Symbol.asyncDispose]())
    expect(pool.stats().state).toBe('closed')
  })

  test('leaves nothing when everything is under way at once', async () => {
    const setup: TestPool = setUp({
      minConnections: 2,
      maxConnections: 6,
      healthCheckInterval: 1000,
      maxLifetime: 5000,
      idleTimeout: 2000,
      leakDetectionThreshold: 50,
    })
    const { borrowMany, client, clock, driver, pool } = setup
    const leases = await borrowMany(4)
    leases[0]?.release()
    await clock.advance(1500)
    driver.next('connect', hang())
    void pool.rebuildConnections({ all: true }).catch(() => {})
    const waiters = [pool.acquire(), pool.acquire(), pool.acquire(), pool.acquire()].map(track)
    await clock.settle()
    driver.lose(client(2))
    void pool.evict()
    const closed = track(pool.close({ timeout: 100 }))
    await clock.advance(100)
    expect(closed.status).toBe('fulfilled')
    expect(waiters.filter(({ status }) => status === 'pending')).toEqual([])
    expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
    for (const lease of leases.slice(1)) lease.release()
  })
})

test('a lease that is released when the pool is closed already sets nothing going again', async () => {
  const { borrow, client, clock, driver, pool, start } = setUp({ minConnections: 2, maxConnections: 2, random: () => 0.99 })
  await start()
  const lease = await borrow()
  driver.always('connect', fail(new Error('refused'), 1))
  driver.lose(client(3 - lease.client.id))
  await clock.advance(20_000)
  expect(pool.stats().breaker).toBe('open')
  await clock.until(pool.close({ timeout: 0 }))
  lease.release()
  await clock.settle()
  expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
})
