import { describe, expect, test } from 'vitest'
import { CircuitOpenError } from '../../src/index.ts'
import { fail, type HeldCall, hang, ok } from '../../src/testing/index.ts'
import { resultOf, served, setUp, type TestPool, track } from './set-up.ts'

/** All clients come of age ten seconds after their connect, to the millisecond. */
const AGED = { maxLifetime: 10_000, maxLifetimeJitter: 0 } as const

/** One connection that comes of age in this millisecond. */
async function ofAge(options: Parameters<typeof setUp>[0] = {}): Promise<TestPool> {
  const setup = setUp({ minConnections: 1, maxConnections: 1, ...AGED, ...options })
  await setup.start()
  await setup.clock.advance(9999)
  return setup
}

describe('a planned rebuild whose successor cannot be had', () => {
  test('changes nothing: the old client serves on, the mark stays, and the next try succeeds', async () => {
    const { borrow, clock, driver, listen, pool } = await ofAge()
    const failed = listen('rebuildFailed')
    driver.next('connect', fail(new Error('refused'), 2))
    await clock.advance(3)
    expect(failed).toMatchObject([{ stage: 'connect', reason: { kind: 'max_lifetime' }, error: { cause: { message: 'refused' } } }])
    expect(pool.connections()).toMatchObject([{ state: 'idle', generation: 1, mark: { kind: 'max_lifetime', urgent: false } }])
    const lease = await borrow()
    expect(lease.client.id).toBe(1)
    lease.release()
    await clock.advance(100)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
    expect(pool.connections()[0]).not.toHaveProperty('mark')
    expect(pool.stats()).toMatchObject({ rebuildsFailed: 1, rebuildsCompleted: 1, rebuildsMarked: { max_lifetime: 1 } })
  })

  test('because it fails its check is told at that stage, and the successor is destroyed', async () => {
    const { clock, driver, fate, listen, pool } = await ofAge()
    const told = listen('rebuildFailed', 'connectionClosed')
    driver.next('check', fail(new Error('not ready'), 1))
    await clock.advance(8)
    expect(told.find((event) => 'stage' in event)).toMatchObject({ stage: 'check', error: { code: 'HEALTH_CHECK_FAILED' } })
    expect(told.find((event) => !('stage' in event))).toMatchObject({ generation: 2, reason: 'rebuild_failed' })
    expect([fate(1), fate(2)]).toEqual(['open', 'destroyed'])
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'idle', mark: { kind: 'max_lifetime' } }])
    await clock.advance(200)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
  })

  test('because it is lost while it is checked fails at that stage', async () => {
    const { client, clock, driver, fate, listen, pool } = await ofAge()
    const failed = listen('rebuildFailed')
    driver.next('check', hang())
    await clock.advance(7)
    driver.lose(client(2), new Error('gone again'))
    await clock.settle()
    expect(failed).toMatchObject([{ stage: 'check' }])
    expect(fate(2)).toBe('destroyed')
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'idle' }])
  })

  test('is tried again after waits that grow, each at random up to the whole of it', async () => {
    const { clock, driver, pool } = await ofAge({ random: () => 0.999, backoff: { base: 100, max: 500 } })
    driver.always('check', fail(new Error('not ready'), 0))
    await clock.advance(3000)
    const begun = driver.ledger.connects.slice(1).map(({ begunAt }) => begunAt)
    const waits = begun.slice(1).map((at, index) => at - (begun[index] as number) - 5)
    expect(waits.slice(0, 5).map(Math.round)).toEqual([100, 200, 400, 500, 500])
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'idle' }])
  })

  test.each([
    ['connect', { connect: hang(), check: ok(1) }],
    ['check', { connect: ok(60), check: hang() }],
  ] as const)('within rebuildTimeout fails, in its %s', async (stage, { connect, check }) => {
    const { clock, driver, listen, pool } = await ofAge({ rebuildTimeout: 100 })
    const failed = listen('rebuildFailed')
    driver.next('connect', connect)
    if (stage === 'check') driver.next('check', check)
    await clock.advance(100)
    expect(failed).toEqual([])
    await clock.advance(1)
    expect(failed).toMatchObject([{ stage, error: { message: expect.stringContaining('100') } }])
    expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
    expect(driver.ledger.open).toBe(1)
  })

  test('does not count the time in the queue', async () => {
    const { clock, client, driver, pool } = await ofAge({
      minConnections: 2,
      maxConnections: 2,
      maxConnecting: 1,
      rebuildMaxSurge: 2,
      rebuildTimeout: 100,
    })
    driver.always('connect', ok(70))
    await clock.advance(1 + 80 + 80)
    expect(pool.connections()).toMatchObject([{ generation: 2 }, { generation: 2 }])
    expect(client(3).life.checks + client(4).life.checks).toBe(2)
  })
})

