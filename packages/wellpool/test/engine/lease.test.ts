import { describe, expect, test } from 'vitest'
import { LeaseReleasedError } from '../../src/index.ts'
import { setUp } from './set-up.ts'

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
})
