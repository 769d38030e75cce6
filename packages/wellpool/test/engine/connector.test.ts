import { describe, expect, test } from 'vitest'
import type { PoolOptions } from '../../src/index.ts'
import { type FakeCall, fail, type HeldCall, hang, ok } from '../../src/testing/index.ts'
import { served, setUp, type TestPool, track } from './set-up.ts'

const refused = (): Error => new Error('refused')

/** A source of chance that gives these numbers, and then the last of them for ever. */
function chance(...values: number[]): () => number {
  let next = 0
  return () => values[Math.min(next++, values.length - 1)] as number
}

/** When the connects began, ms after the first. */
function begun({ driver }: TestPool): number[] {
  const [first] = driver.ledger.connects
  return driver.ledger.connects.map(({ begunAt }) => begunAt - (first?.begunAt ?? 0))
}

describe('connects at the same time', () => {
  test('are at most maxConnecting', async () => {
    const { driver, pool, clock } = setUp({ maxConnections: 10, maxConnecting: 3 })
    const waiters = Array.from({ length: 10 }, () => track(pool.acquire()))
    await clock.settle()
    expect([driver.ledger.connecting, pool.stats().connecting]).toEqual([3, 3])
    await clock.advance(5)
    expect([driver.ledger.connecting, served(waiters)]).toEqual([3, [0, 1, 2]])
    await clock.advance(15)
    expect(served(waiters)).toHaveLength(10)
  })

  test('are at most maxConnecting, rebuilds and minConnections and waiters together', async () => {
    const { client, clock, driver, pool, start } = setUp({ minConnections: 4, maxConnections: 10, maxConnecting: 2 })
    await start()
    driver.lose(client(1))
    driver.lose(client(2))
    void pool.rebuildConnectionById(client(3).connectionId)
    const waiters = Array.from({ length: 6 }, () => track(pool.acquire()))
    let most = 0
    for (let ms = 0; ms < 60; ms++) {
      most = Math.max(most, driver.ledger.connecting)
      await clock.advance(1)
    }
    expect(most).toBe(2)
    expect(served(waiters)).toHaveLength(6)
  })
})

describe('an attempt', () => {
  test('is given the id of its connection, its number, and a signal', async () => {
    const calls: FakeCall[] = []
    const { borrow, driver, pool } = setUp({ driver: { onCall: (call) => call.hook === 'connect' && calls.push(call) } })
    driver.next('connect', fail(refused()), fail(refused()))
    await borrow()
    expect(calls.map(({ context }) => context?.attempt)).toEqual([1, 2, 3])
    expect(calls[2]?.context?.connectionId).toBe(pool.connections()[0]?.id)
    expect(calls.map(({ signal }) => signal?.aborted)).toEqual([false, false, false])
  })

  test('that takes longer than connectTimeout fails, leaves open at once, and what arrives later is destroyed', async () => {
    const { clock, driver, fate, listen, pool } = setUp({ connectTimeout: 100 })
    const failed = listen('connectFailed')
    driver.next('connect', { do: 'fulfil', afterMs: 150, ignoreAbort: true })
    const waiter = track(pool.acquire())
    await clock.advance(99)
    expect([failed.length, driver.ledger.open]).toEqual([0, 1])
    await clock.advance(1)
    expect(failed).toMatchObject([{ attempt: 1, error: { code: 'CONNECT_FAILED', message: expect.stringContaining('100 ms') } }])
    expect(driver.ledger.connects[0]?.givenUpAt).toBe(driver.ledger.connects[0]?.begunAt === undefined ? 0 : 1100)
    await clock.advance(50)
    expect(fate(driver.ledger.clients.find(({ stray }) => stray)?.client.id as number)).toBe('destroyed')
    expect(waiter.status).toBe('fulfilled')
    expect(pool.stats().total).toBe(1)
  })

  test.each([
    ['without a client', { do: 'fulfil', client: 'none' }],
    ['with a client that is present already', { do: 'fulfil', client: 'present' }],
  ] as const)('that ends %s has failed', async (_, outcome) => {
    const { borrow, clock, driver, fate, listen, pool } = setUp()
    const failed = listen('connectFailed')
    await borrow()
    driver.next('connect', outcome)
    const waiter = track(pool.acquire())
    await clock.settle()
    expect(failed).toMatchObject([{ error: { code: 'CONNECT_FAILED' } }])
    expect([fate(1), pool.stats().open]).toEqual(['open', 1])
    await clock.advance(100)
    expect(waiter.status).toBe('fulfilled')
  })

  test('that throws instead of rejecting has failed as well', async () => {
    const { clock, driver, listen, pool } = setUp()
    const failed = listen('connectFailed')
    driver.next('connect', { do: 'throw', error: refused() })
    const waiter = track(pool.acquire())
    await clock.advance(100)
    expect(failed).toHaveLength(1)
    expect(waiter.status).toBe('fulfilled')
  })

  test('that settles more than once counts once', async () => {
    const { clock, driver, pool } = setUp()
    driver.next('connect', { do: 'twice', afterMs: 5 })
    const waiter = track(pool.acquire())
    await clock.advance(100)
    expect(waiter.status).toBe('fulfilled')
    expect(pool.stats()).toMatchObject({ open: 1, created: 1, connectFailures: 0, breaker: 'closed' })
  })

  test('whose watch throws has failed, and its client is destroyed', async () => {
    const { clock, driver, fate, listen, pool } = setUp()
    const failed = listen('connectFailed')
    const created = listen('connectionCreated')
    driver.next('watch', { do: 'throw', error: new Error('cannot watch') })
    const waiter = track(pool.acquire())
    await clock.advance(5)
    expect(failed).toMatchObject([{ error: { cause: { message: 'cannot watch' } } }])
    expect([fate(1), created.length]).toEqual(['destroyed', 0])
    await clock.advance(100)
    expect(waiter.status).toBe('fulfilled')
  })

  test('whose client is reported as lost from inside of watch has failed', async () => {
    let lost = 0
    const { clock, fate, listen, pool } = setUp({
      driver: {
        onCall: ({ hook, watcher, client }) => {
          if (hook !== 'watch' || client?.id !== 1) return
          lost++
          watcher?.lost(new Error('gone at once'))
          watcher?.lost(new Error('gone twice'))
        },
      },
    })
    const failed = listen('connectFailed')
    const waiter = track(pool.acquire())
    await clock.advance(100)
    expect(lost).toBe(1)
    expect(failed).toMatchObject([{ error: { cause: { message: 'gone at once' } } }])
    expect([fate(1), waiter.status]).toEqual(['destroyed', 'fulfilled'])
  })

  test('whose client wants to be replaced from inside of watch succeeds, and is replaced', async () => {
    const { clock, listen, start } = setUp({
      minConnections: 1,
      driver: {
        onCall: ({ hook, watcher, client }) => {
          if (hook === 'watch' && client?.id === 1) watcher?.retire('going away')
        },
      },
    })
    const completed = listen('rebuildCompleted')
    await start()
    await clock.advance(20)
    expect(completed).toMatchObject([{ reason: { kind: 'retired_by_peer', detail: 'going away' }, newGeneration: 2 }])
  })
})