describe('a connection that is lost', () => {
  test('while its planned rebuild is in the queue is rebuilt urgently, for the first reason', async () => {
    const { borrow, client, clock, driver, listen, pool } = await ofAge()
    const marked = listen('rebuildMarked')
    const started = listen('rebuildStarted')
    await borrow()
    await clock.advance(100)
    expect(marked).toHaveLength(1)
    driver.lose(client(1))
    expect(pool.connections()).toMatchObject([{ state: 'rebuilding', mark: { kind: 'max_lifetime', urgent: true } }])
    await clock.advance(5)
    expect(started).toMatchObject([{ reason: { kind: 'max_lifetime' }, urgent: true }])
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle' }])
    expect(marked).toHaveLength(1)
  })

  test('while its successor is connecting keeps the successor', async () => {
    const { client, clock, driver, fate, listen, pool } = await ofAge({ driver: { connectMs: 50, checkMs: 5 } })
    const completed = listen('rebuildCompleted')
    await clock.advance(20)
    driver.lose(client(1))
    expect(fate(1)).toBe('destroyed')
    expect(pool.connections()).toMatchObject([{ state: 'rebuilding', mark: { kind: 'max_lifetime', urgent: true } }])
    await clock.advance(40)
    expect(pool.connections()).toMatchObject([{ state: 'idle', generation: 2, health: 'healthy' }])
    expect(driver.ledger.connects).toHaveLength(2)
    expect(completed).toMatchObject([{ reason: { kind: 'max_lifetime' }, oldGeneration: 1, newGeneration: 2 }])
  })

  test('while its successor is checked keeps the successor', async () => {
    const { client, clock, driver, fate, pool } = await ofAge({ driver: { connectMs: 5, checkMs: 50 } })
    await clock.advance(20)
    driver.lose(client(1))
    expect([fate(1), fate(2)]).toEqual(['destroyed', 'open'])
    await clock.advance(40)
    expect(pool.connections()).toMatchObject([{ state: 'idle', generation: 2 }])
    expect(driver.ledger.connects).toHaveLength(2)
  })

  test('while its planned rebuild is under way and a borrower holds it is destroyed under the borrower', async () => {
    const { clock, client, driver, fate, pool } = await ofAge({ driver: { connectMs: 50 } })
    const use = track(pool.use(() => new Promise(() => {})))
    void track(pool.rebuildConnectionById(client(1).connectionId))
    await clock.advance(20)
    expect(use.status).toBe('pending')
    driver.lose(client(1))
    await clock.settle()
    expect(use.error).toMatchObject({ code: 'CONNECTION_LOST' })
    expect(fate(1)).toBe('destroyed')
    await clock.advance(40)
    expect(pool.connections()).toMatchObject([{ state: 'idle', generation: 2 }])
    expect(driver.ledger.connects).toHaveLength(2)
  })

  test('after the swap, retired and still held, is destroyed and leaves the connection alone', async () => {
    const { borrow, clock, client, driver, fate, listen, pool } = await ofAge()
    const marked = listen('rebuildMarked')
    const holder = await borrow()
    void track(pool.rebuildConnectionById(client(1).connectionId))
    await clock.advance(20)
    expect(pool.stats().retired).toBe(1)
    driver.lose(client(1))
    await clock.settle()
    expect([fate(1), fate(2)]).toEqual(['destroyed', 'open'])
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle', health: 'healthy' }])
    holder.release()
    await clock.settle()
    expect(pool.stats()).toMatchObject({ retired: 0, open: 1, idle: 1 })
    expect(marked).toHaveLength(1)
  })

  test('and whose successor then fails is closed, and the pool refills itself', async () => {
    const { client, clock, driver, listen, pool } = await ofAge()
    const closed = listen('connectionClosed')
    let connect: HeldCall | undefined
    driver.next('connect', { do: 'held', take: (call) => (connect = call) })
    await clock.advance(1)
    driver.lose(client(1))
    connect?.reject(new Error('refused'))
    await clock.advance(100)
    expect(closed).toMatchObject([{ connectionId: client(1).connectionId, generation: 1, reason: 'rebuild_failed' }])
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'idle' }])
  })
})

