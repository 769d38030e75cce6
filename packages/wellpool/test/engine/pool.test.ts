import { describe, expect, test } from 'vitest'
import { CircuitOpenError, ConfigError, ConnectError, createPool, PoolClosedError, QueueFullError } from '../../src/index.ts'
import { createFakeDriver, FakeClock, fail, hang, ok } from '../../src/testing/index.ts'
import { resultOf, served, setUp, track } from './set-up.ts'

const DAY = 24 * 60 * 60 * 1000

describe('acquire', () => {
  test('begins the life of the pool and connects', async () => {
    const { borrow, pool, driver } = setUp()
    expect(pool.stats()).toMatchObject({ state: 'new', open: 0 })
    const lease = await borrow()
    expect(lease.client.id).toBe(1)
    expect(pool.stats()).toMatchObject({ state: 'running', open: 1, total: 1, acquired: 1, idle: 0 })
    expect(driver.ledger.open).toBe(1)
  })

  test('hands out an idle connection at once, without another connect', async () => {
    const { borrow, clock, pool, driver } = setUp()
    const first = await borrow()
    first.release()
    const now = clock.now()
    const second = await borrow()
    expect(clock.now()).toBe(now)
    expect(second.client).toBe(first.client)
    expect(driver.ledger.connects).toHaveLength(1)
    expect(pool.stats()).toMatchObject({ leased: 2, reused: 1, created: 1 })
  })

  test('gives a lease with the record of its connection', async () => {
    const { borrow, clock, pool } = setUp({ driver: { connectMs: 5 } })
    const { client, connection } = await borrow()
    expect(connection).toEqual({
      id: client.connectionId,
      pool: 'orders',
      protocol: 'fake',
      generation: 1,
      state: 'acquired',
      health: 'unknown',
      uses: 1,
      requests: 0,
      errors: 0,
      createdAt: clock.wallNow() - 5,
      lastProvenAt: clock.wallNow(),
    })
    expect(pool.connections()).toEqual([connection])
  })

  test('serves first come, first served', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    let holder = await borrow()
    const waiters = [pool.acquire(), pool.acquire(), pool.acquire()].map(track)
    for (const [index, waiter] of waiters.entries()) {
      expect(served(waiters)).toHaveLength(index)
      holder.release()
      await clock.settle()
      holder = resultOf(waiter)
    }
  })

  test('serves the longest waiter from whichever connection is free first', async () => {
    const { borrowMany, clock, pool } = setUp({ maxConnections: 2 })
    const [one, two] = await borrowMany(2)
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    two?.release()
    await clock.settle()
    expect(served(waiters)).toEqual([0])
    one?.release()
    await clock.settle()
    expect(served(waiters)).toEqual([0, 1])
  })

  test('does not let a newcomer overtake who waits', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const holder = await borrow()
    const waiter = track(pool.acquire())
    holder.release()
    const newcomer = track(pool.acquire())
    expect(pool.tryAcquire()).toBeUndefined()
    await clock.settle()
    expect([waiter.status, newcomer.status]).toEqual(['fulfilled', 'pending'])
  })

  test('prefers a healthy connection to a degraded one', async () => {
    const { borrow, clock, driver, healths, start } = setUp({ minConnections: 2, healthCheckInterval: 10_000, smartRebuildEnabled: false })
    driver.always('check', (call) => ok(call.client?.id === 2 ? 1500 : 1))
    await start()
    await clock.advance(25_000)
    expect(healths()).toEqual(['healthy', 'degraded'])
    // Each is released last once: the usual order would then prefer it.
    for (const last of [1, 2]) {
      const [one, two] = [await borrow(), await borrow()]
      expect([one.client.id, two.client.id]).toEqual([1, 2])
      ;(last === 1 ? two : one).release()
      ;(last === 1 ? one : two).release()
    }
    expect((await borrow()).client.id).toBe(1)
  })

  test.each([
    ['lifo', 2],
    ['fifo', 1],
  ] as const)('with idleOrder %s takes number %i of two that were released in turn', async (idleOrder, expected) => {
    const { borrow, borrowMany } = setUp({ idleOrder, maxConnections: 2 })
    const leases = await borrowMany(2)
    for (const lease of leases) lease.release()
    expect((await borrow()).client.id).toBe(expected)
  })

  test('refuses a time-out that is none, and takes text', async () => {
    const { clock, pool } = setUp({ driver: { connectMs: DAY } })
    await expect(pool.acquire({ timeout: -1 })).rejects.toThrow(ConfigError)
    await expect(pool.acquire({ timeout: 'soon' as never })).rejects.toThrow(ConfigError)
    const waiter = track(pool.acquire({ timeout: '2s' }))
    await clock.advance(1999)
    expect(waiter.status).toBe('pending')
    await clock.advance(1)
    expect(waiter.error).toMatchObject({ waitedMs: 2000 })
  })

  test('rejects with POOL_CLOSED after close', async () => {
    const { clock, pool } = setUp()
    await clock.until(pool.close())
    await expect(pool.acquire()).rejects.toThrow(PoolClosedError)
    expect(pool.tryAcquire()).toBeUndefined()
  })
})

