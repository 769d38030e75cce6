import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../src/index.ts'
import { fail, hang, ok } from '../../src/testing/index.ts'
import { resultOf, served, setUp, track } from './set-up.ts'

const classify = (error: unknown): 'fatal' | 'transient' | 'application' =>
  error instanceof Error && (error.message === 'fatal' || error.message === 'application') ? error.message : 'transient'

describe('a release', () => {
  test('without an error counts as a request, proves the connection and makes it healthy', async () => {
    const { borrow, clock, pool } = setUp()
    const lease = await borrow()
    await clock.advance(700)
    lease.release()
    expect(pool.connections()).toMatchObject([
      { state: 'idle', health: 'healthy', uses: 1, requests: 1, errors: 0, lastProvenAt: clock.wallNow() },
    ])
  })

  test('with an error of the application counts as a request and proves the connection', async () => {
    const { borrow, clock, driver, pool } = setUp({ driver: { classify } })
    const lease = await borrow()
    await clock.advance(700)
    lease.release(new Error('application'))
    expect(pool.connections()).toMatchObject([{ requests: 1, errors: 0, lastProvenAt: clock.wallNow() }])
    expect((await borrow()).client).toBe(lease.client)
    expect(driver.ledger.clients[0]?.checks).toBe(0)
  })

  test.each([
    ['a transient error', { classify }],
    ['any error, without classify', {}],
  ])('with %s counts it and makes a suspect that is checked before it serves again', async (_, driver) => {
    const { borrow, client, pool } = setUp({ driver })
    const lease = await borrow()
    lease.release(new Error('reset by peer'))
    expect(pool.connections()).toMatchObject([{ requests: 1, errors: 1, uses: 1 }])
    expect(client(1).life.checks).toBe(0)
    expect((await borrow()).client).toBe(lease.client)
    expect(client(1).life.checks).toBe(1)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no idea')
      },
    ],
    ['answers with nonsense', () => 'harmless'],
    ['answers with a promise', () => Promise.resolve('fatal')],
  ])('with an error whose classify %s counts as transient', async (_, nonsense) => {
    const { borrow, clock, fate, pool } = setUp({ maxConnections: 1, driver: { classify: nonsense as () => 'fatal' } })
    ;(await borrow()).release(new Error('whatever'))
    expect(pool.tryAcquire()).toBeUndefined()
    await clock.settle()
    expect(pool.connections()).toMatchObject([{ requests: 1, errors: 1, generation: 1 }])
    const lease = await borrow()
    expect([lease.client.life.checks, fate(1)]).toEqual([1, 'open'])
  })

  test('with a transient error leaves the other connections beyond suspicion', async () => {
    const { borrow, borrowMany, client } = setUp({ maxConnections: 2, idleOrder: 'fifo' })
    const [one, two] = await borrowMany(2)
    two?.release()
    one?.release(new Error('reset by peer'))
    expect((await borrow()).client.id).toBe(2)
    expect(client(2).life.checks).toBe(0)
  })

  test('with a fatal error destroys the client and rebuilds the connection at once', async () => {
    const { borrow, clock, fate, listen, pool } = setUp({ driver: { classify } })
    const marked = listen('rebuildMarked')
    const lease = await borrow()
    lease.release(new Error('fatal'))
    expect(fate(1)).toBe('destroyed')
    await clock.advance(5)
    expect(marked).toMatchObject([{ reason: { kind: 'connection_lost', detail: expect.stringContaining('fatal') }, urgent: true }])
    expect(pool.connections()).toMatchObject([{ id: lease.client.connectionId, generation: 2, state: 'idle', health: 'healthy' }])
  })

  test('a second time throws LEASE_RELEASED and changes nothing', async () => {
    const { borrow, pool } = setUp()
    const lease = await borrow()
    lease.release()
    const again = await borrow()
    expect(() => lease.release()).toThrow(LeaseReleasedError)
    expect(again.released).toBe(false)
    expect(pool.stats()).toMatchObject({ acquired: 1, idle: 0 })
  })

  test('of a lease whose client was destroyed meanwhile is harmless', async () => {
    const { borrow, clock, client, driver, pool } = setUp()
    const lease = await borrow()
    driver.lose(client(1), new Error('closed'))
    await clock.advance(5)
    lease.release()
    await clock.settle()
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle', requests: 0, uses: 0 }])
  })

  test('serves who has waited longest at once', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const lease = await borrow()
    const waiters = [pool.acquire(), pool.acquire()].map(track)
    lease.release()
    await clock.settle()
    expect(served(waiters)).toEqual([0])
  })

  test('tells of it, after the state has changed', async () => {
    const { borrow, pool } = setUp()
    const seen: string[] = []
    pool.on('connectionAcquired', ({ connectionId, generation }) => seen.push(`acquired ${connectionId} ${generation}`))
    pool.on('connectionReleased', () => seen.push(`released, ${pool.stats().idle} idle`))
    const lease = await borrow()
    lease.release()
    await Promise.resolve()
    expect(seen).toEqual([`acquired ${lease.client.connectionId} 1`, 'released, 1 idle'])
  })
})

