import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { type BatchRebuildResult, CircuitOpenError, ConnectionNotFoundError, PoolClosedError, RebuildFailedError } from '../../src/index.ts'
import { fail, hang, ok } from '../../src/testing/index.ts'
import { resultOf, setUp, type TestPool, track } from './set-up.ts'

const refused = (): Error => new Error('refused')

/** So many idle connections, and their ids. */
async function idle(count: number, options: Parameters<typeof setUp>[0] = {}): Promise<TestPool & { readonly ids: string[] }> {
  const setup = setUp({ minConnections: count, maxConnections: count, maxConnecting: count, ...options })
  await setup.start()
  return { ...setup, ids: setup.pool.connections().map(({ id }) => id) }
}

describe('rebuilding one by its id', () => {
  test('rebuilds an idle connection that is not marked, and tells what became of it', async () => {
    const { clock, ids, listen, pool } = await idle(1)
    const told = listen('rebuildMarked', 'rebuildStarted', 'rebuildCompleted')
    const result = await clock.until(pool.rebuildConnectionById(ids[0] as string))
    expect(result).toEqual({
      connectionId: ids[0],
      pool: 'orders',
      protocol: 'fake',
      success: true,
      reason: { kind: 'manual', detail: expect.any(String) },
      oldGeneration: 1,
      newGeneration: 2,
      durationMs: 6,
      timestamp: clock.wallNow(),
    })
    expect(told).toMatchObject([{ reason: { kind: 'manual' }, urgent: false }, { urgent: false }, { newGeneration: 2 }])
  })

  test('rebuilds one that is in use at once; its holder keeps the old client', async () => {
    const { borrow, clock, fate, ids, pool } = await idle(1)
    const lease = await borrow()
    const result = await clock.until(pool.rebuildConnectionById(ids[0] as string))
    expect(result).toMatchObject({ success: true, newGeneration: 2 })
    expect([fate(1), lease.client.id, pool.stats().retired]).toEqual(['open', 1, 1])
    lease.release()
    await clock.advance(1)
    expect([fate(1), fate(2)]).toEqual(['closed', 'open'])
  })

  test('takes one that is marked already for its first reason', async () => {
    const { borrow, clock, ids, listen, pool } = await idle(1, { maxUses: 1 })
    const marked = listen('rebuildMarked')
    pool.pause()
    pool.resume()
    const lease = await borrow()
    pool.pause()
    lease.release()
    await clock.settle()
    expect(marked).toMatchObject([{ reason: { kind: 'max_uses' } }])
    expect(await clock.until(pool.rebuildConnectionById(ids[0] as string))).toMatchObject({ success: true, reason: { kind: 'max_uses' } })
    expect(marked).toHaveLength(1)
  })

  test('with urgent takes it out of service at once', async () => {
    const { clock, fate, ids, pool, states } = await idle(1)
    const rebuild = track(pool.rebuildConnectionById(ids[0] as string, { urgent: true }))
    await clock.settle()
    expect([states(), fate(1)]).toEqual([['rebuilding'], 'destroyed'])
    await clock.advance(5)
    expect(resultOf(rebuild)).toMatchObject({ success: true, newGeneration: 2, reason: { kind: 'manual' } })
  })

  test('with urgent waits for the release of one that is in use', async () => {
    const { borrow, clock, fate, ids, pool } = await idle(1)
    const lease = await borrow()
    const rebuild = track(pool.rebuildConnectionById(ids[0] as string, { urgent: true }))
    await clock.advance(100)
    expect([rebuild.status, fate(1)]).toEqual(['pending', 'open'])
    lease.release()
    await clock.advance(5)
    expect(resultOf(rebuild)).toMatchObject({ success: true, newGeneration: 2 })
  })

  test('that is being rebuilt already joins that rebuild and tells nothing', async () => {
    const { clock, driver, ids, listen, pool } = await idle(1)
    const told = listen('rebuildMarked', 'rebuildStarted', 'rebuildCompleted')
    driver.next('connect', ok(50))
    const first = track(pool.rebuildConnectionById(ids[0] as string))
    await clock.advance(10)
    const second = track(pool.rebuildConnectionById(ids[0] as string))
    await clock.advance(41)
    expect(resultOf(second)).toEqual(resultOf(first))
    expect([told.length, driver.ledger.connects.length]).toEqual([3, 2])
  })

  test('joins an urgent rebuild under way as well', async () => {
    const { client, clock, driver, ids, listen, pool } = await idle(1)
    const marked = listen('rebuildMarked')
    driver.lose(client(1))
    const joined = await clock.until(pool.rebuildConnectionById(ids[0] as string))
    expect(joined).toMatchObject({ success: true, reason: { kind: 'connection_lost' }, newGeneration: 2 })
    expect(marked).toHaveLength(1)
  })

  test('with an id that is unknown, or of a connection that is closed, rejects with CONNECTION_NOT_FOUND', async () => {
    const { clock, ids, pool } = await idle(1, { maxConnections: 2 })
    await expect(pool.rebuildConnectionById('orders-none')).rejects.toBeInstanceOf(ConnectionNotFoundError)
    await clock.until(pool.evict())
    await expect(pool.rebuildConnectionById(ids[0] as string)).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' })
  })

  test('of one that is connecting or closing rejects with CONNECTION_STATE', async () => {
    const { clock, ids, pool } = await idle(1, { maxConnections: 2, driver: { closeMs: 50 } })
    const evicted = pool.evict()
    await expect(pool.rebuildConnectionById(ids[0] as string)).rejects.toMatchObject({ code: 'CONNECTION_STATE' })
    await clock.settle()
    const connecting = pool.connections().find(({ state }) => state === 'connecting')
    await expect(pool.rebuildConnectionById(connecting?.id as string)).rejects.toMatchObject({ code: 'CONNECTION_STATE' })
    await clock.until(evicted)
  })

  test('of one that is being checked comes after the check', async () => {
    const { client, clock, driver, ids, pool } = await idle(1, { healthCheckInterval: 10_000 })
    driver.next('check', ok(300))
    while (client(1).life.checks === 0) await clock.advance(1)
    const rebuild = track(pool.rebuildConnectionById(ids[0] as string))
    await clock.advance(295)
    expect([rebuild.status, driver.ledger.connects.length]).toEqual(['pending', 1])
    await clock.advance(12)
    expect(resultOf(rebuild)).toMatchObject({ success: true })
  })

  test('while the breaker is open rejects with CIRCUIT_OPEN, the connect error as cause', async () => {
    const { clock, driver, ids, listen, pool } = await idle(1, { maxConnections: 2, backoff: { base: 1000, maxWhileWaited: 1000 } })
    const marked = listen('rebuildMarked')
    pool.reconfigure({ minConnections: 2 })
    driver.next('connect', fail(refused()))
    await clock.settle()
    const rebuild = track(pool.rebuildConnectionById(ids[0] as string))
    await clock.settle()
    expect(rebuild.error).toBeInstanceOf(CircuitOpenError)
    expect(rebuild.error).toMatchObject({ cause: { cause: { message: 'refused' } } })
    expect([marked.length, pool.stats().marked]).toEqual([0, 0])
  })

  test.each([
    ['connect', 'connect'],
    ['check', 'check'],
  ] as const)('that fails at its %s resolves without success, and the mark stays', async (stage, hook) => {
    const { clock, driver, fate, ids, pool } = await idle(1)
    driver.next(hook, fail(refused(), 1))
    const result = await clock.until(pool.rebuildConnectionById(ids[0] as string))
    expect(result).toMatchObject({ success: false, stage, error: { cause: { message: 'refused' } }, oldGeneration: 1 })
    expect(result).not.toHaveProperty('newGeneration')
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'idle', mark: { kind: 'manual', urgent: false } }])
    expect(fate(1)).toBe('open')
    await clock.advance(1000)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
  })

  test('urgently that fails resolves without success, and the pool refills itself', async () => {
    const { clock, driver, fate, ids, pool } = await idle(1)
    driver.next('connect', fail(refused(), 1))
    const result = await clock.until(pool.rebuildConnectionById(ids[0] as string, { urgent: true }))
    expect(result).toMatchObject({ success: false, stage: 'connect' })
    await clock.advance(1000)
    expect(fate(1)).toBe('destroyed')
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'idle' }])
    expect(pool.connections()[0]?.id).not.toBe(ids[0])
  })

  test('rejects with the reason of its signal, which ends the wait and not the rebuild', async () => {
    const { clock, driver, ids, pool } = await idle(1)
    driver.next('connect', ok(50))
    const controller = new AbortController()
    const rebuild = track(pool.rebuildConnectionById(ids[0] as string, { signal: controller.signal }))
    await clock.advance(10)
    controller.abort(new Error('no patience'))
    await clock.settle()
    expect(rebuild.error).toMatchObject({ message: 'no patience' })
    expect(pool.connections()).toMatchObject([{ mark: { kind: 'manual' } }])
    await clock.advance(41)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
  })

  test('with a signal that is aborted already marks nothing', async () => {
    const { ids, pool } = await idle(1)
    const rebuild = pool.rebuildConnectionById(ids[0] as string, { signal: AbortSignal.abort(new Error('too late')) })
    await expect(rebuild).rejects.toThrow('too late')
    expect(pool.stats().marked).toBe(0)
  })

  test('after close rejects with POOL_CLOSED', async () => {
    const { clock, ids, pool } = await idle(1)
    await clock.until(pool.close())
    await expect(pool.rebuildConnectionById(ids[0] as string)).rejects.toBeInstanceOf(PoolClosedError)
    await expect(pool.rebuildConnections()).rejects.toBeInstanceOf(PoolClosedError)
  })

  test('is not held up by the batches of the pool', async () => {
    const { clock, ids, pool } = await idle(4, { rebuildConcurrency: 1, rebuildMaxSurge: 2, driver: { connectMs: 50 } })
    const batch = track(pool.rebuildConnections({ all: true }))
    await clock.advance(10)
    const byId = track(pool.rebuildConnectionById(ids[3] as string))
    await clock.advance(51)
    expect(resultOf(byId)).toMatchObject({ success: true })
    expect(pool.connections().map(({ generation }) => generation)).toEqual([2, 1, 1, 2])
    await clock.advance(1000)
    expect(resultOf(batch)).toMatchObject({ total: 4, succeeded: 4 })
  })
})

