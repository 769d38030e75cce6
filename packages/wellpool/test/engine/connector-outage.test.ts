import { describe, expect, test } from 'vitest'
import type { PoolOptions } from '../../src/index.ts'
import { type FakeClient, type FakeDriver, fail, hang, ok } from '../../src/testing/index.ts'
import { served, setUp, type TestPool, track } from './set-up.ts'

const refused = (): Error => new Error('refused')

/** When the connects began, ms after the first. */
function begun({ driver }: TestPool): number[] {
  const [first] = driver.ledger.connects
  return driver.ledger.connects.map(({ begunAt }) => begunAt - (first?.begunAt ?? 0))
}

describe('after a failed connect', () => {
  test('the breaker is open until the next try, half-open during it, and closed when it succeeds', async () => {
    const setup = setUp({ backoff: { base: 100, maxWhileWaited: 1000 } })
    const { clock, driver, listen, pool } = setup
    const told = listen('breakerOpened', 'breakerHalfOpened', 'breakerClosed', 'connectFailed')
    driver.next('connect', fail(refused(), 5), ok(5))
    const waiter = track(pool.acquire())
    await clock.advance(5)
    expect(pool.stats().breaker).toBe('open')
    await clock.advance(49)
    expect(pool.stats()).toMatchObject({ breaker: 'open', connecting: 0 })
    await clock.advance(1)
    expect(pool.stats()).toMatchObject({ breaker: 'half-open', connecting: 1 })
    await clock.advance(5)
    expect([pool.stats().breaker, waiter.status]).toEqual(['closed', 'fulfilled'])
    expect(told).toMatchObject([{ attempt: 1 }, { retryInMs: 50, error: { cause: { message: 'refused' } } }, {}, {}])
    expect(told).toHaveLength(4)
  })

  test('the waits are drawn from the whole of base, doubled at each try, up to max', async () => {
    const setup = setUp({ minConnections: 1, random: () => 0.999_999, backoff: { base: 100, max: 1000 } })
    setup.driver.always('connect', fail(refused()))
    void setup.pool.start({ timeout: 1 }).catch(() => {})
    await setup.clock.advance(6000)
    const waits = begun(setup).map((at, index, all) => at - (all[index - 1] ?? 0))
    expect(waits.slice(1)).toEqual([100, 200, 400, 800, 1000, 1000, 1000, 1000])
    setup.driver.always('connect', ok(5))
  })

  test.each([
    [0.25, [25, 75, 175, 375]],
    [0.5, [50, 150, 350, 750]],
  ])('a draw of %d makes the tries begin after %j ms', async (share, expected) => {
    const setup = setUp({ minConnections: 1, random: () => share, backoff: { base: 100, max: 10_000 } })
    setup.driver.always('connect', fail(refused()))
    void setup.pool.start({ timeout: 1 }).catch(() => {})
    await setup.clock.advance(800)
    expect(begun(setup).slice(1, 5)).toEqual(expected)
  })

  test('the waits do not exceed maxWhileWaited as long as somebody waits', async () => {
    const setup = setUp({ random: () => 0.999_999, backoff: { base: 100, max: 10_000, maxWhileWaited: 250 } })
    setup.driver.always('connect', fail(refused()))
    const waiter = track(setup.pool.acquire())
    await setup.clock.advance(1400)
    expect(waiter.status).toBe('pending')
    const waits = begun(setup).map((at, index, all) => at - (all[index - 1] ?? 0))
    expect(waits.slice(1)).toEqual([100, 200, 250, 250, 250, 250])
  })

  test('a borrower that comes during a long wait shortens it', async () => {
    const setup = setUp({ minConnections: 1, random: () => 0.999_999, backoff: { base: 10_000, max: 30_000, maxWhileWaited: 250 } })
    setup.driver.next('connect', fail(refused()))
    void setup.pool.start({ timeout: 1 }).catch(() => {})
    await setup.clock.advance(3000)
    expect(begun(setup)).toEqual([0])
    const waiter = track(setup.pool.acquire())
    await setup.clock.advance(5)
    expect([begun(setup), waiter.status]).toEqual([[0, 3000], 'fulfilled'])
  })

  test('nothing is tried any more when nobody needs a connection', async () => {
    const { clock, driver, pool } = setUp({ backoff: { base: 100, maxWhileWaited: 1000 } })
    driver.always('connect', fail(refused()))
    const waiter = track(pool.acquire({ timeout: 2000 }))
    await clock.advance(2000)
    expect(waiter.error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', verdict: 'down' })
    const tries = driver.ledger.connects.length
    await clock.advance(60_000)
    expect(driver.ledger.connects.length).toBe(tries)
  })

  test('a success ends the row: the next failure begins with the first wait', async () => {
    const { clock, driver, listen, pool } = setUp({
      maxConnecting: 1,
      random: () => 0.999_999,
      backoff: { base: 100, maxWhileWaited: 10_000 },
    })
    const opened = listen('breakerOpened')
    driver.next('connect', fail(refused()), fail(refused()), fail(refused()), ok(0), fail(refused()))
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(2000)
    expect(served(waiters)).toHaveLength(2)
    expect(opened.map(({ retryInMs }) => retryInMs)).toEqual([100, 200, 400, 100])
  })
})

describe('an outage', () => {
  /** Four leases and six waiters more when the endpoint is back. */
  const outage = async (options: PoolOptions = {}): Promise<TestPool & { readonly waiters: ReturnType<typeof track>[] }> => {
    const setup = setUp({ maxConnections: 10, maxConnecting: 4, backoff: { base: 100, maxWhileWaited: 100 }, ...options })
    setup.driver.next('connect', fail(refused(), 1), fail(refused(), 2), fail(refused(), 2), fail(refused(), 2))
    const waiters = Array.from({ length: 10 }, () => track(setup.pool.acquire()))
    await setup.clock.advance(40)
    return { ...setup, waiters }
  }

  test('is one failure, however many connects were under way', async () => {
    const { clock, listen, pool, driver } = setUp({ maxConnecting: 4, backoff: { base: 100, maxWhileWaited: 100 } })
    const opened = listen('breakerOpened')
    const failed = listen('connectFailed')
    driver.next('connect', fail(refused(), 1), fail(refused(), 2), fail(refused(), 2), fail(refused(), 2))
    for (let waiter = 0; waiter < 4; waiter++) track(pool.acquire())
    await clock.advance(40)
    expect([failed.length, opened.length]).toEqual([4, 1])
  })

  test('is followed by one connect, then two, and so on up to maxConnecting', async () => {
    const { clock, driver, waiters } = await outage()
    driver.always('connect', ok(10))
    const seen: number[] = []
    for (let ms = 0; ms < 80; ms++) {
      await clock.advance(1)
      const { connecting } = driver.ledger
      if (connecting > 0 && connecting !== seen.at(-1)) seen.push(connecting)
    }
    expect(seen.slice(0, 2)).toEqual([1, 2])
    expect(Math.max(...seen)).toBe(4)
    expect(served(waiters)).toHaveLength(10)
  })

  test('has exactly one try in flight while the breaker is half-open', async () => {
    const { clock, driver, pool } = await outage()
    driver.always('connect', hang())
    await clock.advance(20)
    expect(pool.stats()).toMatchObject({ breaker: 'half-open', connecting: 1 })
    await clock.advance(5000)
    expect([driver.ledger.connecting, pool.stats().breaker]).toEqual([1, 'half-open'])
  })

  test('whose try hangs goes on with the next one after connectTimeout', async () => {
    const { clock, driver, pool, waiters } = await outage({ connectTimeout: 500 })
    driver.next('connect', hang())
    await clock.advance(511)
    expect(pool.stats()).toMatchObject({ breaker: 'open', connecting: 0 })
    await clock.advance(200)
    expect(served(waiters)).toHaveLength(10)
  })

  test('gives up what still connects from before when the try begins', async () => {
    const setup = setUp({ maxConnecting: 2, connectTimeout: 10_000, backoff: { base: 100, maxWhileWaited: 100 } })
    const { clock, driver, pool } = setup
    driver.next('connect', fail(refused(), 1), { do: 'hang', ignoreAbort: false })
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(60)
    expect(driver.ledger.connects[1]).toMatchObject({ givenUpAt: 1051 })
    await clock.advance(20)
    expect(served(waiters)).toEqual([0, 1])
  })

  test('ends when a connect from before it succeeds after all', async () => {
    const { clock, driver, listen, pool } = setUp({ maxConnecting: 2, backoff: { base: 1000, maxWhileWaited: 1000 } })
    const closed = listen('breakerClosed')
    driver.next('connect', fail(refused(), 1), ok(20))
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(30)
    expect([closed.length, pool.stats().breaker]).toEqual([1, 'closed'])
    expect(served(waiters)).toEqual([0, 1])
  })

  test('is over for minConnections without any call', async () => {
    const { client, clock, driver, pool, start } = setUp({ minConnections: 3, maxConnections: 3, backoff: { base: 50, max: 1000 } })
    await start()
    driver.always('connect', fail(refused(), 1))
    for (const id of [1, 2, 3]) driver.lose(client(id))
    await clock.advance(20_000)
    expect(pool.stats()).toMatchObject({ total: 0 })
    driver.always('connect', ok(5))
    await clock.advance(1000 + 3 * 5)
    expect(pool.stats()).toMatchObject({ total: 3, breaker: 'closed' })
  })
})

describe('a connect error that is fatal', () => {
  const classify = (error: unknown): 'fatal' | 'transient' => ((error as Error).message === 'password wrong' ? 'fatal' : 'transient')
  const wrong = fail(new Error('password wrong'), 1)

  test('rejects who waits with it, when no connection is present', async () => {
    const { clock, driver, pool } = setUp({ driver: { classify } })
    driver.always('connect', wrong)
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(1)
    for (const { error } of waiters)
      expect(error).toMatchObject({ code: 'CONNECT_FAILED', retryable: false, cause: { message: 'password wrong' } })
  })

  test('leaves those in the queue whom a present connection can serve', async () => {
    const { borrow, clock, driver, pool } = setUp({ driver: { classify } })
    const lease = await borrow()
    driver.always('connect', wrong)
    const waiter = track(pool.acquire())
    await clock.advance(100)
    expect(waiter.status).toBe('pending')
    lease.release()
    await clock.settle()
    expect(waiter.status).toBe('fulfilled')
  })

  test('is not retried at the shorter cap, although somebody waits', async () => {
    const setup = setUp({
      random: () => 0.999_999,
      backoff: { base: 10_000, max: 30_000, maxWhileWaited: 100 },
      driver: { classify },
    })
    setup.driver.always('connect', wrong)
    track(setup.pool.acquire())
    await setup.clock.advance(10)
    for (let borrower = 0; borrower < 50; borrower++) {
      track(setup.pool.acquire({ timeout: 90 }))
      await setup.clock.advance(100)
    }
    expect(begun(setup)).toEqual([0])
    await setup.clock.advance(5000)
    setup.driver.always('connect', ok(1))
  })
})

describe('an endpoint that accepts, and then wants to know nothing of its clients, is not connected to as fast as it can be', () => {
  const ways: [string, (driver: FakeDriver, client: FakeClient) => void][] = [
    ['hangs up', (driver, client) => driver.lose(client)],
    ['sends them away', (driver, client) => driver.retire(client)],
  ]
  test.each(ways)('%s', async (_, end) => {
    const { clock, driver, pool } = setUp({ minConnections: 2, driver: { connectMs: 1 } })
    const off = pool.on('connectionCreated', ({ connectionId }) => {
      for (const { client } of driver.ledger.present()) if (client.connectionId === connectionId) end(driver, client)
    })
    void track(pool.start({ timeout: '1h' }))
    await clock.advance(60_000)
    expect(driver.ledger.connects.length).toBeLessThan(40)
    off()
    await clock.advance(31_000)
    expect(pool.stats()).toMatchObject({ idle: 2, breaker: 'closed' })
  })

  test('hangs up on whoever uses it', async () => {
    const { clock, driver, pool } = setUp({ driver: { connectMs: 1 } })
    let failed = 0
    const caller = async (): Promise<void> => {
      while (failed < 1000) {
        const use = pool.use((client) => {
          driver.lose(client)
          return new Promise(() => {})
        })
        await use.catch(() => failed++)
      }
    }
    void Promise.all([caller(), caller()])
    await clock.advance(10_000)
    // The shorter cap of 250 ms holds, because somebody waits: every 125 ms one, and a second that is given up with its end.
    expect(driver.ledger.connects.length).toBeLessThan(180)
    expect(pool.stats().breaker).not.toBe('closed')
    void pool.close({ timeout: 0 })
  })

  test('unless one that has come since fares better: all are lost under their first borrowers, again and again', async () => {
    const { clock, driver, listen, pool } = setUp({ minConnections: 8, driver: { connectMs: 1 } })
    const opened = listen('breakerOpened')
    for (let round = 0; round < 5; round++) {
      const waiting = Array.from({ length: 8 }, () => pool.acquire())
      await clock.advance(100)
      const [newest, ...others] = (await Promise.all(waiting)).reverse()
      newest?.release()
      for (const { client } of others) driver.lose(client)
    }
    expect(driver.ledger.connects.length).toBeGreaterThan(5 * 7)
    expect(opened).toEqual([])
  })

  test.each(['release', Symbol.dispose] as const)('unless it hangs up after one use each, told of by %s', async (end) => {
    const { clock, driver, listen, pool } = setUp({ driver: { connectMs: 1 } })
    const opened = listen('breakerOpened')
    for (let uses = 0; uses < 100; uses++) {
      const waiting = pool.acquire()
      await clock.advance(2)
      const lease = await waiting
      lease[end]()
      driver.lose(lease.client)
    }
    expect(opened).toEqual([])
  })
})
