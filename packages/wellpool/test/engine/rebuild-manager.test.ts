import { describe, expect, test } from 'vitest'
import { fail, hang, ok } from '../../src/testing/index.ts'
import { resultOf, setUp, type TestPool, track } from './set-up.ts'

/** All clients come of age ten seconds after their connect, to the millisecond. */
const AGED = { maxLifetime: 10_000, maxLifetimeJitter: 0 } as const

describe('an urgent rebuild', () => {
  test('takes the connection out of service, destroys its client and connects a new one, under the same id', async () => {
    const { client, clock, driver, fate, pool, start, states } = setUp({ minConnections: 1 })
    await start()
    const [before] = pool.connections()
    driver.lose(client(1), new Error('connection reset'))
    expect(fate(1)).toBe('destroyed')
    expect(pool.connections()).toMatchObject([
      {
        id: before?.id,
        state: 'rebuilding',
        health: 'unhealthy',
        mark: { kind: 'connection_lost', detail: expect.stringContaining('connection reset'), urgent: true },
      },
    ])
    await clock.advance(4)
    expect(states()).toEqual(['rebuilding'])
    await clock.advance(1)
    expect(pool.connections()).toEqual([
      {
        ...before,
        generation: 2,
        state: 'idle',
        health: 'healthy',
        lastProvenAt: clock.wallNow(),
        lastRebuiltAt: clock.wallNow(),
      },
    ])
  })

  test('is told as marked, started and completed', async () => {
    const { client, clock, driver, pool, start } = setUp({ minConnections: 1 })
    await start()
    const told: [string, object][] = []
    for (const name of ['rebuildMarked', 'rebuildStarted', 'connectionCreated', 'connectionClosed', 'rebuildCompleted'] as const) {
      pool.on(name, (event) => told.push([name, event]))
    }
    driver.lose(client(1), new Error('connection reset'))
    await clock.advance(10)
    const reason = { kind: 'connection_lost', detail: expect.stringContaining('connection reset') }
    const { connectionId } = client(1)
    expect(told).toEqual([
      ['rebuildMarked', expect.objectContaining({ connectionId, generation: 1, reason, urgent: true })],
      ['rebuildStarted', expect.objectContaining({ connectionId, generation: 1, reason, urgent: true })],
      ['connectionCreated', expect.objectContaining({ connectionId, generation: 2 })],
      ['connectionClosed', expect.objectContaining({ connectionId, generation: 1, reason: expect.stringMatching(/lost|rebuilt/) })],
      ['rebuildCompleted', expect.objectContaining({ connectionId, reason, oldGeneration: 1, newGeneration: 2, durationMs: 5 })],
    ])
    expect(pool.stats()).toMatchObject({ rebuildsMarked: { connection_lost: 1 }, rebuildsStarted: 1, rebuildsCompleted: 1, marked: 0 })
  })

  test('of a lost connection in use destroys the client under its holder and does not wait for the release', async () => {
    const { borrow, client, clock, driver, fate, pool } = setUp({ maxConnections: 1 })
    const holder = await borrow()
    const waiter = track(pool.acquire())
    driver.lose(client(1))
    expect(fate(1)).toBe('destroyed')
    await clock.advance(5)
    expect(resultOf(waiter).client.id).toBe(2)
    holder.release()
    await clock.settle()
    expect(pool.stats()).toMatchObject({ acquired: 1, idle: 0, open: 1, retired: 0 })
  })

  test('for another reason waits for the release, and lends nothing meanwhile', async () => {
    const { borrow, client, clock, fate, pool } = setUp({ maxConnections: 1, driver: { maxLeasesPerConnection: 2 } })
    const holder = await borrow()
    const rebuilt = track(pool.rebuildConnectionById(client(1).connectionId, { urgent: true }))
    const waiter = track(pool.acquire())
    await clock.advance(100)
    expect([rebuilt.status, waiter.status, fate(1)]).toEqual(['pending', 'pending', 'open'])
    holder.release()
    await clock.advance(10)
    expect(fate(1)).toBe('destroyed')
    expect(resultOf(waiter).client.id).toBe(2)
    expect(resultOf(rebuilt)).toMatchObject({ success: true, newGeneration: 2 })
  })

  test('that fails closes the connection, and the pool refills itself', async () => {
    const { client, clock, driver, listen, pool, start } = setUp({ minConnections: 1 })
    await start()
    const failed = listen('rebuildFailed')
    const closed = listen('connectionClosed')
    driver.next('connect', fail(new Error('refused'), 1))
    driver.lose(client(1))
    await clock.advance(100)
    const { connectionId } = client(1)
    expect(failed).toMatchObject([
      { connectionId, stage: 'connect', reason: { kind: 'connection_lost' }, error: { code: 'CONNECT_FAILED' } },
    ])
    expect(closed).toMatchObject([{ connectionId, generation: 1, reason: 'rebuild_failed' }])
    const [refilled] = pool.connections()
    expect(refilled).toMatchObject({ generation: 1, state: 'idle' })
    expect(refilled?.id).not.toBe(connectionId)
  })

  test('while the breaker is open closes the connection at once, and the pool refills itself', async () => {
    const { client, clock, driver, listen, pool, start } = setUp({ minConnections: 2 })
    await start()
    const closed = listen('connectionClosed')
    driver.next('connect', fail(new Error('refused'), 1))
    driver.lose(client(1))
    await clock.advance(1)
    expect(pool.stats().breaker).toBe('open')
    driver.lose(client(2))
    expect(pool.stats()).toMatchObject({ total: 0, marked: 0 })
    await clock.advance(100)
    expect(closed).toMatchObject([{ reason: 'rebuild_failed' }, { reason: 'lost' }])
    expect(pool.stats()).toMatchObject({ idle: 2, open: 2 })
  })

  test('goes before planned ones', async () => {
    const { client, clock, driver, start } = setUp({ minConnections: 3, maxConnecting: 1, driver: { connectMs: 10 }, ...AGED })
    await start()
    await clock.advance(10_000 - 30)
    // The first two came of age and wait for the connector; the third is lost.
    await clock.advance(11)
    driver.lose(client(3))
    await clock.advance(20)
    const order = driver.ledger.connects.slice(3).map(({ connectionId }) => connectionId)
    expect(order.slice(0, 2)).toEqual([client(1).connectionId, client(3).connectionId])
  })

  test('goes beside a replaced client that is still held, within rebuildMaxSurge', async () => {
    const { borrow, client, clock, driver, pool, start } = setUp({ minConnections: 1, maxConnections: 1 })
    await start()
    await borrow()
    track(pool.rebuildConnectionById(client(1).connectionId))
    await clock.advance(20)
    expect(pool.stats()).toMatchObject({ retired: 1, idle: 1, open: 2 })
    driver.lose(client(2))
    await clock.advance(20)
    expect(pool.connections()).toMatchObject([{ generation: 3, state: 'idle' }])
    expect(driver.ledger.maxOpen).toBe(2)
  })
})

