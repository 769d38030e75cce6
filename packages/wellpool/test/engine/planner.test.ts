import { describe, expect, test } from 'vitest'
import type { Lease } from '../../src/index.ts'
import { type FakeClient, fail, hang, ok } from '../../src/testing/index.ts'
import { resultOf, served, setUp, type TestPool, track } from './set-up.ts'

/** Lets the pool learn how long a use takes: `times` of them, `useMs` each. */
async function useFor({ borrow, clock }: TestPool, useMs: number, times = 8): Promise<void> {
  for (let use = 0; use < times; use++) {
    const lease = await borrow()
    await clock.advance(useMs)
    lease.release()
  }
}

describe('growth', () => {
  test('is one connect for each waiter that has none, until there is a sample', async () => {
    const { clock, driver, pool } = setUp({ maxConnections: 10, maxConnecting: 3 })
    const waiters = [pool.acquire(), pool.acquire(), pool.acquire(), pool.acquire()].map(track)
    await clock.settle()
    expect(driver.ledger.connecting).toBe(3)
    await clock.advance(10)
    expect(served(waiters)).toEqual([0, 1, 2, 3])
    expect(driver.ledger.connects).toHaveLength(4)
  })

  test('is one connect for as many waiters as a connection serves', async () => {
    const { clock, driver, pool } = setUp({ driver: { maxLeasesPerConnection: 4 } })
    const waiters = Array.from({ length: 5 }, () => track(pool.acquire()))
    await clock.advance(20)
    expect(served(waiters)).toEqual([0, 1, 2, 3, 4])
    expect(driver.ledger.connects).toHaveLength(2)
  })

  test('does not happen while the queue drains sooner than a connect takes', async () => {
    const setup = setUp({ driver: { connectMs: 100 } })
    const { borrow, clock, driver, pool } = setup
    await useFor(setup, 2)
    const holder = await borrow()
    const waiter = track(pool.acquire())
    await clock.advance(50)
    expect(driver.ledger.connects).toHaveLength(1)
    holder.release()
    await clock.settle()
    expect(waiter.status).toBe('fulfilled')
  })

  test('is forced by a waiter that is older than the usual connect time', async () => {
    const setup = setUp({ driver: { connectMs: 100 } })
    const { borrow, clock, driver, pool } = setup
    await useFor(setup, 2)
    await borrow()
    const waiter = track(pool.acquire())
    await clock.advance(99)
    expect(driver.ledger.connects).toHaveLength(1)
    await clock.advance(2)
    expect(driver.ledger.connects).toHaveLength(2)
    await clock.advance(100)
    expect(waiter.status).toBe('fulfilled')
  })

  /** Four borrowers at once, `useMs` each; then 4 × `useMs` have passed, and `pauseMs` without any. */
  async function burst({ clock, pool }: TestPool, useMs: number, pauseMs: number): Promise<void> {
    const waiters = Array.from({ length: 4 }, async () => {
      const lease = await pool.acquire()
      clock.setTimeout(() => lease.release(), useMs)
    })
    await clock.advance(4 * useMs)
    await Promise.all(waiters)
    await clock.advance(pauseMs)
  }

  test('comes one by one while somebody waits all the time, however short each wait is', async () => {
    const setup = setUp({ maxConnections: 3, driver: { connectMs: 100 } })
    await useFor(setup, 2)
    const connects: number[] = []
    for (let count = 0; count < 100; count++) {
      await burst(setup, 2, 0)
      connects.push(setup.driver.ledger.connects.length)
    }
    // In each burst somebody waits for 6 ms: for 100 ms in the 17th. A connect later there are two, and they wait for 2 ms.
    expect(connects.indexOf(2)).toBe(16)
    expect(connects.indexOf(3)).toBeGreaterThan(16 + 100 / 8 + 100 / 4)
    expect(setup.pool.stats()).toMatchObject({ open: 3 })
  })

  test('does not come of bursts that are rare, however many', async () => {
    const setup = setUp({ idleTimeout: Number.POSITIVE_INFINITY, driver: { connectMs: 100 } })
    await useFor(setup, 2)
    for (let count = 0; count < 200; count++) await burst(setup, 2, 200)
    expect(setup.driver.ledger.connects).toHaveLength(1)
  })

  test('begins at once when the queue would drain later than a connect takes', async () => {
    const setup = setUp({ driver: { connectMs: 5 } })
    const { borrow, clock, driver, pool } = setup
    await useFor(setup, 1000)
    await borrow()
    track(pool.acquire())
    await clock.settle()
    expect(driver.ledger.connecting).toBe(1)
  })

  test('stops at maxConnections, clients that are closing included', async () => {
    const { borrow, clock, driver, pool } = setUp({ maxConnections: 1, rebuildMaxSurge: 0, driver: { closeMs: 300 } })
    const lease = await borrow()
    lease.release()
    const evicted = track(pool.evict())
    const waiter = track(pool.acquire())
    await clock.advance(299)
    expect([evicted.status, driver.ledger.connects.length, pool.stats().open]).toEqual(['pending', 1, 1])
    await clock.advance(10)
    expect([evicted.status, waiter.status]).toEqual(['fulfilled', 'fulfilled'])
    expect(driver.ledger.maxOpen).toBe(1)
  })

  test('counts a client as open until it is destroyed, when its close does not settle', async () => {
    const { borrow, clock, driver, fate, pool } = setUp({ maxConnections: 1, rebuildMaxSurge: 0, closeTimeout: 500 })
    driver.next('close', hang())
    ;(await borrow()).release()
    track(pool.evict())
    const waiter = track(pool.acquire())
    await clock.advance(499)
    expect([waiter.status, fate(1)]).toEqual(['pending', 'closing'])
    await clock.advance(6)
    expect([waiter.status, fate(1)]).toEqual(['fulfilled', 'destroyed'])
    expect(driver.ledger.maxOpen).toBe(1)
  })
})

