import { describe, expect, test } from 'vitest'
import { type FakeCall, fail, type HeldCall, hang } from '../../src/testing/index.ts'
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
