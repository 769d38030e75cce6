import { describe, expect, test } from 'vitest'
import { ConfigError, PoolClosedError, PoolPausedError } from '../../src/index.ts'
import { type FakeCall, type FakeClient, fail, hang, ok } from '../../src/testing/index.ts'
import { resultOf, served, setUp, track } from './set-up.ts'

describe('start', () => {
  test('is what a pool waits for: before it, or the first acquire, nothing is connected', async () => {
    const { clock, driver, pool } = setUp({ minConnections: 2 })
    await clock.advance(60_000)
    expect([driver.ledger.connects.length, clock.counts().timers, pool.stats().state]).toEqual([0, 0, 'new'])
  })

  test('resolves when minConnections are connected, and tells so once', async () => {
    const { clock, listen, pool } = setUp({ minConnections: 3, maxConnecting: 1 })
    const told = listen('poolWarmedUp')
    const started = track(pool.start())
    await clock.advance(14)
    expect(started.status).toBe('pending')
    await clock.advance(1)
    expect([started.status, pool.stats().idle]).toEqual(['fulfilled', 3])
    await clock.until(pool.start())
    expect(told).toHaveLength(1)
  })

  test('resolves at once with minConnections 0', async () => {
    const { clock, pool } = setUp()
    const started = track(pool.start())
    await clock.settle()
    expect(started.status).toBe('fulfilled')
  })

  test('rejects with CONNECT_FAILED when that is not reached within timeout; the pool goes on trying', async () => {
    const { clock, driver, pool } = setUp({ minConnections: 1 })
    driver.always('connect', fail(new Error('refused'), 10))
    const started = track(pool.start({ timeout: 300 }))
    await clock.advance(300)
    expect(started.error).toMatchObject({ code: 'CONNECT_FAILED', message: expect.stringContaining('refused') })
    driver.always('connect', ok(5))
    await clock.advance(30_000)
    expect(pool.stats().idle).toBe(1)
  })

  test('rejects at once when the endpoint refuses for good', async () => {
    const { clock, driver, pool } = setUp({ minConnections: 1, driver: { classify: () => 'fatal' } })
    driver.always('connect', fail(new Error('password wrong'), 10))
    const started = track(pool.start())
    await clock.advance(10)
    expect(started.error).toMatchObject({ code: 'CONNECT_FAILED', cause: { message: 'password wrong' } })
  })

  test('rejects with the reason of its signal, and the pool goes on connecting', async () => {
    const { clock, pool } = setUp({ minConnections: 1 })
    const controller = new AbortController()
    const started = track(pool.start({ signal: controller.signal }))
    controller.abort(new Error('enough'))
    await clock.settle()
    expect(started.error).toMatchObject({ message: 'enough' })
    await clock.advance(5)
    expect(pool.stats().idle).toBe(1)
  })

  test('rejects with POOL_CLOSED after close', async () => {
    const { clock, pool } = setUp()
    await clock.until(pool.close())
    await expect(pool.start()).rejects.toBeInstanceOf(PoolClosedError)
  })
})

describe('pause', () => {
  test('hands out no more leases until resume, and then in the old order', async () => {
    const { borrow, clock, listen, pool } = setUp({ maxConnections: 1 })
    const told = listen('poolPaused', 'poolResumed')
    const lease = await borrow()
    const first = track(pool.acquire())
    pool.pause()
    const second = track(pool.acquire())
    lease.release()
    await clock.advance(1000)
    expect([first.status, second.status, pool.stats().state]).toEqual(['pending', 'pending', 'paused'])
    pool.resume()
    await clock.settle()
    expect([first.status, second.status, pool.stats().state]).toEqual(['fulfilled', 'pending', 'running'])
    expect(told).toHaveLength(2)
  })

  test('twice, and resume without it, do nothing', async () => {
    const { clock, listen, pool } = setUp()
    const told = listen('poolPaused', 'poolResumed')
    pool.resume()
    pool.pause()
    pool.pause()
    pool.resume()
    pool.resume()
    await clock.settle()
    expect(told).toHaveLength(2)
  })

  test('lets the time-outs of those who wait run on', async () => {
    const { clock, pool } = setUp()
    pool.pause()
    const waiter = track(pool.acquire({ timeout: 100 }))
    await clock.advance(100)
    expect(waiter.error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', verdict: 'paused' })
  })

  test('with failWaiting refuses who waits and who comes with POOL_PAUSED, until resume', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const lease = await borrow()
    const waiter = track(pool.acquire())
    pool.pause({ failWaiting: true })
    const newcomer = track(pool.acquire())
    await clock.settle()
    expect(waiter.error).toBeInstanceOf(PoolPausedError)
    expect(newcomer.error).toMatchObject({ code: 'POOL_PAUSED', retryable: true })
    lease.release()
    pool.resume()
    expect((await borrow()).client.id).toBe(1)
  })

  test('closes what is lost meanwhile, and refills at resume', async () => {
    const { client, clock, driver, fate, listen, pool, start } = setUp({ minConnections: 2 })
    const closed = listen('connectionClosed')
    await start()
    pool.pause()
    driver.lose(client(1))
    await clock.advance(10_000)
    expect([fate(1), pool.stats().total, driver.ledger.connects.length]).toEqual(['destroyed', 1, 2])
    expect(closed).toMatchObject([{ reason: 'lost' }])
    pool.resume()
    await clock.advance(5)
    expect(pool.stats().total).toBe(2)
  })

  test('lets a running rebuild end, and begins a new one by hand only', async () => {
    const { client, clock, driver, pool, start } = setUp({ minConnections: 2, maxLifetime: 10_000, maxLifetimeJitter: 0 })
    await start()
    const [one, two] = pool.connections().map(({ id }) => id)
    driver.next('connect', ok(500))
    const running = track(pool.rebuildConnectionById(one as string))
    await clock.settle()
    pool.pause()
    await clock.advance(501)
    expect(resultOf(running)).toMatchObject({ success: true, newGeneration: 2 })
    await clock.advance(9600)
    expect(pool.connections()[1]).toMatchObject({ id: two, generation: 1, mark: { kind: 'max_lifetime' } })
    const byHand = await clock.until(pool.rebuildConnectionById(two as string))
    expect(byHand).toMatchObject({ success: true, reason: { kind: 'max_lifetime' } })
    expect(client(4).connectionId).toBe(two)
  })

  test('before the start begins nothing but the pause, and start waits for resume', async () => {
    const { clock, driver, pool } = setUp({ minConnections: 1 })
    pool.pause()
    const started = track(pool.start())
    await clock.advance(1000)
    expect([started.status, driver.ledger.connects.length]).toEqual(['pending', 0])
    pool.resume()
    await clock.advance(5)
    expect(started.status).toBe('fulfilled')
  })

  test('does nothing once the pool is closing', async () => {
    const { clock, pool } = setUp()
    await clock.until(pool.close())
    pool.pause()
    pool.resume()
    expect(pool.stats().state).toBe('closed')
  })
})