describe('minConnections', () => {
  test('are connected at the start, and again when one is gone', async () => {
    const { clock, driver, client, pool, start } = setUp({ minConnections: 3, driver: { connectMs: 10 } })
    await start()
    expect(pool.stats()).toMatchObject({ idle: 3, open: 3 })
    driver.next('connect', fail(new Error('refused')))
    driver.lose(client(2))
    await clock.advance(100)
    expect(pool.stats()).toMatchObject({ idle: 3, open: 3 })
    expect(driver.ledger.present().map((life) => life.client.id)).not.toContain(2)
  })

  test('come after those who wait', async () => {
    const { clock, driver, pool } = setUp({ minConnections: 2, maxConnections: 4, maxConnecting: 1, driver: { connectMs: 10 } })
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(20)
    expect(served(waiters)).toEqual([0, 1])
    await clock.advance(100)
    expect(driver.ledger.connects).toHaveLength(2)
  })
})

describe('what exceeds maxConnections', () => {
  test('after it was lowered is closed as soon as a connection is idle', async () => {
    const { borrowMany, clock, listen, pool } = setUp({ maxConnections: 3 })
    const closed = listen('connectionClosed')
    const [one, two, three] = await borrowMany(3)
    pool.reconfigure({ maxConnections: 2 })
    await clock.advance(1000)
    expect(pool.stats()).toMatchObject({ acquired: 3, open: 3 })
    two?.release()
    await clock.advance(1)
    expect(pool.stats()).toMatchObject({ acquired: 2, idle: 0, open: 2 })
    expect(closed).toMatchObject([{ connectionId: two?.client.connectionId, reason: 'surplus' }])
    one?.release()
    three?.release()
    await clock.advance(1)
    expect(pool.stats()).toMatchObject({ idle: 2, open: 2 })
  })

  test('is closed at once when it is idle', async () => {
    const { clock, pool, start } = setUp({ minConnections: 3 })
    await start()
    pool.reconfigure({ minConnections: 1, maxConnections: 1 })
    await clock.advance(1)
    expect(pool.stats()).toMatchObject({ idle: 1, open: 1, closed: { surplus: 2 } })
  })
})

