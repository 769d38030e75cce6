import { setTimeout as delay } from 'node:timers/promises'
import genericPool from 'generic-pool'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createPool, type Factory, type GenericPoolOptions, type Pool } from '../../src/adapters/generic-pool.ts'

/** What stands where generic-pool stands is held to be the same by being asked the same. What is different: generic-pool.differences.test.ts. */
const POOLS = [
  { name: 'generic-pool', create: genericPool.createPool as unknown as typeof createPool },
  { name: 'wellpool/generic-pool', create: createPool },
]

interface Thing {
  readonly id: number
}

/** Waits for what has no event. The test's time-out is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(2)
}

describe.each(POOLS)('$name', ({ create }) => {
  let pools: Pool<Thing>[] = []

  /** A pool of things that are counted. */
  const open = (options: GenericPoolOptions = {}, changes: Partial<Factory<Thing>> = {}) => {
    let made = 0
    const factory = {
      create: vi.fn((): Thing | Promise<Thing> => Promise.resolve({ id: ++made })),
      destroy: vi.fn((_: Thing): unknown => Promise.resolve()),
      validate: vi.fn((_: Thing): unknown => Promise.resolve(true)),
      ...changes,
    }
    const pool = create<Thing>(factory, options)
    pools.push(pool)
    return { pool, factory }
  }
  const destroyed = (factory: { destroy: Factory<Thing>['destroy'] }): number[] =>
    vi.mocked(factory.destroy).mock.calls.map(([{ id }]) => id)

  afterEach(async () => {
    for (const pool of pools) {
      void pool.drain()
      await pool.clear()
    }
    pools = []
  })

  describe('acquire', () => {
    it('creates a resource when there is none, and takes one that is free', async () => {
      const { pool, factory } = open()
      expect(factory.create).not.toHaveBeenCalled()
      const thing = await pool.acquire()
      expect(thing).toEqual({ id: 1 })
      await pool.release(thing)
      expect(await pool.acquire()).toBe(thing)
      expect(factory.create).toHaveBeenCalledOnce()
      await pool.release(thing)
    })

    it.each([
      [true, [1, 2]],
      [false, [2, 1]],
      [undefined, [1, 2]],
    ])('with fifo %s takes those that were released first or last', async (fifo, expected) => {
      const { pool } = open({ max: 2, ...(fifo !== undefined && { fifo }) })
      const things = [await pool.acquire(), await pool.acquire()]
      for (const thing of things) await pool.release(thing)
      const again = [await pool.acquire(), await pool.acquire()]
      expect(again.map(({ id }) => id)).toEqual(expected)
      for (const thing of again) await pool.release(thing)
    })

    it('makes no more than max, and serves in the order of asking', async () => {
      const { pool, factory } = open({ max: 2 })
      const served: number[] = []
      const all = [1, 2, 3, 4, 5].map(async (number) => {
        const thing = await pool.acquire()
        served.push(number)
        await delay(2)
        await pool.release(thing)
      })
      await Promise.all(all)
      expect(served).toEqual([1, 2, 3, 4, 5])
      expect(factory.create).toHaveBeenCalledTimes(2)
    })

    it('makes one at a time unless told otherwise', async () => {
      const { pool } = open()
      expect([pool.max, pool.min]).toEqual([1, 0])
      const thing = await pool.acquire()
      expect(pool.spareResourceCapacity).toBe(0)
      await pool.release(thing)
    })

    it('serves lower priorities first, and equal ones in the order of asking', async () => {
      const { pool } = open({ priorityRange: 3 })
      const first = await pool.acquire()
      const served: string[] = []
      const ask = async (name: string, priority?: number) => {
        const thing = await pool.acquire(priority)
        served.push(name)
        await pool.release(thing)
      }
      const all = [ask('2a', 2), ask('1a', 1), ask('none'), ask('9', 9), ask('1b', 1), ask('0', 0), ask('-1', -1), ask('2b', 2)]
      expect(pool.pending).toBe(8)
      await pool.release(first)
      await Promise.all(all)
      expect(served).toEqual(['none', '0', '1a', '1b', '2a', '9', '-1', '2b'])
      expect(pool.pending).toBe(0)
    })

    it('refuses who comes when maxWaitingClients wait', async () => {
      const { pool } = open({ maxWaitingClients: 1 })
      const thing = await pool.acquire()
      const waiting = pool.acquire()
      await expect(pool.acquire()).rejects.toThrow('max waitingClients count exceeded')
      await pool.release(thing)
      await pool.release(await waiting)
    })

    it('refuses who comes in the same turn as those who wait', async () => {
      const { pool } = open({ max: 2, maxWaitingClients: 2 })
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => pool.acquire()))
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected'])
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') await pool.release(outcome.value)
    })

    it('refuses who comes when maxWaitingClients wait for creates that fail', async () => {
      let isDown = true
      const create = async (): Promise<Thing> => {
        await delay(2)
        if (isDown) throw new Error('refused')
        return { id: 1 }
      }
      const { pool } = open({ max: 1, maxWaitingClients: 1 }, { create })
      const waiting = pool.acquire()
      for (let tries = 0; tries < 5; tries++) {
        await delay(10)
        await expect(pool.acquire()).rejects.toThrow('max waitingClients count exceeded')
      }
      isDown = false
      await pool.release(await waiting)
    })

    it('gives up after acquireTimeoutMillis, and the others keep their places', async () => {
      const { pool } = open({ acquireTimeoutMillis: 30, priorityRange: 2 })
      const thing = await pool.acquire()
      const error = await pool.acquire().catch((reason: unknown) => reason)
      expect(error).toMatchObject({ name: 'TimeoutError', message: 'ResourceRequest timed out' })
      await pool.release(thing)
      await pool.release(await pool.acquire())
      expect(pool.isBorrowedResource(thing)).toBe(false)
    })

    it('waits as long as it takes without a time-out', async () => {
      const { pool, factory } = open()
      const thing = await pool.acquire()
      const waiting = pool.acquire()
      await delay(30)
      await pool.release(thing)
      await pool.release(await waiting)
      expect(factory.create).toHaveBeenCalledOnce()
    })
  })

  describe('release and destroy', () => {
    it('know what is borrowed', async () => {
      const { pool } = open()
      const thing = await pool.acquire()
      expect([pool.isBorrowedResource(thing), pool.isBorrowedResource({ id: 1 })]).toEqual([true, false])
      expect(await pool.release(thing)).toBeUndefined()
      expect(pool.isBorrowedResource(thing)).toBe(false)
      await expect(pool.release(thing)).rejects.toThrow('Resource not currently part of this pool')
      await expect(pool.destroy(thing)).rejects.toThrow('Resource not currently part of this pool')
      await expect(pool.release({ id: 9 })).rejects.toThrow('Resource not currently part of this pool')
    })

    it('a destroyed resource serves nobody, and another is made when somebody asks', async () => {
      const { pool, factory } = open()
      const thing = await pool.acquire()
      const waiting = pool.acquire()
      expect(await pool.destroy(thing)).toBeUndefined()
      const next = await waiting
      expect(next.id).toBe(2)
      expect(destroyed(factory)).toEqual([1])
      await pool.release(next)
    })

    it('of a resource that is kept by min has another made', async () => {
      const { pool, factory } = open({ min: 1 })
      await pool.destroy(await pool.acquire())
      await until(() => vi.mocked(factory.create).mock.calls.length === 2)
      await until(() => pool.available === 1)
    })
  })

  describe('use', () => {
    it('gives what the function gives, and the resource back', async () => {
      const { pool, factory } = open()
      expect(await pool.use(async ({ id }) => id * 10)).toBe(10)
      expect(await pool.use(async ({ id }) => id * 10)).toBe(10)
      expect(factory.create).toHaveBeenCalledOnce()
      expect(pool.borrowed).toBe(0)
    })

    it('fails as the function fails, and destroys the resource', async () => {
      const { pool, factory } = open()
      const failure = new Error('no good')
      await expect(pool.use(() => Promise.reject(failure))).rejects.toBe(failure)
      expect(destroyed(factory)).toEqual([1])
      expect(await pool.use(async ({ id }) => id)).toBe(2)
    })

    it('takes a priority', async () => {
      const { pool } = open({ priorityRange: 2 })
      const thing = await pool.acquire()
      const order: string[] = []
      const all = [pool.use(async () => order.push('late'), 1), pool.use(async () => order.push('early'), 0)]
      await pool.release(thing)
      await Promise.all(all)
      expect(order).toEqual(['early', 'late'])
    })
  })

  describe('the factory', () => {
    it('is called by its methods, without arguments to create', async () => {
      class Things {
        made = 0
        create(...values: unknown[]): Promise<Thing> {
          expect(values).toEqual([])
          return Promise.resolve({ id: ++this.made + 100 })
        }
        validate(): Promise<boolean> {
          return Promise.resolve(this.made > 0)
        }
        destroy(): Promise<void> {
          return this.made > 0 ? Promise.resolve() : Promise.reject(new Error('not bound'))
        }
      }
      const pool = create<Thing>(new Things(), { testOnBorrow: true })
      pools.push(pool)
      expect(await pool.use(async ({ id }) => id)).toBe(101)
    })

    it('that fails to create is asked again, and that is told', async () => {
      const errors: unknown[] = []
      let tries = 0
      const { pool } = open(
        {},
        { create: () => (++tries < 4 ? Promise.reject(new Error(`try ${tries}`)) : Promise.resolve({ id: tries })) },
      )
      pool.on('factoryCreateError', (error) => errors.push(error))
      const thing = await pool.acquire()
      expect(thing.id).toBe(4)
      expect(errors).toEqual([new Error('try 1'), new Error('try 2'), new Error('try 3')])
      await pool.release(thing)
    })

    it('that fails to destroy is told of', async () => {
      const failure = new Error('stuck')
      const { pool } = open({}, { destroy: () => Promise.reject(failure) })
      const told = new Promise((resolve) => pool.once('factoryDestroyError', resolve))
      await pool.destroy(await pool.acquire())
      expect(await told).toBe(failure)
      expect(pool.size).toBe(0)
    })

    it('that takes longer than destroyTimeoutMillis to destroy is told of', async () => {
      const { pool } = open({ destroyTimeoutMillis: 20 }, { destroy: () => new Promise(() => {}) })
      const told = new Promise((resolve) => pool.once('factoryDestroyError', resolve))
      await pool.destroy(await pool.acquire())
      expect(await told).toEqual(new Error('destroy timed out'))
    })

    it('validates what is handed out with testOnBorrow, and what it refuses is destroyed', async () => {
      let broken = 0
      const { pool, factory } = open({ testOnBorrow: true, max: 2 }, { validate: vi.fn(({ id }: Thing) => Promise.resolve(id !== broken)) })
      const thing = await pool.acquire()
      await pool.release(thing)
      vi.mocked(factory.validate).mockClear()
      await pool.release(await pool.acquire())
      expect(factory.validate).toHaveBeenCalledWith(thing)
      broken = 1
      const next = await pool.acquire()
      expect(next.id).toBe(2)
      expect(destroyed(factory)).toEqual([1])
      await pool.release(next)
    })

    it('is not asked to validate before somebody gets a resource without testOnBorrow', async () => {
      const { pool, factory } = open({}, { validate: vi.fn(() => Promise.resolve(false)) })
      await pool.release(await pool.acquire())
      await pool.release(await pool.acquire())
      expect(factory.validate).not.toHaveBeenCalled()
    })
  })

  describe('min', () => {
    it('are made at once, and ready says when they are', async () => {
      const { pool, factory } = open({ min: 2, max: 4 })
      await pool.ready()
      expect(factory.create).toHaveBeenCalledTimes(2)
      expect([pool.available, pool.size, pool.min, pool.max]).toEqual([2, 2, 2, 4])
    })

    it('are made at start with autostart false', async () => {
      const { pool, factory } = open({ min: 2, max: 4, autostart: false })
      await delay(5)
      expect(factory.create).not.toHaveBeenCalled()
      pool.start()
      pool.start()
      await pool.ready()
      expect(factory.create).toHaveBeenCalledTimes(2)
    })

    it('are made when somebody asks with autostart false', async () => {
      const { pool, factory } = open({ min: 2, max: 4, autostart: false })
      const thing = await pool.acquire()
      await until(() => vi.mocked(factory.create).mock.calls.length >= 2)
      await pool.release(thing)
    })

    it('are at most max, and max at least 1, and both may be texts', () => {
      expect(open({ min: 5, max: 2 }).pool.min).toBe(2)
      expect(open({ max: 0 }).pool.max).toBe(1)
      const { pool } = open({ max: '7', min: '3' } as never)
      expect([pool.max, pool.min]).toEqual([7, 3])
    })
  })

  it('counts', async () => {
    const { pool } = open({ max: 3 })
    const counts = () => [pool.size, pool.available, pool.borrowed, pool.pending, pool.spareResourceCapacity]
    expect(counts()).toEqual([0, 0, 0, 0, 3])
    const things = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    expect(counts()).toEqual([3, 0, 3, 0, 0])
    const waiting = pool.acquire()
    expect(counts()).toEqual([3, 0, 3, 1, 0])
    await pool.release(things[0])
    await pool.release(await waiting)
    expect(counts()).toEqual([3, 1, 2, 0, 0])
    await pool.release(things[1])
    await pool.destroy(things[2])
    expect(counts()).toEqual([2, 2, 0, 0, 1])
  })

  it('has promises of the class that is asked for', async () => {
    class Mine<T> extends Promise<T> {}
    const { pool } = open({ Promise: Mine as PromiseConstructor })
    const asked = pool.acquire()
    expect(asked).toBeInstanceOf(Mine)
    expect(pool.release(await asked)).toBeInstanceOf(Mine)
    expect(pool.ready()).toBeInstanceOf(Mine)
    expect(pool.drain()).toBeInstanceOf(Mine)
  })

  describe('eviction', () => {
    it('destroys what has been idle for longer than idleTimeoutMillis', async () => {
      const { pool, factory } = open({ max: 3, evictionRunIntervalMillis: 10, idleTimeoutMillis: 30, numTestsPerEvictionRun: 9 })
      const things = await Promise.all([pool.acquire(), pool.acquire()])
      for (const thing of things) await pool.release(thing)
      await until(() => destroyed(factory).length === 2)
      expect(pool.size).toBe(0)
    })

    it('keeps min with softIdleTimeoutMillis', async () => {
      const { pool, factory } = open({
        max: 3,
        min: 1,
        evictionRunIntervalMillis: 10,
        softIdleTimeoutMillis: 20,
        idleTimeoutMillis: 60_000,
        numTestsPerEvictionRun: 9,
      })
      const things = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
      for (const thing of things) await pool.release(thing)
      await until(() => destroyed(factory).length === 2)
      await delay(50)
      expect([pool.size, destroyed(factory).length]).toEqual([1, 2])
    })

    it('replaces what is kept by min when it has been idle for longer than idleTimeoutMillis', async () => {
      const { pool, factory } = open({ max: 3, min: 1, evictionRunIntervalMillis: 10, idleTimeoutMillis: 30 })
      await pool.ready()
      await until(() => destroyed(factory).includes(1) && pool.available === 1)
      expect(await pool.use(async ({ id }) => id)).toBeGreaterThan(1)
    })

    it('does not happen by default', async () => {
      const { pool, factory } = open({ idleTimeoutMillis: 10 })
      await pool.release(await pool.acquire())
      await delay(50)
      expect(factory.destroy).not.toHaveBeenCalled()
    })
  })

  describe('drain', () => {
    it('refuses who comes, serves who waits, and waits for what is borrowed', async () => {
      const { pool } = open()
      const thing = await pool.acquire()
      const waiting = pool.acquire()
      let drained = false
      const draining = pool.drain().then((value) => {
        drained = true
        return value
      })
      await expect(pool.acquire()).rejects.toThrow('pool is draining and cannot accept work')
      await pool.release(thing)
      const last = await waiting
      await delay(2)
      expect(drained).toBe(false)
      await pool.release(last)
      expect(await draining).toBeUndefined()
      expect(pool.available).toBe(1)
    })

    it('followed by clear leaves nothing', async () => {
      const { pool, factory } = open({ min: 2, max: 3 })
      const things = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
      for (const thing of things) await pool.release(thing)
      await pool.drain()
      expect(await pool.clear()).toBeUndefined()
      expect(destroyed(factory).sort()).toEqual([1, 2, 3])
      expect(pool.size).toBe(0)
    })

    it('may be called for a pool that nobody has used, and twice', async () => {
      const { pool } = open()
      await pool.drain()
      await pool.drain()
      await pool.clear()
    })
  })

  it('clear destroys what is free, and min are made anew', async () => {
    const { pool, factory } = open({ min: 1, max: 2 })
    await pool.ready()
    await pool.clear()
    expect(destroyed(factory)).toEqual([1])
    await until(() => vi.mocked(factory.create).mock.calls.length === 2)
  })
})