describe('without surge', () => {
  test('a connection in use waits for its release', async () => {
    const { borrow, clock, fate, ids, pool } = await idle(1, { rebuildMaxSurge: 0 })
    const lease = await borrow()
    const rebuild = track(pool.rebuildConnectionById(ids[0] as string))
    await clock.advance(1000)
    expect([rebuild.status, fate(1)]).toEqual(['pending', 'open'])
    lease.release()
    await clock.advance(7)
    expect(resultOf(rebuild)).toMatchObject({ success: true, newGeneration: 2 })
    expect(fate(1)).toBe('closed')
  })

  test.each([
    [{ timeout: 300 }, 300],
    [{}, 30_000],
  ])('past timeout rejects with CONNECTION_BUSY, and the mark stays: %j', async (options, timeout) => {
    const { borrow, clock, ids, pool } = await idle(1, { rebuildMaxSurge: 0 })
    const lease = await borrow()
    const rebuild = track(pool.rebuildConnectionById(ids[0] as string, options))
    await clock.advance(timeout - 1)
    expect(rebuild.status).toBe('pending')
    await clock.advance(1)
    expect(rebuild.error).toMatchObject({ code: 'CONNECTION_BUSY' })
    expect(pool.connections()).toMatchObject([{ state: 'acquired', mark: { kind: 'manual' } }])
    lease.release()
    await clock.advance(10)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
  })
})