describe('a connection that has not proven itself for verifyIdleAfter', () => {
  test('is checked before it serves', async () => {
    const { borrow, clock, client, start } = setUp({ minConnections: 1, verifyIdleAfter: 1000, driver: { checkMs: 7 } })
    await start()
    await clock.advance(999)
    ;(await borrow()).release()
    expect(client(1).life.checks).toBe(0)
    await clock.advance(1000)
    const from = clock.now()
    const lease = await borrow()
    expect([clock.now() - from, lease.client.life.checks]).toEqual([7, 1])
  })

  test.each([
    ['0: always', 0, 3],
    ['Infinity: never', Number.POSITIVE_INFINITY, 0],
  ])('is checked as often as verifyIdleAfter asks: %s', async (_, verifyIdleAfter, checks) => {
    const { borrow, clock, client, start } = setUp({ minConnections: 1, maxConnections: 1, verifyIdleAfter })
    await start()
    for (let use = 0; use < 3; use++) {
      await clock.advance(100_000)
      ;(await borrow()).release()
    }
    expect(client(1).life.checks).toBe(checks)
  })

  test('is left aside for the next one when its check fails: the borrower stays in the queue', async () => {
    const { clock, driver, pool, start } = setUp({ minConnections: 2, verifyIdleAfter: 1000 })
    await start()
    await clock.advance(1000)
    driver.next('check', fail(new Error('no answer'), 3))
    const first = track(pool.acquire())
    const second = track(pool.acquire())
    await clock.advance(10)
    expect([first.status, second.status]).toEqual(['fulfilled', 'fulfilled'])
    expect(resultOf(first).client.id).toBe(1)
  })

  test('is not waited for when another becomes free: whichever is good first serves who has waited longest', async () => {
    const { borrow, clock, driver, pool, start } = setUp({ minConnections: 2, maxConnections: 2, verifyIdleAfter: 1000 })
    await start()
    const holder = await borrow()
    await clock.advance(1000)
    driver.next('check', ok(40))
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    await clock.advance(10)
    holder.release()
    await clock.settle()
    expect(served(waiters)).toEqual([0])
    expect(resultOf(waiters[0] as never)).toMatchObject({ client: holder.client })
    await clock.advance(30)
    expect(served(waiters)).toEqual([0, 1])
  })
})

describe('suspects', () => {
  test.each([
    [2, 2],
    [9, 4],
  ])('are checked at the same time as %i wait: %i of four', async (waiting, checks) => {
    const { clock, client, driver, pool, start } = setUp({ minConnections: 5, maxConnections: 5, rebuildMaxSurge: 0 })
    await start()
    driver.always('connect', hang())
    driver.always('check', ok(20))
    await clock.advance(10)
    driver.lose(client(1))
    const waiters = Array.from({ length: waiting }, () => track(pool.acquire()))
    await clock.advance(10)
    expect(pool.stats().checking).toBe(checks)
    await clock.advance(10)
    expect(served(waiters)).toHaveLength(checks)
  })
})

