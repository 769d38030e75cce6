import { describe, expectTypeOf, test } from 'vitest'
import {
  type BatchRebuildResult,
  type ConnectionRecord,
  createPool,
  type Driver,
  type Lease,
  type Pool,
  type PoolStats,
  type RebuildResult,
  type UseContext,
} from 'wellpool'

interface Session {
  send(text: string): Promise<string>
}

declare const driver: Driver<Session>
declare const pool: Pool<Session>

describe('use', () => {
  test('knows the client and the context', () => {
    pool.use((client, context) => {
      expectTypeOf(client).toEqualTypeOf<Session>()
      expectTypeOf(context).toEqualTypeOf<UseContext>()
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(context.attempt).toEqualTypeOf<number>()
    })
  })

  test('gives what its function gives, promised or not', () => {
    expectTypeOf(pool.use((client) => client.send('hello'))).toEqualTypeOf<Promise<string>>()
    expectTypeOf(pool.use(() => 5)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(pool.use(async () => ({ rows: [1] }), { idempotent: true, timeout: '5s' })).toEqualTypeOf<Promise<{ rows: number[] }>>()
    expectTypeOf(pool.use(() => undefined)).toEqualTypeOf<Promise<undefined>>()
  })

  test('refuses options that it does not have', () => {
    // @ts-expect-error: misspelt
    pool.use(() => 1, { idempotant: true })
    // @ts-expect-error: of the wrong type
    pool.use(() => 1, { idempotent: 'yes' })
    // @ts-expect-error: acquire runs nothing again
    pool.acquire({ idempotent: true })
  })
})

describe('leases', () => {
  test('have the driver’s client', async () => {
    expectTypeOf(pool.acquire()).toEqualTypeOf<Promise<Lease<Session>>>()
    expectTypeOf(pool.tryAcquire()).toEqualTypeOf<Lease<Session> | undefined>()
    const lease = await pool.acquire({ timeout: 500, signal: AbortSignal.abort() })
    expectTypeOf(lease.client).toEqualTypeOf<Session>()
    expectTypeOf(lease.connection).toEqualTypeOf<ConnectionRecord>()
    expectTypeOf(lease.release).parameters.toEqualTypeOf<[error?: unknown]>()
    expectTypeOf(lease.release()).toEqualTypeOf<void>()
  })

  test('can be disposed of, at once or awaited', async () => {
    await using lease = await pool.acquire()
    expectTypeOf(lease).toExtend<AsyncDisposable>()
    using other = pool.tryAcquire()
    expectTypeOf(other).toExtend<Disposable | undefined>()
  })

  test('do not let their client be replaced', async () => {
    const lease = await pool.acquire()
    // @ts-expect-error: read-only
    lease.client = { send: async () => '' }
  })
})

describe('options', () => {
  test('take durations as numbers or texts', () => {
    createPool(driver, { acquireTimeout: 500, idleTimeout: '10m', backoff: { base: '50ms', max: 30_000 } })
  })

  test('that are wrong do not compile', () => {
    // @ts-expect-error: no such option
    createPool(driver, { max: 10 })
    // @ts-expect-error: a number
    createPool(driver, { maxConnections: '10' })
    // @ts-expect-error: lifo or fifo
    createPool(driver, { idleOrder: 'random' })
    // @ts-expect-error: no such strategy
    createPool(driver, { rebuildStrategy: 'connection_lost' })
    // @ts-expect-error: no such part
    createPool(driver, { backoff: { minimum: 5 } })
    // What is undefined counts as not given, as it comes from an environment variable that is not set.
    createPool(driver, { maxConnections: undefined })
    // @ts-expect-error: misspelt
    pool.reconfigure({ maxConections: 5 })
    // @ts-expect-error: a logger needs all four levels
    createPool(driver, { logger: { info: () => undefined } })
    // @ts-expect-error: no driver
    createPool({})
  })
})

describe('events', () => {
  test('are typed by name', () => {
    const takeOff = pool.on('rebuildCompleted', (event) => {
      expectTypeOf(event.connectionId).toEqualTypeOf<string>()
      expectTypeOf(event.durationMs).toEqualTypeOf<number>()
      expectTypeOf(event.oldGeneration).toEqualTypeOf<number>()
      expectTypeOf(event.reason.detail).toEqualTypeOf<string>()
    })
    expectTypeOf(takeOff).toEqualTypeOf<() => void>()
    pool.on('connectFailed', ({ error, attempt }) => {
      expectTypeOf(error).toEqualTypeOf<Error>()
      expectTypeOf(attempt).toEqualTypeOf<number>()
    })
    // @ts-expect-error: about the pool, not about one connection
    pool.on('poolPaused', ({ connectionId }) => connectionId)
    // @ts-expect-error: no such event
    pool.on('connected', () => undefined)
  })

  test('can’t be changed by a listener', () => {
    // @ts-expect-error: read-only
    pool.on('connectionClosed', (event) => (event.reason = 'lost'))
  })
})

describe('results', () => {
  test('of rebuilds, records and figures', () => {
    expectTypeOf(pool.rebuildConnectionById('id', { timeout: '1s' })).toEqualTypeOf<Promise<RebuildResult>>()
    expectTypeOf(pool.rebuildConnections({ all: true })).toEqualTypeOf<Promise<BatchRebuildResult>>()
    expectTypeOf(pool.stats()).toEqualTypeOf<PoolStats>()
    expectTypeOf(pool.connections()).toEqualTypeOf<ConnectionRecord[]>()
    expectTypeOf<PoolStats['breaker']>().toEqualTypeOf<'closed' | 'open' | 'half-open'>()
    expectTypeOf<ConnectionRecord['mark']>().toEqualTypeOf<import('wellpool').Mark | undefined>()
  })

  test('of the life cycle', () => {
    expectTypeOf(pool.start({ timeout: '5s' })).toEqualTypeOf<Promise<void>>()
    expectTypeOf(pool.drain({ timeout: 0 })).toEqualTypeOf<Promise<void>>()
    expectTypeOf(pool.close()).toEqualTypeOf<Promise<void>>()
    expectTypeOf(pool.evict({ interruptInUse: true })).toEqualTypeOf<Promise<void>>()
    expectTypeOf(pool.pause({ failWaiting: true })).toEqualTypeOf<void>()
    expectTypeOf(pool.resume()).toEqualTypeOf<void>()
    expectTypeOf(pool).toExtend<AsyncDisposable>()
  })

  test('a pool does not fit where another client is asked for', () => {
    // @ts-expect-error: another client
    const other: Pool<{ rewind(): void }> = pool
    expectTypeOf(other).toBeObject()
  })

  test('no public type is any', () => {
    expectTypeOf(pool.stats()).not.toBeAny()
    expectTypeOf<Parameters<Pool<Session>['use']>[0]>().not.toBeAny()
    expectTypeOf<Driver<Session>['check']>().returns.not.toBeAny()
    expectTypeOf<import('wellpool').WellpoolError['cause']>().toBeUnknown()
  })
})
