import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../src/index.ts'
import { fail } from '../../src/testing/index.ts'
import { resultOf, setUp, track } from './set-up.ts'

describe('a lease', () => {
  test('is released once: the second time throws LEASE_RELEASED', async () => {
    const { borrow, pool } = setUp()
    const lease = await borrow()
    expect(lease.released).toBe(false)
    lease.release()
    expect(lease.released).toBe(true)
    expect(() => lease.release()).toThrow(LeaseReleasedError)
    expect(pool.connections()).toMatchObject([{ uses: 1, requests: 1 }])
  })

  test('is itself what one gets by awaiting it', async () => {
    const { borrow } = setUp()
    const lease = await borrow()
    expect(await lease).toBe(lease)
    expect((lease as { then?: unknown }).then).toBeUndefined()
  })

  test('that was disposed of can’t be released', async () => {
    const { borrow } = setUp()
    const lease = await borrow()
    lease[Symbol.dispose]()
    expect(() => lease.release()).toThrow(LeaseReleasedError)
  })

  test('may be disposed of as often as one likes', async () => {
    const { borrow, pool } = setUp()
    const lease = await borrow()
    lease[Symbol.dispose]()
    lease[Symbol.dispose]()
    await lease[Symbol.asyncDispose]()
    expect(pool.stats()).toMatchObject({ idle: 1, acquired: 0 })
    expect(pool.connections()).toMatchObject([{ uses: 1, requests: 0 }])
  })

  test('ends with its block: using and await using', async () => {
    const { borrow, pool } = setUp()
    {
      using lease = await borrow()
      expect(lease.connection.state).toBe('acquired')
    }
    expect(pool.stats().idle).toBe(1)
    {
      await using lease = await borrow()
      lease.release()
    }
    expect(pool.stats().idle).toBe(1)
  })

  test('shows its connection as it is now, and the generation that it holds', async () => {
    const { borrow, clock, pool } = setUp({ maxConnections: 1 })
    const lease = await borrow()
    expect(lease.connection).toEqual(pool.connections()[0])
    await clock.until(pool.rebuildConnectionById(lease.connection.id))
    expect(lease.connection).toMatchObject({ id: pool.connections()[0]?.id, generation: 1 })
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
    lease.release()
    expect(lease.connection.generation).toBe(1)
  })

  test('of a retired client releases that client and touches nothing else', async () => {
    const { borrow, clock, fate, pool } = setUp({ maxConnections: 1 })
    const old = await borrow()
    await clock.until(pool.rebuildConnectionById(old.connection.id))
    const present = await borrow()
    const before = pool.connections()
    old.release(new Error('whatever'))
    expect(pool.connections()).toEqual(before)
    await clock.advance(1)
    expect([fate(1), fate(2)]).toEqual(['closed', 'open'])
    present.release()
    expect(pool.connections()).toMatchObject([{ uses: 1, requests: 1, errors: 0 }])
  })

  describe('that is discarded', () => {
    test('has its client closed, whatever its state, and is released by that', async () => {
      const { borrow, clock, driver, fate, listen, pool } = setUp()
      driver.always('reset', fail(new Error('nothing is reset that nobody gets')))
      const closed = listen('connectionClosed')
      const lease = await borrow()
      lease.discard()
      expect(lease.released).toBe(true)
      expect(() => lease.discard()).toThrow(LeaseReleasedError)
      expect(() => lease.release()).toThrow(LeaseReleasedError)
      lease[Symbol.dispose]()
      await clock.advance(1)
      expect(fate(1)).toBe('closed')
      expect(closed).toMatchObject([{ reason: 'evicted' }])
      expect(pool.stats()).toMatchObject({ open: 0, total: 0 })
    })

    test('says nothing of the other connections, and whoever waits is served by a new one', async () => {
      const { borrow, borrowMany, clock, pool } = setUp({ maxConnections: 2 })
      const [first, second] = await borrowMany(2)
      const waiter = track(pool.acquire())
      first?.discard()
      await clock.advance(20)
      expect(resultOf(waiter).client.id).toBe(3)
      second?.release()
      expect((await borrow()).client.id).toBe(2)
      expect(pool.stats().checks).toMatchObject({ healthy: 0, rejected: 0 })
    })

    test('lets those who share its client finish, and nobody else begin', async () => {
      const { borrow, borrowMany, clock, fate, pool } = setUp({ driver: { maxLeasesPerConnection: 3 }, maxConnections: 1 })
      const [first, second] = await borrowMany(2)
      first?.discard()
      expect(pool.tryAcquire()).toBeUndefined()
      await clock.advance(1)
      expect(fate(1)).toBe('open')
      second?.release()
      await clock.advance(1)
      expect(fate(1)).toBe('closed')
      expect((await borrow()).client.id).toBe(2)
    })

    test('of a retired client closes that client and touches nothing else', async () => {
      const { borrow, clock, fate, pool } = setUp({ maxConnections: 1 })
      const old = await borrow()
      await clock.until(pool.rebuildConnectionById(old.connection.id))
      old.discard()
      await clock.advance(1)
      expect([fate(1), fate(2)]).toEqual(['closed', 'open'])
      expect(pool.stats()).toMatchObject({ idle: 1, retired: 0 })
    })
  })
})