describe('a planned rebuild', () => {
  /** One connection, about to be rebuilt because it has come of age. */
  const comingOfAge = async (options: Parameters<typeof setUp>[0] = {}): Promise<TestPool> => {
    const setup = setUp({ minConnections: 1, maxConnections: 1, ...AGED, ...options })
    await setup.start()
    await setup.clock.advance(9999)
    return setup
  }

  test('keeps the old client in service until the successor is connected and has passed a check, then swaps', async () => {
    const { client, clock, fate, pool } = await comingOfAge({ driver: { connectMs: 30, checkMs: 20 } })
    const [before] = pool.connections()
    await clock.advance(1)
    expect(pool.connections()).toMatchObject([{ state: 'idle', generation: 1, mark: { kind: 'max_lifetime', urgent: false } }])
    await clock.advance(49)
    expect(pool.connections()).toMatchObject([{ state: 'idle', generation: 1 }])
    expect(client(2).life.checks).toBe(1)
    const lease = pool.tryAcquire()
    expect(lease?.client.id).toBe(1)
    lease?.release()
    await clock.advance(1)
    expect(pool.connections()).toEqual([
      {
        ...before,
        generation: 2,
        health: 'healthy',
        uses: 0,
        requests: 0,
        lastProvenAt: expect.any(Number),
        lastCheckMs: 20,
        lastRebuiltAt: clock.wallNow(),
      },
    ])
    await clock.advance(1)
    expect(fate(1)).toBe('closed')
  })

  test('leaves the old client to its holder, whose release closes it and touches nothing else', async () => {
    const { borrow, clock, fate, pool } = await comingOfAge()
    const holder = await borrow()
    await clock.advance(1)
    expect(pool.stats().marked).toBe(1)
    holder.release()
    const again = await borrow()
    await clock.advance(20)
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle' }])
    expect(pool.stats()).toMatchObject({ retired: 1, open: 2, acquired: 0, idle: 1 })
    expect(again.connection).toMatchObject({ generation: 1, uses: 2 })
    const other = await borrow()
    again.release(new Error('whatever'))
    await clock.advance(1)
    expect(fate(1)).toBe('closed')
    expect(pool.stats()).toMatchObject({ retired: 0, open: 1, acquired: 1 })
    expect(other.connection).toMatchObject({ generation: 2, state: 'acquired', requests: 0, errors: 0 })
  })

  test('begins at a release where the connection is in use, and no request waits for it', async () => {
    const { borrow, clock, driver, pool } = await comingOfAge()
    const holder = await borrow()
    await clock.advance(1000)
    expect(driver.ledger.connects).toHaveLength(1)
    const waiter = track(pool.acquire())
    holder.release()
    await clock.settle()
    expect(resultOf(waiter).client.id).toBe(1)
    expect(driver.ledger.connecting).toBe(1)
  })

  test('closes the old client gracefully, and destroys it after closeTimeout', async () => {
    const { clock, driver, fate, pool } = await comingOfAge({ closeTimeout: 300 })
    driver.next('close', hang())
    await clock.advance(10)
    expect([fate(1), pool.stats().open]).toEqual(['closing', 2])
    await clock.advance(300)
    expect([fate(1), pool.stats().open]).toEqual(['destroyed', 1])
  })

  test('tells of the closed client once, as rebuilt', async () => {
    const { client, clock, listen } = await comingOfAge()
    const closed = listen('connectionClosed')
    await clock.advance(20)
    expect(closed).toMatchObject([{ connectionId: client(1).connectionId, generation: 1, reason: 'rebuilt' }])
  })

  test('waits while surge is used up by a retired client that is still held', async () => {
    const { borrow, clock, driver, pool } = await comingOfAge()
    const first = await borrow()
    await clock.advance(1)
    first.release()
    const holder = await borrow()
    await clock.advance(20_000)
    expect(pool.stats()).toMatchObject({ retired: 1, marked: 1 })
    expect(driver.ledger.clients).toHaveLength(2)
    holder.release()
    await clock.advance(20)
    expect(pool.connections()).toMatchObject([{ generation: 3 }])
    expect(driver.ledger.maxOpen).toBe(2)
  })

  test('is not begun while the pool is paused, and goes on at resume', async () => {
    const { clock, driver, pool } = await comingOfAge()
    pool.pause()
    await clock.advance(1000)
    expect([pool.stats().marked, driver.ledger.connects.length]).toEqual([1, 1])
    pool.resume()
    await clock.advance(10)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
  })

  test('comes after the connection that a borrower waits for', async () => {
    const { borrowMany, client, clock, driver, pool } = setUp({ maxConnecting: 1, driver: { connectMs: 10 } })
    await borrowMany(2)
    track(pool.rebuildConnectionById(client(1).connectionId))
    await clock.settle()
    track(pool.rebuildConnectionById(client(2).connectionId))
    const waiter = track(pool.acquire())
    await clock.advance(20)
    expect(waiter.status).toBe('fulfilled')
    await clock.advance(20)
    const [first, second, third] = driver.ledger.connects.slice(2).map(({ connectionId }) => connectionId)
    expect([first, third]).toEqual([client(1).connectionId, client(2).connectionId])
    expect(second).toBe(pool.connections()[2]?.id)
  })

  test('takes the check of the successor for a proof', async () => {
    const { clock, pool } = await comingOfAge({ driver: { connectMs: 30, checkMs: 20 } })
    await clock.advance(51)
    expect(pool.connections()).toMatchObject([{ generation: 2, lastProvenAt: clock.wallNow() }])
  })

  test('does not happen to what is surplus: that is closed', async () => {
    const { borrow, clock, driver, pool } = setUp({ idleTimeout: 10_000, ...AGED })
    ;(await borrow()).release()
    await clock.advance(30_000)
    expect(pool.stats().total).toBe(0)
    expect(driver.ledger.connects).toHaveLength(1)
  })
})