describe('a lease that is disposed of', () => {
  test('gives its client back and proves nothing', async () => {
    const { borrow, clock, pool } = setUp()
    {
      await using lease = await borrow()
      expect(lease.connection.state).toBe('acquired')
      await clock.advance(700)
    }
    expect(pool.connections()).toMatchObject([{ state: 'idle', health: 'unknown', requests: 0, lastProvenAt: clock.wallNow() - 700 }])
  })

  test('after its release does nothing', async () => {
    const { borrow, pool } = setUp()
    const lease = await borrow()
    lease.release()
    const again = await borrow()
    lease[Symbol.dispose]()
    await lease[Symbol.asyncDispose]()
    expect([again.released, pool.stats().acquired]).toEqual([false, 1])
  })
})

describe('reset', () => {
  test('runs at the release and puts the client back at once when it returns nothing', async () => {
    const calls: string[] = []
    const { borrow, pool } = setUp({ driver: { onCall: ({ hook }) => calls.push(hook) } })
    ;(await borrow()).release()
    expect(calls.filter((hook) => hook === 'reset')).toHaveLength(1)
    expect(pool.tryAcquire()).toBeDefined()
  })

  test('that takes its time keeps the client from the next borrower until it is done', async () => {
    const { borrow, clock, driver, pool } = setUp({ maxConnections: 1 })
    const lease = await borrow()
    driver.next('reset', ok(20))
    const waiter = track(pool.acquire())
    lease.release()
    await clock.advance(19)
    expect(waiter.status).toBe('pending')
    await clock.advance(1)
    expect(resultOf(waiter).client).toBe(lease.client)
  })

  test.each([
    ['rejects', fail(new Error('cannot roll back'), 3), 'cannot roll back'],
    ['throws', { do: 'throw', error: new Error('cannot roll back') }, 'cannot roll back'],
    ['takes longer than resetTimeout', hang(), '100'],
  ] as const)('that %s leads to an urgent rebuild', async (_, outcome, detail) => {
    const { borrow, clock, driver, fate, listen, pool } = setUp({ maxConnections: 1, resetTimeout: 100 })
    const marked = listen('rebuildMarked')
    const lease = await borrow()
    driver.next('reset', outcome)
    const waiter = track(pool.acquire())
    lease.release()
    await clock.advance(120)
    expect(marked).toMatchObject([{ reason: { kind: 'reset_failed', detail: expect.stringContaining(detail) }, urgent: true }])
    expect(fate(1)).toBe('destroyed')
    expect(resultOf(waiter).client.id).toBe(2)
    expect(pool.connections()).toMatchObject([{ id: lease.client.connectionId, generation: 2 }])
  })

  test('may take for ever with resetTimeout 0, and the connection stays out of the way', async () => {
    const { borrow, clock, driver, pool } = setUp({ maxConnections: 2, resetTimeout: 0 })
    driver.next('reset', hang())
    ;(await borrow()).release()
    await clock.advance(60_000)
    expect((await borrow()).client.id).toBe(2)
    expect(pool.stats().marked).toBe(0)
  })

  test('is not called for a client that was lost', async () => {
    const calls: string[] = []
    const { borrow, clock, client, driver } = setUp({ driver: { onCall: ({ hook }) => calls.push(hook) } })
    const lease = await borrow()
    driver.lose(client(1))
    lease.release()
    await clock.advance(10)
    expect(calls).not.toContain('reset')
  })

  test('of a client that is lost meanwhile disturbs nobody', async () => {
    const { borrow, clock, client, driver, pool } = setUp({ maxConnections: 1 })
    driver.next('reset', ok(20))
    ;(await borrow()).release()
    driver.lose(client(1))
    await clock.advance(100)
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle' }])
  })

  test('waits for the last lease where a client has several', async () => {
    const calls: string[] = []
    const { borrowMany } = setUp({ driver: { maxLeasesPerConnection: 2, onCall: ({ hook }) => calls.push(hook) } })
    const [one, two] = await borrowMany(2)
    one?.release()
    expect(calls).not.toContain('reset')
    two?.release()
    expect(calls).toContain('reset')
  })
})

