import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError } from '../../src/index.ts'
import { resultOf, setUp, type Tracked, track } from './set-up.ts'

const DAY = 24 * 60 * 60 * 1000

describe('a time-out', () => {
  test('of acquireTimeout ends the wait to the millisecond, with the numbers', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1, acquireTimeout: 3000 })
    await borrow()
    const first = track(pool.acquire())
    await clock.advance(1000)
    const second = track(pool.acquire())
    await clock.advance(1999)
    expect(first.status).toBe('pending')
    await clock.advance(1)
    expect(first.error).toBeInstanceOf(AcquireTimeoutError)
    expect(first.error).toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      retryable: true,
      verdict: 'saturated',
      waitedMs: 3000,
      total: 1,
      idle: 0,
      acquired: 1,
      waiting: 2,
    })
    expect(second.status).toBe('pending')
    await clock.advance(1000)
    expect(second.error).toMatchObject({ waitedMs: 3000, waiting: 1 })
    expect(pool.stats()).toMatchObject({ waiting: 0, acquireTimeouts: 2 })
  })

  test('of the call stands before acquireTimeout', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1, acquireTimeout: 3000 })
    await borrow()
    const short = track(pool.acquire({ timeout: 10 }))
    const long = track(pool.acquire({ timeout: 5000 }))
    await clock.advance(10)
    expect(short.error).toMatchObject({ waitedMs: 10 })
    await clock.advance(4989)
    expect(long.status).toBe('pending')
    await clock.advance(1)
    expect(long.error).toMatchObject({ waitedMs: 5000 })
  })

  test('of 0 means now: what is idle is lent, otherwise the call rejects without waiting', async () => {
    const { borrow, pool } = setUp({ maxConnections: 1 })
    const lease = await borrow()
    await expect(pool.acquire({ timeout: 0 })).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT', waitedMs: 0 })
    lease.release()
    expect((await pool.acquire({ timeout: 0 })).client).toBe(lease.client)
  })

  test.each([
    ['acquireTimeout 0', { acquireTimeout: 0 }, {}],
    ['timeout Infinity', {}, { timeout: Number.POSITIVE_INFINITY }],
  ])('never comes with %s', async (_, options, call) => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1, ...options })
    const lease = await borrow()
    const waiter = track(pool.acquire(call))
    await clock.advance(DAY)
    expect(waiter.status).toBe('pending')
    lease.release()
    await clock.settle()
    expect(waiter.status).toBe('fulfilled')
  })

  test('leaves the others in their order', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const holder = await borrow()
    const waiters = [pool.acquire({ timeout: 1000 }), pool.acquire({ timeout: 10 }), pool.acquire({ timeout: 2000 })].map(track)
    await clock.advance(10)
    holder.release()
    await clock.settle()
    expect(waiters.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'pending'])
  })
})

describe('an abort', () => {
  test('rejects with the reason of the signal, at once', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    await borrow()
    const controller = new AbortController()
    const waiter = track(pool.acquire({ signal: controller.signal }))
    await clock.advance(10)
    const reason = { the: 'reason' }
    controller.abort(reason)
    await clock.settle()
    expect(waiter.error).toBe(reason)
    expect(pool.stats()).toMatchObject({ waiting: 0, acquireTimeouts: 0 })
  })

  test('before the call rejects although a connection is idle', async () => {
    const { borrow, pool } = setUp()
    const lease = await borrow()
    lease.release()
    await expect(pool.acquire({ signal: AbortSignal.abort('no') })).rejects.toBe('no')
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 1 })
  })

  test('after the lease was handed out changes nothing', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const holder = await borrow()
    const controller = new AbortController()
    const waiter = track(pool.acquire({ signal: controller.signal }))
    holder.release()
    await clock.settle()
    controller.abort()
    await clock.settle()
    expect(resultOf(waiter).released).toBe(false)
    expect(pool.stats().acquired).toBe(1)
  })

  test('takes the borrower out of the queue, and the next one is served', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const holder = await borrow()
    const controller = new AbortController()
    const waiters = [pool.acquire({ signal: controller.signal }), pool.acquire()].map(track)
    controller.abort()
    holder.release()
    await clock.settle()
    expect(waiters.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })

  test('leaves no listener on the signal however the wait ends', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const { signal } = new AbortController()
    const first = await clock.until(pool.acquire({ signal }))
    const timedOut = track(pool.acquire({ signal, timeout: 10 }))
    await clock.advance(10)
    expect(timedOut.status).toBe('rejected')
    const waiter = track(pool.acquire({ signal }))
    first.release()
    await clock.settle()
    resultOf(waiter).release()
    ;(await borrow()).release()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('of a signal that a crowd waits under ends all of its waits, with one listener on it', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const holder = await borrow()
    const controller = new AbortController()
    const { signal } = controller
    const crowd: Tracked<unknown>[] = Array.from({ length: 20 }, () => track(pool.acquire({ signal })))
    crowd.push(track(pool.use(() => {}, { signal })), track(pool.rebuildConnectionById(holder.connection.id, { signal })))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    controller.abort(new Error('shutdown'))
    await clock.settle()
    expect(crowd.map(({ error }) => error)).toEqual(crowd.map(() => signal.reason))
    expect(getEventListeners(signal, 'abort')).toEqual([])
    holder.release()
  })
})