describe('rebuilding several', () => {
  test('takes what is marked or due, and nothing else', async () => {
    const { borrowMany, clock, pool } = await idle(3, { maxUses: 2, rebuildCheckInterval: 0 })
    for (const lease of await borrowMany(3)) lease.release()
    pool.pause()
    const [due] = pool.connections()
    pool.reconfigure({ maxUses: 1 })
    pool.reconfigure({ maxUses: 2 })
    expect(due?.uses).toBe(1)
    pool.resume()
    const none = await clock.until(pool.rebuildConnections())
    expect(none).toMatchObject({ total: 0, succeeded: 0, failed: 0, skipped: 0, results: [], cancelled: false })
    pool.reconfigure({ maxUses: 1 })
    const all = await clock.until(pool.rebuildConnections())
    expect(all).toMatchObject({ total: 3, succeeded: 3, byProtocol: { fake: { total: 3, succeeded: 3, failed: 0, skipped: 0 } } })
    expect(all.results.map(({ reason }) => reason.kind)).toEqual(['max_uses', 'max_uses', 'max_uses'])
  })

  test('with all takes every connection, a few at a time, and never lowers the number in service', async () => {
    const { clock, driver, pool } = await idle(6, { rebuildMaxSurge: 2, rebuildConcurrency: 2, rebuildBatchSize: 4 })
    const batch = track(pool.rebuildConnections({ all: true }))
    const opened: number[] = []
    for (let ms = 0; ms < 300; ms++) {
      await clock.advance(1)
      opened.push(driver.ledger.connecting)
      expect(pool.stats().idle).toBe(6)
    }
    expect(Math.max(...opened)).toBe(2)
    const result = resultOf(batch)
    expect(result).toMatchObject({ total: 6, succeeded: 6, failed: 0, skipped: 0 })
    expect(result.endedAt - result.startedAt).toBe(result.durationMs)
    expect(pool.connections().map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 2, 2])
    expect(driver.ledger.maxOpen).toBe(8)
  })

  test('resolves when some fail, and goes on with the others', async () => {
    const { clock, driver, pool } = await idle(3, { rebuildConcurrency: 1, maxConnecting: 1 })
    driver.next('check', ok(1), fail(refused(), 1), ok(1))
    const result = await clock.until(pool.rebuildConnections({ all: true }))
    expect(result).toMatchObject({ total: 3, succeeded: 2, failed: 1, skipped: 0, cancelled: false })
    expect(result.results.filter(({ success }) => !success)).toMatchObject([{ stage: 'check' }])
  })

  test('goes on when the breaker lets it after a failed connect', async () => {
    const { clock, driver, pool } = await idle(3, { rebuildConcurrency: 1, maxConnecting: 1, backoff: { base: 200 } })
    driver.next('connect', ok(5), fail(refused(), 5))
    const result = await clock.until(pool.rebuildConnections({ all: true }))
    expect(result).toMatchObject({ total: 3, succeeded: 2, failed: 1 })
  })

  test('throws REBUILD_FAILED with the result on it when all fail', async () => {
    const { clock, driver, pool } = await idle(2)
    driver.next('check', fail(refused(), 1), fail(refused(), 1))
    const error: unknown = await clock.until(
      pool.rebuildConnections({ all: true }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      ),
    )
    expect(error).toBeInstanceOf(RebuildFailedError)
    const { result } = error as { result: BatchRebuildResult }
    expect(result).toMatchObject({ total: 2, failed: 2, succeeded: 0 })
    expect(result.results).toHaveLength(2)
  })

  test('skips and unmarks what could not begin within timeout', async () => {
    const { clock, driver, pool } = await idle(3, { rebuildConcurrency: 1, driver: { connectMs: 100 } })
    const batch = track(pool.rebuildConnections({ all: true, timeout: 150 }))
    await clock.advance(50)
    expect(pool.stats().marked).toBe(3)
    await clock.advance(250)
    expect(resultOf(batch)).toMatchObject({ total: 3, succeeded: 2, skipped: 1, failed: 0, cancelled: false })
    expect(pool.stats().marked).toBe(0)
    expect(driver.ledger.connects).toHaveLength(5)
  })

  test('leaves the mark of what was marked before, although it is skipped', async () => {
    const { borrowMany, clock, pool } = await idle(2, { rebuildMaxSurge: 0 })
    const leases = await borrowMany(2)
    track(pool.rebuildConnectionById(leases[0]?.connection.id as string, { timeout: 1 }))
    await clock.advance(1)
    const batch = track(pool.rebuildConnections({ all: true, timeout: 10 }))
    await clock.advance(10)
    expect(resultOf(batch)).toMatchObject({ total: 2, skipped: 2 })
    expect(leases.map((lease) => lease.connection.mark?.kind)).toEqual(['manual', undefined])
    for (const lease of leases) lease.release()
  })

  test('an abort skips what has not begun, and resolves with cancelled when the rest has ended', async () => {
    const { clock, pool } = await idle(3, { rebuildConcurrency: 1, driver: { connectMs: 100 } })
    const controller = new AbortController()
    const batch = track(pool.rebuildConnections({ all: true, signal: controller.signal }))
    await clock.advance(50)
    controller.abort()
    await clock.settle()
    expect(batch.status).toBe('pending')
    await clock.advance(51)
    expect(resultOf(batch)).toMatchObject({ total: 3, succeeded: 1, skipped: 2, cancelled: true })
    await clock.advance(1000)
    expect(pool.connections().map(({ generation }) => generation)).toEqual([2, 1, 1])
    expect(pool.stats().marked).toBe(0)
  })

  test('puts one listener on its signal, however many connections there are, and takes it off again', async () => {
    const { clock, pool } = await idle(12, { maxConnections: 12 })
    const { signal } = new AbortController()
    const batch = pool.rebuildConnections({ all: true, signal })
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    expect(await clock.until(batch)).toMatchObject({ total: 12, succeeded: 12, cancelled: false })
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('of an empty pool has nothing to do', async () => {
    const { clock, pool } = setUp()
    expect(await clock.until(pool.rebuildConnections({ all: true }))).toMatchObject({ total: 0, cancelled: false, byProtocol: {} })
  })

  test('is rejected with POOL_CLOSED when the pool closes meanwhile', async () => {
    const { clock, driver, pool } = await idle(2)
    driver.always('connect', hang())
    const batch = track(pool.rebuildConnections({ all: true }))
    await clock.advance(10)
    await clock.until(pool.close())
    expect(batch.error).toBeInstanceOf(PoolClosedError)
  })
})

test('a batch that runs out of time leaves the mark that another call waits for', async () => {
  const { borrow, clock, pool } = setUp({ maxConnections: 1, rebuildMaxSurge: 0 })
  const lease = await borrow()
  const batch = track(pool.rebuildConnections({ all: true, timeout: 100 }))
  const one = track(pool.rebuildConnectionById(lease.connection.id, { timeout: 10_000 }))
  await clock.advance(101)
  expect(resultOf(batch)).toMatchObject({ total: 1, skipped: 1 })
  expect(pool.connections()).toMatchObject([{ mark: { kind: 'manual' } }])
  lease.release()
  await clock.advance(100)
  expect(resultOf(one)).toMatchObject({ success: true, newGeneration: 2 })
})

test('a batch that runs out of time leaves the mark that the peer has asked for meanwhile', async () => {
  const { borrow, client, clock, driver, pool } = setUp({ maxConnections: 1, rebuildMaxSurge: 0 })
  const lease = await borrow()
  const batch = track(pool.rebuildConnections({ all: true, timeout: 100 }))
  await clock.advance(10)
  driver.retire(client(1))
  await clock.advance(91)
  expect(resultOf(batch)).toMatchObject({ total: 1, skipped: 1 })
  expect(pool.connections()).toMatchObject([{ mark: { kind: 'manual' } }])
  lease.release()
  await clock.advance(100)
  expect(pool.connections()).toMatchObject([{ generation: 2 }])
})

test('a batch that runs out of time leaves the mark of what has come of age meanwhile', async () => {
  const { borrow, clock, pool } = setUp({ maxConnections: 1, rebuildMaxSurge: 0, maxLifetime: 1000, maxLifetimeJitter: 0 })
  await borrow()
  const batch = track(pool.rebuildConnections({ all: true, timeout: 2000 }))
  await clock.advance(2001)
  expect(resultOf(batch)).toMatchObject({ total: 1, skipped: 1 })
  expect(pool.connections()).toMatchObject([{ mark: { kind: 'max_lifetime' } }])
})