describe('the verdict of a time-out', () => {
  test('is saturated when all are in use', async () => {
    const { borrowMany, clock, pool } = setUp({ maxConnections: 2 })
    await borrowMany(2)
    const waiter = track(pool.acquire({ timeout: 100 }))
    await clock.advance(100)
    expect(waiter.error).toMatchObject({ verdict: 'saturated', total: 2, acquired: 2, waiting: 1 })
    expect((waiter.error as Error).cause).toBeUndefined()
  })

  test('is connecting while a connect is on its way', async () => {
    const { clock, pool } = setUp({ driver: { connectMs: 5000 } })
    const waiter = track(pool.acquire({ timeout: 100 }))
    await clock.advance(100)
    expect(waiter.error).toMatchObject({ verdict: 'connecting', total: 0, waiting: 1 })
  })

  test('is paused while the pool is', async () => {
    const { borrow, clock, pool } = setUp()
    const lease = await borrow()
    lease.release()
    pool.pause()
    const waiter = track(pool.acquire({ timeout: 100 }))
    await clock.advance(100)
    expect(waiter.error).toMatchObject({ verdict: 'paused', idle: 1 })
  })

  test('is down while the endpoint cannot be reached, with the last connect error as cause', async () => {
    const { clock, driver, pool } = setUp()
    driver.always('connect', fail(new Error('connection refused'), 1))
    const waiter = track(pool.acquire({ timeout: 1000 }))
    await clock.advance(1000)
    expect(waiter.error).toMatchObject({ verdict: 'down', cause: expect.any(ConnectError) })
    expect(waiter.error).toHaveProperty('cause.cause.message', 'connection refused')
    expect(waiter.error).toHaveProperty('message', expect.stringContaining('connection refused'))
  })

  test('is saturated when all are in use, and says since when', async () => {
    const { borrowMany, clock, pool } = setUp({ maxConnections: 2 })
    await borrowMany(2)
    await clock.advance(5000)
    const waiter = track(pool.acquire({ timeout: 100 }))
    await clock.advance(100)
    expect(waiter.error).toMatchObject({ verdict: 'saturated', acquired: 2, message: expect.stringMatching(/in use .*5\.1 ?s|5100/) })
  })

  describe('when all are in use and the server gives no more', () => {
    /** Two of three are in use, and somebody waits for the third. */
    async function waitAtFullServer() {
      const { borrowMany, clock, driver, pool } = setUp({ maxConnections: 3 })
      await borrowMany(2)
      driver.always('connect', fail(new Error('too many clients'), 1))
      return { clock, pool, waiter: track(pool.acquire({ timeout: 1000 })) }
    }

    test('is saturated, and says why no more can be made', async () => {
      const { clock, waiter } = await waitAtFullServer()
      await clock.advance(1000)
      expect(waiter.error).toMatchObject({
        verdict: 'saturated',
        total: 2,
        cause: expect.any(ConnectError),
        message: expect.stringMatching(
          /^pool orders: .* all 2 connections have been in use for .*; no more can be made: .* too many clients \(/,
        ),
      })
    })

    test('is saturated for no other reason if the pool may have no more', async () => {
      const { clock, pool, waiter } = await waitAtFullServer()
      await clock.advance(900)
      pool.reconfigure({ maxConnections: 2 })
      await clock.advance(100)
      expect(pool.stats().breaker).toBe('open')
      expect(waiter.error).toMatchObject({ verdict: 'saturated', message: expect.stringContaining('raise maxConnections') })
      expect((waiter.error as Error).cause).toBeUndefined()
    })
  })
})

describe('maxWaiting', () => {
  test('refuses one borrower more with QUEUE_FULL', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1, maxWaiting: 2 })
    const holder = await borrow()
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await expect(pool.acquire()).rejects.toThrow(QueueFullError)
    holder.release()
    await clock.settle()
    expect(served(waiters)).toEqual([0])
    const third = track(pool.acquire())
    await clock.settle()
    expect(third.status).toBe('pending')
  })

  test('of 0 lends what is idle and refuses everybody else', async () => {
    const { pool, start } = setUp({ minConnections: 1, maxConnections: 1, maxWaiting: 0 })
    await start()
    const lease = await pool.acquire()
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'QUEUE_FULL', retryable: true })
    lease.release()
    expect((await pool.acquire()).client).toBe(lease.client)
  })
})

