import { describe, expect, onTestFinished, test } from 'vitest'
import { createPool, type Driver, type Lease, type MetricsCollector, type PoolStats } from '../../src/index.ts'
import { createFakeDriver, type FakeClient, FakeClock, fail, hang, ok } from '../../src/testing/index.ts'
import { resultOf, setUp, type Tracked, track } from './set-up.ts'

describe('stats', () => {
  test('counts the connections by what they do, those still connecting apart from the total', async () => {
    const { borrowMany, clock, driver, pool } = setUp({ minConnections: 0, maxConnections: 6 })
    const [one] = await borrowMany(3)
    await clock.until(pool.rebuildConnectionById(one?.connection.id as string))
    driver.next('connect', hang(), hang())
    const waiters = [pool.acquire(), pool.acquire(), pool.acquire()].map(track)
    await clock.settle()
    const stats: PoolStats = pool.stats()
    expect(stats).toMatchObject({ state: 'running', name: 'orders', protocol: 'fake', breaker: 'closed', panic: false })
    expect(stats).toMatchObject({
      total: 3,
      idle: 0,
      acquired: 3,
      connecting: 2,
      checking: 0,
      rebuilding: 0,
      retired: 1,
      waiting: 2,
      open: 6,
    })
    expect(waiters.map(({ status }) => status)).toEqual(['fulfilled', 'pending', 'pending'])
  })

  test('agrees with connections() and with the endpoint, whatever goes on', async () => {
    const { borrow, client, clock, driver, pool, start } = setUp({ minConnections: 3, maxConnections: 5, healthCheckInterval: 2000 })
    await start()
    const agree = (): void => {
      const stats = pool.stats()
      const count = (state: string): number => pool.connections().filter((connection) => connection.state === state).length
      for (const state of ['idle', 'acquired', 'checking', 'rebuilding', 'connecting', 'closing'] as const)
        expect(stats[state]).toBe(count(state))
      expect(stats.total).toBe(stats.idle + stats.acquired + stats.checking + stats.rebuilding)
      expect(stats.open).toBe(driver.ledger.open)
      expect(stats.marked).toBe(pool.connections().filter(({ mark }) => mark !== undefined).length)
      expect(Object.values(stats.health).reduce((sum, one) => sum + one)).toBe(stats.total + stats.closing)
    }
    driver.always('check', ok(300))
    driver.always('close', ok(200))
    const lease = await borrow()
    agree()
    driver.lose(client(2))
    agree()
    void pool.rebuildConnectionById(lease.connection.id)
    for (let step = 0; step < 60; step++) {
      await clock.advance(37)
      agree()
    }
    lease.release()
    for (let step = 0; step < 20; step++) {
      await clock.advance(37)
      agree()
    }
  })

  test('is a copy: what becomes of the pool later does not change it', async () => {
    const { borrow, pool, start } = setUp({ minConnections: 1 })
    await start()
    const [stats, records] = [pool.stats(), pool.connections()]
    const before = structuredClone([stats, records])
    ;(await borrow()).release()
    // Whoever changes a figure has changed a copy of it.
    const { checks, closed, health, rebuildsMarked, secondOpinions } = pool.stats()
    for (const figures of [checks, closed, health, rebuildsMarked, secondOpinions]) Object.assign(figures, { idle: 99 })
    expect([stats, records]).toEqual(before)
    for (const figures of Object.values(pool.stats())) expect(figures).not.toMatchObject({ idle: 99 })
  })

  test('has running totals', async () => {
    const { borrow, clock, driver, pool } = setUp({ maxConnections: 1 })
    driver.next('connect', fail(new Error('refused')))
    ;(await borrow()).release()
    const lease = await borrow()
    const waiter = track(pool.acquire({ timeout: 10 }))
    await clock.advance(10)
    lease.release()
    await clock.until(pool.rebuildConnectionById(lease.connection.id))
    expect(waiter.status).toBe('rejected')
    expect(pool.stats()).toMatchObject({
      leased: 2,
      reused: 1,
      acquireTimeouts: 1,
      created: 2,
      connectFailures: 1,
      rebuildsMarked: { manual: 1 },
      rebuildsStarted: 1,
      rebuildsCompleted: 1,
      rebuildsFailed: 0,
      rebuildsByHealthCheck: 0,
    })
  })

  test('counts each closed client once, under its reason: as many as were created', async () => {
    const { borrowMany, client, clock, driver, listen, pool } = setUp({ minConnections: 2, maxConnections: 4, idleTimeout: 5000 })
    const created = listen('connectionCreated')
    const closed = listen('connectionClosed')
    for (const lease of await borrowMany(4)) lease.release()
    driver.lose(client(1))
    await clock.advance(100)
    await clock.until(pool.rebuildConnections({ all: true }))
    await clock.advance(10_000)
    await clock.until(pool.evict())
    await clock.advance(100)
    await clock.until(pool.close())
    const key = ({ connectionId, generation }: { connectionId: string; generation: number }): string => `${connectionId} ${generation}`
    expect(closed.map(key).sort()).toEqual(created.map(key).sort())
    const counted = Object.values(pool.stats().closed).reduce((sum, count) => sum + count)
    expect([counted, pool.stats().created]).toEqual([closed.length, created.length])
  })
})