describe('connectionCreated', () => {
  test('comes when the connect has succeeded, once for each client', async () => {
    const { clock, driver, listen, pool } = setUp({ minConnections: 2 })
    const created = listen('connectionCreated')
    driver.next('connect', fail(refused()))
    void pool.start()
    await clock.advance(1)
    expect(created).toEqual([])
    await clock.advance(100)
    expect(created).toMatchObject([{ generation: 1 }, { generation: 1 }])
    expect(new Set(created.map(({ connectionId }) => connectionId)).size).toBe(2)
    expect(created.map(({ timestamp }) => timestamp - clock.wallNow() <= 0)).toEqual([true, true])
  })
})

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

test('needs for a connect are met in order: who waits and urgent rebuilds, then minConnections, then planned rebuilds', async () => {
  const held: HeldCall[] = []
  const { borrowMany, client, clock, driver, pool } = setUp({ maxConnections: 6, maxConnecting: 1 })
  await borrowMany(3)
  driver.always('connect', { do: 'held', take: (end) => held.push(end) })
  track(pool.acquire())
  await clock.settle()
  // While the first connect is under way the others are asked for in the opposite order.
  void pool.rebuildConnectionById(client(2).connectionId)
  pool.reconfigure({ minConnections: 5 })
  await clock.settle()
  driver.lose(client(1))
  for (let connect = 0; connect < 4; connect++) {
    await clock.settle()
    held[connect]?.fulfil()
  }
  await clock.advance(10)
  const name = (id: string): string => (id === client(1).connectionId ? 'urgent' : id === client(2).connectionId ? 'planned' : 'new')
  expect(driver.ledger.connects.slice(3).map(({ connectionId }) => name(connectionId))).toEqual(['new', 'urgent', 'new', 'planned'])
  expect(pool.stats().total).toBe(5)
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

test('the waits are drawn from the source of chance of the pool, one draw a failure', async () => {
  const setup = setUp({ minConnections: 1, random: chance(0.1, 0.9, 0.5, 0.5), backoff: { base: 100, max: 10_000 } })
  setup.driver.next('connect', fail(refused()), fail(refused()), fail(refused()))
  await setup.start()
  expect(begun(setup)).toEqual([0, 10, 190, 390])
})

test('a draw of 0 still leaves the event loop a turn between two tries that fail at once', async () => {
  let connects = 0
  const { clock, driver, pool } = setUp({ minConnections: 1, random: () => 0 })
  // The last one hangs, or this test would never come to an end.
  driver.always('connect', () => (++connects > 100 ? hang() : fail(new Error('refused'))))
  pool.start({ timeout: 1 }).catch(() => {})
  await clock.advance(10)
  expect(connects).toBeLessThan(20)
})