describe('while the breaker is open and nothing is in service', () => {
  test('borrowers wait and are served when the endpoint is back', async () => {
    const { clock, driver, pool } = setUp()
    driver.next('connect', fail(new Error('refused')), fail(new Error('refused')))
    const waiter = track(pool.acquire())
    await clock.advance(0)
    expect(pool.stats()).toMatchObject({ breaker: 'open', waiting: 1 })
    await clock.until(pool.acquire())
    expect(waiter.status).toBe('fulfilled')
  })

  test('failFast refuses who waits and who comes with CIRCUIT_OPEN, the connect error as cause', async () => {
    const { clock, driver, pool } = setUp({ failFast: true })
    driver.always('connect', fail(new Error('refused'), 1))
    const waiter = track(pool.acquire())
    await clock.advance(1)
    expect(waiter.error).toBeInstanceOf(CircuitOpenError)
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryable: true, cause: { code: 'CONNECT_FAILED' } })
    expect(pool.stats().waiting).toBe(0)
  })

  test('failFast lets who comes when the next try is due be the need for it, and refuses who comes while it runs', async () => {
    const { clock, driver, pool } = setUp({ failFast: true })
    driver.next('connect', fail(new Error('refused'), 1), ok(5))
    await expect(clock.until(pool.acquire())).rejects.toBeInstanceOf(CircuitOpenError)
    // Nobody needs a connection: there is no try meanwhile.
    await clock.advance(60_000)
    expect(driver.ledger.connects).toHaveLength(1)

    const needed = track(pool.acquire())
    await clock.settle()
    expect(pool.stats().breaker).toBe('half-open')
    await expect(pool.acquire()).rejects.toBeInstanceOf(CircuitOpenError)
    await clock.advance(5)
    resultOf(needed).release()
    expect(pool.stats()).toMatchObject({ breaker: 'closed', idle: 1 })
  })

  test('failFast lets borrowers wait as long as a connection is in service', async () => {
    const { borrow, clock, driver, pool } = setUp({ failFast: true, maxConnections: 2 })
    const holder = await borrow()
    driver.always('connect', fail(new Error('refused'), 1))
    const waiter = track(pool.acquire())
    await clock.advance(100)
    expect(pool.stats().breaker).not.toBe('closed')
    expect(waiter.status).toBe('pending')
    holder.release()
    await clock.settle()
    expect(waiter.status).toBe('fulfilled')
  })
})

describe('tryAcquire', () => {
  test('gives a lease when a connection is idle, and undefined otherwise', async () => {
    const { borrow, pool } = setUp({ maxConnections: 1 })
    expect(pool.tryAcquire()).toBeUndefined()
    const lease = await borrow()
    expect(pool.tryAcquire()).toBeUndefined()
    lease.release()
    expect(pool.tryAcquire()?.client).toBe(lease.client)
  })

  test('gives no suspect', async () => {
    const { borrow, pool } = setUp()
    const lease = await borrow()
    lease.release(new Error('reset by peer'))
    expect(pool.stats().idle).toBe(1)
    expect(pool.tryAcquire()).toBeUndefined()
  })

  test('gives nothing while paused', async () => {
    const { borrow, pool } = setUp()
    ;(await borrow()).release()
    pool.pause()
    expect(pool.tryAcquire()).toBeUndefined()
    pool.resume()
    expect(pool.tryAcquire()).toBeDefined()
  })
})

test('timers hold the process while a call is pending, otherwise never', async () => {
  const { borrow, clock, pool } = setUp({ maxConnections: 1, healthCheckInterval: 1000, idleTimeout: 1000 })
  const holder = await borrow()
  expect(clock.counts().referenced).toBe(0)
  const waiter = track(pool.acquire())
  expect(clock.counts().referenced).toBeGreaterThan(0)
  holder.release()
  await clock.settle()
  expect(waiter.status).toBe('fulfilled')
  expect(clock.counts().referenced).toBe(0)
})

test('a pool without a name gets one from its protocol, each its own', () => {
  const make = () => createPool(createFakeDriver({ clock: new FakeClock(), protocol: 'echo' })).name
  const [one, two] = [make(), make()]
  expect([one, two]).toEqual([expect.stringContaining('echo'), expect.stringContaining('echo')])
  expect(one).not.toBe(two)
})

test('a driver that never connects blocks nobody for longer than connectTimeout', async () => {
  const { clock, driver, pool } = setUp({ connectTimeout: 2000, backoff: { base: 1 } })
  driver.next('connect', hang())
  const waiter = track(pool.acquire())
  await clock.advance(2010)
  expect(waiter.status).toBe('fulfilled')
})