describe('a marked connection', () => {
  test('keeps its first reason when another comes of age', async () => {
    const { borrow, client, clock, driver, listen, pool } = await ofAge()
    const marked = listen('rebuildMarked')
    const holder = await borrow()
    driver.retire(client(1), 'maintenance at noon')
    await clock.advance(5000)
    expect(pool.connections()).toMatchObject([
      { mark: { kind: 'retired_by_peer', detail: expect.stringContaining('maintenance at noon') } },
    ])
    holder.release()
    await clock.advance(10)
    expect(marked).toMatchObject([{ reason: { kind: 'retired_by_peer' } }])
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
  })

  test('by its peer takes no new leases, lets present ones finish, and serves again with its new client', async () => {
    const { borrow, client, clock, driver, pool } = setUp({ maxConnections: 1, driver: { maxLeasesPerConnection: 2 } })
    const holder = await borrow()
    driver.retire(client(1))
    const waiter = track(pool.acquire())
    await clock.settle()
    expect(waiter.status).toBe('pending')
    holder.release()
    await clock.advance(20)
    expect(resultOf(waiter).client.id).toBe(2)
    expect(client(1).life.destroyedAt).toBeUndefined()
  })

  test('keeps its mark while the breaker is open: by hand it cannot be rebuilt then', async () => {
    const { clock, client, driver, pool } = await ofAge({ backoff: { base: '1s', max: '1s' } })
    driver.next('connect', fail(new Error('refused'), 1))
    await clock.advance(2)
    expect(pool.stats()).toMatchObject({ breaker: 'open', marked: 1 })
    await expect(pool.rebuildConnectionById(client(1).connectionId)).rejects.toThrow(CircuitOpenError)
    expect(pool.stats().marked).toBe(1)
    await clock.advance(1010)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
  })
})

test('a rebuild whose successor is evicted goes on with another, and is told once', async () => {
  const { borrow, clock, driver, fate, listen, pool } = setUp({ maxConnections: 1 })
  const told = listen('rebuildStarted', 'rebuildCompleted', 'rebuildFailed')
  await borrow()
  driver.next('check', hang())
  const rebuild = track(pool.rebuildConnectionById(pool.connections()[0]?.id as string))
  await clock.advance(10)
  await clock.until(pool.evict())
  await clock.advance(20)
  expect([fate(1), fate(2), fate(3)]).toEqual(['open', 'closed', 'open'])
  expect(resultOf(rebuild)).toMatchObject({ success: true, newGeneration: 2 })
  expect(told).toMatchObject([{ urgent: false }, { newGeneration: 2 }])
})