describe('a check that stays silent', () => {
  const idleForLong = async (options: Parameters<typeof setUp>[0]): Promise<TestPool> => {
    const setup = setUp({ verifyIdleAfter: 1000, hedgeDelay: 50, ...options })
    await setup.start()
    await setup.clock.advance(1000)
    return setup
  }

  test('for hedgeDelay lets the next candidate be tried beside it', async () => {
    const { clock, client, driver, pool } = await idleForLong({ minConnections: 2 })
    driver.next('check', hang())
    const waiter = track(pool.acquire())
    await clock.advance(49)
    expect([client(1).life.checks, client(2).life.checks]).toEqual([0, 1])
    await clock.advance(2)
    expect([client(1).life.checks, waiter.status]).toEqual([1, 'fulfilled'])
    expect(resultOf(waiter).client.id).toBe(1)
  })

  test('may be silent for three times the usual check when that is longer', async () => {
    const { borrow, clock, client, driver, pool } = await idleForLong({ minConnections: 2, maxConnections: 2, driver: { checkMs: 40 } })
    for (let use = 0; use < 8; use++) {
      ;(await borrow()).release()
      await clock.advance(1000)
    }
    const before = client(1).life.checks + client(2).life.checks
    driver.next('check', hang())
    track(pool.acquire())
    await clock.advance(119)
    expect(client(1).life.checks + client(2).life.checks).toBe(before + 1)
    await clock.advance(1)
    expect(client(1).life.checks + client(2).life.checks).toBe(before + 2)
  })

  test('is hedged by a new connection when there is no other candidate', async () => {
    const { clock, driver, pool } = await idleForLong({ minConnections: 1 })
    driver.next('check', hang())
    const waiter = track(pool.acquire())
    await clock.advance(49)
    expect(driver.ledger.connects).toHaveLength(1)
    await clock.advance(6)
    expect(resultOf(waiter).client.id).toBe(2)
  })

  test('is not hedged above maxConnections without surge', async () => {
    const { clock, driver, pool } = await idleForLong({ minConnections: 1, maxConnections: 1, rebuildMaxSurge: 0 })
    driver.next('check', ok(500))
    const waiter = track(pool.acquire())
    await clock.advance(499)
    expect([waiter.status, driver.ledger.maxOpen]).toEqual(['pending', 1])
    await clock.advance(1)
    expect(waiter.status).toBe('fulfilled')
  })

  const withOneHeld = async (options: Parameters<typeof setUp>[0] = {}) => {
    const setup = setUp({ minConnections: 2, maxConnections: 2, rebuildMaxSurge: 0, verifyIdleAfter: 1000, hedgeDelay: 50, ...options })
    await setup.start()
    const holder = await setup.borrow()
    const silent = setup.client(holder.client.id === 1 ? 2 : 1)
    await setup.clock.advance(1000)
    setup.driver.next('check', hang())
    const waiters = [setup.pool.acquire(), setup.pool.acquire()].map(track)
    await setup.clock.advance(60)
    return { ...setup, holder, silent, waiters }
  }

  test('is not given up while no other connection has proven itself', async () => {
    const { clock, fate, silent } = await withOneHeld()
    await clock.advance(1000)
    expect(fate(silent.id)).toBe('open')
  })

  test('is not given up when nobody waits any more', async () => {
    const { clock, fate, holder, silent, waiters } = await withOneHeld({ acquireTimeout: 500 })
    await clock.advance(500)
    expect(waiters.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    holder.release()
    await clock.advance(100)
    expect(fate(silent.id)).toBe('open')
  })

  test('is hedged above maxConnections, and the surplus is closed as soon as a connection is idle', async () => {
    const { clock, driver, pool } = await idleForLong({ minConnections: 1, maxConnections: 1, rebuildMaxSurge: 1 })
    driver.next('check', ok(500))
    const waiter = track(pool.acquire())
    await clock.advance(55)
    expect(resultOf(waiter).client.id).toBe(2)
    expect(driver.ledger.open).toBe(2)
    await clock.advance(446)
    expect([driver.ledger.open, pool.stats().total, pool.stats().closed.surplus]).toEqual([1, 1, 1])
    expect(driver.ledger.maxOpen).toBe(2)
  })

  test('is given up when no room is left, somebody waits, and another connection has proven itself since', async () => {
    const { clock, fate, holder, listen, silent, waiters } = await withOneHeld()
    const marked = listen('rebuildMarked')
    holder.release()
    await clock.advance(10)
    expect(fate(silent.id)).toBe('destroyed')
    expect(marked).toMatchObject([{ connectionId: silent.connectionId, urgent: true }])
    expect(served(waiters)).toEqual([0, 1])
  })
})

describe('a silent connect that has the last room', () => {
  /** Both connections are held and silent, one of them lost; in its place a connect is silent. */
  const allSilent = async (options: Parameters<typeof setUp>[0] = {}) => {
    const setup = setUp({ minConnections: 2, maxConnections: 2, rebuildMaxSurge: 0, driver: { connectMs: 5 }, ...options })
    await setup.start()
    const [first, second] = await setup.borrowMany(2)
    setup.driver.next('connect', hang())
    setup.driver.lose((first as Lease<FakeClient>).client)
    const waiter = track(setup.pool.acquire())
    await setup.clock.advance(0)
    return { ...setup, held: second as Lease<FakeClient>, waiter }
  }

  test('gives way to another after three times the usual, 250 ms at least', async () => {
    const { clock, driver, waiter } = await allSilent()
    await clock.advance(249)
    expect(driver.ledger.connects).toHaveLength(3)
    await clock.advance(1 + 5)
    expect(driver.ledger.connects).toHaveLength(4)
    expect(resultOf(waiter).client.id).toBe(3)
  })

  test('gives the next one twice the time, and so on, and never more than connectTimeout', async () => {
    const { clock, driver } = await allSilent({ connectTimeout: 2000, acquireTimeout: 0 })
    driver.next('connect', hang(), hang(), hang())
    const begun: number[] = []
    for (let ms = 1; ms <= 3700; ms++) {
      const before = driver.ledger.connects.length
      await clock.advance(1)
      if (driver.ledger.connects.length > before) begun.push(ms)
    }
    expect(begun).toEqual([250, 750, 1750])
  })

  test('is waited for when a connection has proven itself since it began', async () => {
    const { clock, driver, held, pool, waiter } = await allSilent()
    await clock.advance(100)
    held.release()
    await clock.settle()
    expect(waiter.status).toBe('fulfilled')
    const next = track(pool.acquire())
    await clock.advance(1000)
    expect([next.status, driver.ledger.connects.length]).toEqual(['pending', 3])
  })

  test('is waited for when it does not stand in the way', async () => {
    const { clock, driver } = await allSilent({ maxConnections: 3 })
    await clock.advance(1000)
    expect(driver.ledger.connects.map(({ givenUpAt }) => givenUpAt)).toEqual([undefined, undefined, undefined])
  })
})