describe('evict', () => {
  test('closes idle clients now and leased ones on release, and the pool refills itself', async () => {
    const { borrow, clock, fate, listen, pool, start } = setUp({ minConnections: 2, maxConnections: 4 })
    const closed = listen('connectionClosed')
    await start()
    const lease = await borrow()
    const evicted = track(pool.evict())
    await clock.settle()
    const other = lease.client.id === 1 ? 2 : 1
    expect([fate(lease.client.id), fate(other), evicted.status]).toEqual(['open', 'closing', 'pending'])
    await clock.advance(1)
    expect([fate(other), evicted.status]).toEqual(['closed', 'fulfilled'])
    await clock.advance(100)
    lease.release()
    await clock.advance(1)
    expect(fate(lease.client.id)).toBe('closed')
    expect(closed.map(({ reason }) => reason)).toEqual(['evicted', 'evicted'])
    await clock.advance(100)
    expect(pool.stats()).toMatchObject({ total: 2, idle: 2 })
    expect(new Set(pool.connections().map(({ generation }) => generation))).toEqual(new Set([1]))
  })

  test('hands a leased client to nobody else', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const lease = await borrow()
    const waiter = track(pool.acquire())
    await clock.until(pool.evict())
    lease.release()
    await clock.advance(10)
    expect(resultOf(waiter).client.id).toBe(2)
  })

  test('discards a client that is still connecting when it arrives; whoever waits for it gets the next', async () => {
    const { clock, fate, listen, pool } = setUp()
    const closed = listen('connectionClosed')
    const waiter = track(pool.acquire())
    await clock.advance(2)
    await pool.evict()
    await clock.advance(20)
    expect(fate(1)).toBe('closed')
    expect(closed).toMatchObject([{ reason: 'evicted' }])
    expect(resultOf(waiter).client.id).toBe(2)
  })

  test('with interruptInUse destroys leased clients and gives up running connects; their waiters stay in the queue', async () => {
    const { borrow, clock, driver, fate, pool } = setUp({ maxConnections: 2 })
    const lease = await borrow()
    driver.next('connect', { do: 'hang', ignoreAbort: false })
    const waiter = track(pool.acquire())
    await clock.settle()
    const evicted = track(pool.evict({ interruptInUse: true }))
    await clock.settle()
    expect([fate(1), driver.ledger.connects[1]?.givenUpAt !== undefined, waiter.status, evicted.status]).toEqual([
      'destroyed',
      true,
      'pending',
      'fulfilled',
    ])
    lease.release()
    await clock.advance(5)
    expect(resultOf(waiter).client.id).toBe(2)
    expect(pool.stats().closed).toMatchObject({ evicted: 1 })
  })

  test('with interruptInUse rejects a use with CONNECTION_LOST, and an idempotent one runs again', async () => {
    const { clock, pool } = setUp({ maxConnections: 1 })
    const ran: number[] = []
    const use = track(
      pool.use(
        (client: FakeClient) => {
          ran.push(client.id)
          return client.id === 1 ? new Promise<string>(() => {}) : 'done'
        },
        { idempotent: true },
      ),
    )
    await clock.advance(5)
    await pool.evict({ interruptInUse: true })
    await clock.advance(10)
    expect([ran, use.value]).toEqual([[1, 2], 'done'])
  })

  test('ends the planned rebuild of an idle connection with the connection', async () => {
    const { clock, driver, fate, pool, start } = setUp({ minConnections: 1, maxConnections: 1 })
    await start()
    driver.next('check', hang())
    const rebuild = track(pool.rebuildConnectionById(pool.connections()[0]?.id as string))
    await clock.advance(6)
    await clock.until(pool.evict())
    await clock.advance(10)
    expect(resultOf(rebuild)).toMatchObject({ success: false })
    expect([fate(1), fate(2)]).toEqual(['closed', 'closed'])
    expect(pool.connections()).toMatchObject([{ state: 'idle', generation: 1 }])
  })
})