describe('planned rebuilds of many', () => {
  const manyOfAge = async (count: number, options: Parameters<typeof setUp>[0] = {}): Promise<TestPool> => {
    const setup = setUp({
      minConnections: count,
      maxConnections: count,
      maxConnecting: count,
      rebuildMaxSurge: count,
      rebuildConcurrency: count,
      rebuildBatchSize: count,
      ...AGED,
      ...options,
    })
    await setup.start()
    expect(setup.driver.ledger.connects.every(({ begunAt }) => begunAt === 1000)).toBe(true)
    await setup.clock.advance(9999)
    return setup
  }
  /** When each rebuild's connect began, ms after all have come of age. */
  const begun = ({ driver }: TestPool, count: number): number[] =>
    driver.ledger.connects.slice(count).map(({ begunAt }) => begunAt - 11_005)

  test('never lower the number of connections in service', async () => {
    const setup = await manyOfAge(5, { rebuildMaxSurge: 1, rebuildBatchDelay: 0 })
    const { clock, pool } = setup
    let least = 5
    clock.onStep = () => {
      least = Math.min(least, pool.connections().filter(({ state }) => state === 'idle').length)
    }
    await clock.advance(1000)
    clock.onStep = undefined
    expect(pool.connections().map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 2])
    expect(least).toBe(5)
    expect(setup.driver.ledger.maxOpen).toBe(6)
  })

  test('run rebuildConcurrency at a time', async () => {
    const setup = await manyOfAge(5, { rebuildConcurrency: 2, driver: { connectMs: 10, checkMs: 10 } })
    await setup.clock.advance(1)
    let most = 0
    setup.clock.onStep = () => {
      most = Math.max(most, setup.pool.stats().rebuildsInFlight)
    }
    await setup.clock.advance(100)
    expect(most).toBe(2)
    expect(begun(setup, 5)).toEqual([5, 5, 25, 25, 45])
  })

  test('run in batches of rebuildBatchSize with rebuildBatchDelay between them', async () => {
    const setup = await manyOfAge(5, { rebuildBatchSize: 2, rebuildBatchDelay: 100, driver: { connectMs: 10, checkMs: 10 } })
    await setup.clock.advance(1000)
    expect(begun(setup, 5)).toEqual([5, 5, 125, 125, 245])
  })

  test('keep within maxConnections + rebuildMaxSurge', async () => {
    const setup = await manyOfAge(5, { rebuildMaxSurge: 2 })
    await setup.clock.advance(1000)
    expect(setup.driver.ledger.maxOpen).toBe(7)
    expect(setup.pool.connections().map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 2])
  })
})

test('a slow successor is no reason to hurry: its check may be slow', async () => {
  const { clock, driver, pool, start } = setUp({ minConnections: 1, ...AGED })
  await start()
  driver.next('check', ok(3000))
  await clock.advance(10_000 + 3004)
  expect(pool.connections()).toMatchObject([{ generation: 1 }])
  await clock.advance(1)
  expect(pool.connections()).toMatchObject([{ generation: 2, health: 'healthy' }])
})