describe('a client that serves several', () => {
  const driver = { maxLeasesPerConnection: 3 }

  test('has at most as many leases as it may, and is acquired while it has one', async () => {
    const { borrowMany, clock, pool, states } = setUp({ maxConnections: 1, driver })
    const [one, two, three] = await borrowMany(3)
    expect(new Set([one?.client, two?.client, three?.client]).size).toBe(1)
    const fourth = track(pool.acquire())
    await clock.advance(100)
    expect(fourth.status).toBe('pending')
    two?.release()
    await clock.settle()
    expect(fourth.status).toBe('fulfilled')
    for (const lease of [one, three]) lease?.release()
    expect(states()).toEqual(['acquired'])
    resultOf(fourth).release()
    expect(states()).toEqual(['idle'])
  })

  test('lends its room at once when it is degraded', async () => {
    const { borrow, clock, driver: fake, healths, pool } = setUp({ maxConnections: 1, healthCheckInterval: 5000, driver })
    fake.always('check', ok(1500))
    ;(await borrow()).release()
    await clock.advance(15_000)
    expect(healths()).toEqual(['degraded'])
    await borrow()
    const second = track(pool.acquire())
    await clock.settle()
    expect(second.status).toBe('fulfilled')
  })

  test('that is proven by a release serves as many as it has room for', async () => {
    const { borrow, clock, driver: fake, pool } = setUp({ maxConnections: 1, rebuildMaxSurge: 0, verifyIdleAfter: 1000, driver })
    const first = await borrow()
    await borrow()
    await clock.advance(2000)
    fake.always('check', hang())
    const waiters = [track(pool.acquire()), track(pool.acquire())]
    await clock.advance(10)
    expect(served(waiters)).toEqual([])
    first.release()
    await clock.settle()
    expect(served(waiters)).toEqual([0, 1])
  })

  test('has room for one more although it was busy and unproven: it is checked beside its leases', async () => {
    const { borrow, clock, client, pool } = setUp({ maxConnections: 1, verifyIdleAfter: 1000, driver })
    await borrow()
    await clock.advance(2000)
    const waiter = track(pool.acquire())
    await clock.advance(10)
    expect([client(1).life.checks, waiter.status]).toEqual([1, 'fulfilled'])
  })
})

describe('a use far slower than usual', () => {
  const afterUses = async (usualMs: number) => {
    const setup = setUp({ maxConnections: 2 })
    for (let use = 0; use < 10; use++) {
      const lease = await setup.borrow()
      await setup.clock.advance(usualMs)
      lease.release()
    }
    return setup
  }

  test('leads to a check at its release: more than 10 times the usual and more than 250 ms', async () => {
    const { borrow, clock, client } = await afterUses(30)
    const lease = await borrow()
    await clock.advance(301)
    lease.release()
    await clock.advance(5)
    expect(client(1).life.checks).toBe(1)
  })

  test.each([
    ['10 times the usual', 30, 300],
    ['250 ms', 1, 250],
  ])('does not below %s', async (_, usualMs, useMs) => {
    const { borrow, clock, client } = await afterUses(usualMs)
    const lease = await borrow()
    await clock.advance(useMs)
    lease.release()
    await clock.advance(5)
    expect(client(1).life.checks).toBe(0)
  })

  test('that ended with an error of the application asks for a check as well', async () => {
    const setup = setUp({ driver: { classify } })
    for (let use = 0; use < 10; use++) {
      const lease = await setup.borrow()
      await setup.clock.advance(1)
      lease.release()
    }
    const lease = await setup.borrow()
    await setup.clock.advance(1000)
    lease.release(new Error('application'))
    await setup.clock.advance(5)
    expect(setup.client(1).life.checks).toBe(1)
  })
})

describe('allowExitOnIdle', () => {
  test('lets go of the process when a client becomes idle, and holds it while it is borrowed', async () => {
    const calls: string[] = []
    const { borrow, start } = setUp({
      minConnections: 1,
      allowExitOnIdle: true,
      driver: {
        hooks: ['ref'],
        onCall: ({ hook }) => {
          if (hook === 'ref' || hook === 'unref') calls.push(hook)
        },
      },
    })
    await start()
    expect(calls).toEqual(['unref'])
    const lease = await borrow()
    expect(calls).toEqual(['unref', 'ref'])
    lease.release()
    expect(calls).toEqual(['unref', 'ref', 'unref'])
  })

  test('off leaves the clients as they are', async () => {
    const calls: string[] = []
    const { borrow } = setUp({ driver: { hooks: ['ref'], onCall: ({ hook }) => calls.push(hook) } })
    ;(await borrow()).release()
    expect(calls).toEqual(['connect'])
  })
})