describe('a collector of measurements', () => {
  test('hears each measurement, with the labels', async () => {
    const heard: string[] = []
    const note =
      (name: string) =>
      (labels: { pool: string; protocol: string }, ...values: unknown[]): void => {
        expect(labels).toEqual({ pool: 'orders', protocol: 'fake' })
        heard.push([name, ...values].join(' '))
      }
    const names = [
      'acquired',
      'acquireFailed',
      'released',
      'connected',
      'connectFailed',
      'checked',
      'closed',
      'rebuildMarked',
      'rebuildStarted',
      'rebuildCompleted',
      'rebuildFailed',
    ]
    const metrics = Object.fromEntries(names.map((name) => [name, note(name)])) as MetricsCollector
    const { borrow, clock, pool } = setUp({ maxConnections: 1, metrics })
    const lease = await borrow()
    track(pool.acquire({ timeout: 3 }))
    await clock.advance(3)
    lease.release()
    await clock.until(pool.rebuildConnectionById(lease.connection.id))
    await clock.advance(10)
    expect(heard).toEqual([
      'connected 5',
      'acquired 5',
      'acquireFailed timed_out 3',
      'released 3',
      'rebuildMarked manual',
      'rebuildStarted manual',
      'connected 5',
      'checked healthy 1',
      'rebuildCompleted manual 6',
      'closed rebuilt',
    ])
  })

  test('may implement any of the methods, and one that throws harms nobody and is reported', async () => {
    const reports: unknown[] = []
    const quiet = (): void => {}
    const metrics = {
      connected: (): never => {
        throw new Error('no room for figures')
      },
    }
    const { borrow, pool } = setUp({
      metrics,
      logger: { debug: quiet, info: quiet, warn: quiet, error: (facts: unknown) => reports.push(facts) } as never,
    })
    ;(await borrow()).release()
    expect(pool.stats()).toMatchObject({ idle: 1, created: 1 })
    expect(reports).toMatchObject([{ err: { message: 'no room for figures' } }])
  })
})

describe('a collector that acts on the pool', () => {
  test('closing it when a waiter is served takes nothing from that waiter, and refuses the others', async () => {
    let close = (): void => {}
    const setup = setUp({ maxConnections: 1, metrics: { acquired: () => close() } })
    const { clock, pool } = setup
    close = () => void pool.close({ timeout: 100 })
    const [first, second] = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(50)
    resultOf(first as Tracked<Lease<FakeClient>>).release()
    expect(second?.error).toMatchObject({ code: 'POOL_CLOSED' })
  })

  test('closing it when a release serves a waiter takes nothing from that waiter', async () => {
    let close = (): void => {}
    const setup = setUp({ maxConnections: 1, metrics: { acquired: () => close() } })
    const { borrow, clock, pool } = setup
    const lease = await borrow()
    close = () => void pool.close({ timeout: 100 })
    const [first, second] = [pool.acquire(), pool.acquire()].map(track)
    lease.release()
    await clock.advance(50)
    resultOf(first as Tracked<Lease<FakeClient>>).release()
    expect(second?.error).toMatchObject({ code: 'POOL_CLOSED' })
  })

  test.each(['rebuildMarked', 'rebuildStarted', 'connected', 'checked', 'closed', 'rebuildCompleted'] as const)(
    'closing it at %s leaves nothing behind',
    async (method) => {
      let close = (): void => {}
      const { clock, pool, start } = setUp({ minConnections: 1, maxConnections: 2, metrics: { [method]: () => close() } })
      await start()
      close = () => void pool.close()
      const rebuild = track(pool.rebuildConnectionById(pool.connections()[0]?.id as string))
      await clock.advance(60_000)
      expect(rebuild.status).not.toBe('pending')
      expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
    },
  )
})

test('what is somebody else’s and was made async may reject: no rejection is left unhandled', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  const rejects = async (): Promise<never> => {
    throw new Error('made async')
  }
  const clock = new FakeClock()
  const driver = Object.assign(createFakeDriver({ clock }), { ref: rejects, unref: rejects, classify: rejects, secrets: rejects })
  const logger = { debug: rejects, info: rejects, warn: rejects, error: rejects }
  const metrics = { acquired: rejects, released: rejects, connected: rejects, closed: rejects }
  const options = { clock, metrics, logger, minConnections: 1, allowExitOnIdle: true }
  const pool = createPool(driver as unknown as Driver<FakeClient>, options)
  ;(await clock.until(pool.acquire())).release(new Error('reset by peer'))
  await clock.until(pool.close())
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(unhandled).toEqual([])
})

test('a watch that was made async and rejects has lost its client', async () => {
  const { clock, driver, fate, listen, pool, start } = setUp({ minConnections: 1 })
  const marks = listen('rebuildMarked')
  const { watch } = driver
  let watched = 0
  const late = async (...args: Parameters<NonNullable<typeof watch>>): Promise<void> => {
    watch?.(...args)
    if (watched++ === 0) throw new Error('no permission to subscribe')
  }
  Object.assign(driver, { watch: late })
  await start()
  await clock.advance(100)
  expect(marks).toMatchObject([{ reason: { kind: 'connection_lost', detail: 'lost: no permission to subscribe' } }])
  expect([fate(1), pool.connections()[0]?.generation]).toEqual(['destroyed', 2])
})