describe('without surge', () => {
  const deviceOfAge = async (count: number, options: Parameters<typeof setUp>[0] = {}): Promise<TestPool> => {
    const setup = setUp({
      minConnections: count,
      maxConnections: count,
      maxConnecting: count,
      rebuildMaxSurge: 0,
      rebuildConcurrency: count,
      rebuildBatchSize: count,
      ...AGED,
      ...options,
    })
    await setup.start()
    await setup.clock.advance(9999)
    return setup
  }

  test('a planned rebuild closes first, waits for the close, and connects then', async () => {
    const { clock, driver, fate, pool } = await deviceOfAge(1, { driver: { closeMs: 40, connectMs: 5, checkMs: 3 } })
    await clock.advance(1)
    expect([fate(1), pool.connections()[0]?.state]).toEqual(['closing', 'rebuilding'])
    await clock.advance(39)
    expect(driver.ledger.connects).toHaveLength(1)
    await clock.advance(1)
    expect(driver.ledger.connects).toHaveLength(2)
    await clock.advance(8)
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle', health: 'healthy' }])
    expect(driver.ledger.maxOpen).toBe(1)
  })

  test.each([
    [0.2, 10, 2],
    [0.2, 3, 1],
    [0.5, 4, 2],
    [0, 4, 1],
  ])('maxUnavailable %f of %i lets %i be rebuilt at once', async (maxUnavailable, count, expected) => {
    const { clock, driver, pool } = await deviceOfAge(count, { maxUnavailable, rebuildBatchDelay: 0 })
    let most = 0
    clock.onStep = () => {
      most = Math.max(most, pool.stats().rebuilding)
    }
    await clock.advance(1000)
    clock.onStep = undefined
    expect(most).toBe(expected)
    expect(pool.connections().every(({ generation }) => generation === 2)).toBe(true)
    expect(driver.ledger.maxOpen).toBe(count)
  })

  test('a connection in use is left alone until its release', async () => {
    const { borrow, clock, driver, fate, pool } = await deviceOfAge(1)
    const holder = await borrow()
    await clock.advance(5000)
    expect([fate(1), driver.ledger.connects.length]).toEqual(['open', 1])
    const waiter = track(pool.acquire())
    holder.release()
    await clock.advance(20)
    expect(resultOf(waiter).client.id).toBe(2)
    expect(driver.ledger.maxOpen).toBe(1)
  })

  test('a failed try costs the connection, and the pool refills itself', async () => {
    const { client, clock, driver, listen, pool } = await deviceOfAge(1)
    const failed = listen('rebuildFailed')
    driver.next('connect', fail(new Error('refused'), 1))
    await clock.advance(5)
    const { connectionId } = client(1)
    expect(failed).toMatchObject([{ connectionId, stage: 'connect', reason: { kind: 'max_lifetime' } }])
    await clock.advance(100)
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'idle' }])
    expect(pool.connections()[0]?.id).not.toBe(connectionId)
  })

  test('an urgent rebuild connects when the destroyed client has left its place', async () => {
    const { client, clock, driver, pool } = await deviceOfAge(1)
    driver.lose(client(1))
    await clock.advance(10)
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle' }])
    expect(driver.ledger.maxOpen).toBe(1)
  })

  test('nobody who waits is served by a connection that is closing', async () => {
    const { clock, pool } = await deviceOfAge(2, { driver: { closeMs: 100 } })
    await clock.advance(1)
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(50)
    expect(served(waiters)).toEqual([0])
    await clock.advance(100)
    expect(served(waiters)).toEqual([0, 1])
  })

  test('hangs on no close: closeTimeout ends it', async () => {
    const { clock, driver, fate, pool } = await deviceOfAge(1, { closeTimeout: 200 })
    driver.next('close', hang())
    await clock.advance(200)
    expect([fate(1), driver.ledger.connects.length]).toEqual(['closing', 1])
    await clock.advance(20)
    expect([fate(1), pool.connections()[0]?.generation]).toEqual(['destroyed', 2])
  })
})