test.each([-5, Number.NaN, 'soon', null, {}])('a wrong timeout (%s) is refused also when nobody has to wait', async (timeout) => {
  const { pool, start } = setUp({ minConnections: 1 })
  await start()
  await expect(pool.acquire({ timeout: timeout as number })).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  expect(pool.stats()).toMatchObject({ idle: 1, acquired: 0 })
})

describe('a call with options that are wrong', () => {
  const CALLS = ['acquire', 'use', 'start', 'rebuildConnections', 'rebuildConnectionById', 'drain', 'close', 'pause', 'evict'] as const

  /** The problems of a call with these options, which has done nothing. */
  async function refusalOf(name: (typeof CALLS)[number], options: unknown) {
    const { pool, start } = setUp({ minConnections: 1 })
    await start()
    const [{ id } = { id: '' }] = pool.connections()
    const given = options as object
    const call = async (): Promise<unknown> => {
      if (name === 'use') return pool.use(() => {}, given)
      return name === 'rebuildConnectionById' ? pool[name](id, given) : pool[name](given)
    }
    const error: unknown = await call().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigError)
    expect(pool.stats()).toMatchObject({ state: 'running', idle: 1, acquired: 0, leased: 0, marked: 0 })
    return (error as ConfigError).problems
  }

  test.each(CALLS)('%s refuses a signal that is none', async (name) => {
    for (const [signal, given] of [
      [new AbortController(), 'an object'],
      [null, 'null'],
      [{ aborted: false, addEventListener: () => {} }, 'an object'],
      [5000, '5000'],
    ]) {
      expect(await refusalOf(name, { signal })).toEqual([{ path: 'signal', given, allowed: 'an AbortSignal' }])
    }
  })

  test.each(CALLS)('%s refuses an unknown option', async (name) => {
    expect(await refusalOf(name, { timeOut: undefined, timeouts: 5 })).toEqual([
      { path: 'timeOut', given: 'an unknown option', allowed: 'timeout?' },
    ])
    expect(await refusalOf(name, { toString: 5 })).toMatchObject([{ path: 'toString', given: 'an unknown option' }])
  })

  test.each([
    ['pause', 'failWaiting'],
    ['evict', 'interruptInUse'],
  ] as const)('%s refuses a %s that is neither true nor false', async (name, option) => {
    expect(await refusalOf(name, { [option]: 'no' })).toEqual([{ path: option, given: "'no'", allowed: 'true or false' }])
  })

  test('reconfigure refuses options that are no object', () => {
    const { pool } = setUp()
    for (const options of [5, null, 'x']) expect(() => pool.reconfigure(options as never)).toThrow(ConfigError)
  })

  test.each(CALLS)('%s refuses options that are no object', async (name) => {
    for (const [options, given] of [
      [5000, '5000'],
      ['5s', 'a text'],
      [null, 'null'],
    ]) {
      expect(await refusalOf(name, options)).toEqual([{ path: 'options', given, allowed: 'an object' }])
    }
  })

  test('refuses a flag that is none', async () => {
    expect(await refusalOf('use', { idempotent: 'yes' })).toEqual([{ path: 'idempotent', given: "'yes'", allowed: 'true or false' }])
    expect(await refusalOf('rebuildConnectionById', { urgent: 1 })).toMatchObject([{ path: 'urgent' }])
    expect(await refusalOf('rebuildConnections', { all: 'all' })).toMatchObject([{ path: 'all' }])
  })

  test('takes undefined for what was not given', async () => {
    const { pool, clock } = setUp({ minConnections: 1 })
    const used = pool.use(() => 'used', { signal: undefined, timeout: undefined, idempotent: undefined })
    expect(await clock.until(used)).toBe('used')
  })
})

test('use refuses what is no function before it takes a connection, and does not show it', async () => {
  const { pool, driver } = setUp()
  await expect(pool.use("select 'secret'" as never)).rejects.toMatchObject({
    message: 'wrong option: run: got a text, allowed is a function that is given a client',
    code: 'INVALID_CONFIG',
  })
  expect(pool.stats()).toMatchObject({ state: 'new', leased: 0 })
  expect(driver.ledger.connects).toEqual([])
})

test('on refuses an event that there is not, naming the nearest', () => {
  const { pool } = setUp()
  expect(() => pool.on('rebuildComplete' as 'rebuildCompleted', () => {})).toThrow(
    "wrong option: event: got 'rebuildComplete', allowed is rebuildCompleted?",
  )
  expect(() => pool.on('poolClosed', undefined as never)).toThrow('wrong option: listener: got undefined, allowed is a function')
  expect(() => pool.on('healtChanged' as 'healthStatusChanged', () => {})).toThrow(/allowed is healthStatusChanged, /)
})