describe('reconfigure', () => {
  test('changes everything or nothing, and names all that is wrong', async () => {
    const { pool, start } = setUp({ maxConnections: 5 })
    await start()
    const wrong = { maxConnections: 3, minConnections: 4, closeTimeout: 0 }
    expect(() => pool.reconfigure(wrong)).toThrow(ConfigError)
    expect(pool.options).toMatchObject({ maxConnections: 5, minConnections: 0 })
    expect(pool.options).not.toHaveProperty('closeTimeout')
  })

  test('takes effect for those who wait, without losing a lease', async () => {
    const { borrow, clock, fate, pool } = setUp({ maxConnections: 1 })
    const lease = await borrow()
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(10)
    pool.reconfigure({ maxConnections: 3 })
    await clock.advance(10)
    expect([served(waiters), fate(1)]).toEqual([[0, 1], 'open'])
    pool.reconfigure({ maxConnections: 1 })
    await clock.advance(10)
    expect([fate(1), fate(2), fate(3), pool.stats().acquired]).toEqual(['open', 'open', 'open', 3])
    for (const waiter of waiters) resultOf(waiter).release()
    lease.release()
    await clock.advance(10)
    expect(pool.stats()).toMatchObject({ total: 1, closed: { surplus: 2 } })
  })

  test('begins the intervals anew with their new lengths', async () => {
    const { client, clock, pool, start } = setUp({ minConnections: 1, healthCheckInterval: 600_000 })
    await start()
    pool.reconfigure({ healthCheckInterval: 1000 })
    await clock.advance(3100)
    expect(client(1).life.checks).toBeGreaterThanOrEqual(2)
  })

  test('raising minConnections connects what is missing; lowering it closes nothing at once', async () => {
    const { clock, pool, start } = setUp({ minConnections: 1 })
    await start()
    pool.reconfigure({ minConnections: 3 })
    await clock.advance(20)
    expect(pool.stats().idle).toBe(3)
    pool.reconfigure({ minConnections: 0 })
    await clock.advance(20)
    expect(pool.stats().idle).toBe(3)
  })

  test.each([{ name: 'other' }, { random: () => 0 }])('refuses what a pool keeps for life: %j', async (change) => {
    const { pool } = setUp()
    expect(() => pool.reconfigure(change)).toThrow(ConfigError)
  })

  test('of allowExitOnIdle holds the process by all clients again, or by those in use', async () => {
    const calls: string[] = []
    const onCall = ({ hook, client: called }: FakeCall): void => {
      if (hook === 'ref' || hook === 'unref') calls.push(`${hook} ${called?.id}`)
    }
    const { borrow, pool, start } = setUp({ minConnections: 2, driver: { hooks: ['watch', 'ref'], onCall } })
    await start()
    const lease = await borrow()
    const other = lease.client.id === 1 ? 2 : 1
    pool.reconfigure({ allowExitOnIdle: true })
    expect(calls.splice(0).sort()).toEqual([`ref ${lease.client.id}`, `unref ${other}`].sort())
    pool.reconfigure({ allowExitOnIdle: false })
    expect(calls.splice(0).sort()).toEqual(['ref 1', 'ref 2'])
    pool.reconfigure({ maxWaiting: 5 })
    lease.release()
    expect(calls).toEqual([])
  })

  test('with undefined is back at what stands beneath, also in what the pool says of its options', () => {
    const { pool } = setUp({ driver: { defaults: { maxConnections: 2, backoff: { base: 20 } } } })
    pool.reconfigure({ maxConnections: 7, backoff: { base: 30 } })
    pool.reconfigure({ maxConnections: undefined, backoff: { base: undefined } })
    expect(pool.options).toMatchObject({ maxConnections: 2, backoff: { base: 20 } })
  })

  test('of one part of backoff leaves the other parts', () => {
    const { pool } = setUp({ backoff: { base: 70 } })
    pool.reconfigure({ backoff: { max: '10s' } })
    pool.reconfigure({ backoff: { maxWhileWaited: 300 } })
    expect(pool.options.backoff).toMatchObject({ max: '10s', maxWhileWaited: 300 })
  })
})

test('the options in force show every part of backoff, whenever it was given', () => {
  const { pool } = setUp({ backoff: { base: 70 } })
  pool.reconfigure({ backoff: { max: '10s' } })
  expect(pool.options.backoff).toEqual({ base: 70, max: '10s' })
})
