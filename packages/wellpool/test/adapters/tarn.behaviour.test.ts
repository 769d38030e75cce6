import { setTimeout as delay } from 'node:timers/promises'
import * as tarn from 'tarn'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Pool, type TarnPoolOptions, TimeoutError } from '../../src/adapters/tarn.ts'

/** What stands where tarn stands is held to be the same by being asked the same. What is different: tarn.differences.test.ts. */
const POOLS = [
  { name: 'tarn', PoolClass: tarn.Pool as unknown as typeof Pool, TimeoutClass: tarn.TimeoutError },
  { name: 'wellpool/tarn', PoolClass: Pool, TimeoutClass: TimeoutError },
]

interface Thing {
  readonly id: number
}

/** Waits for what has no event. The test's time-out is the limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(2)
}

const EVENTS = [
  'acquireRequest',
  'acquireSuccess',
  'acquireFail',
  'release',
  'createRequest',
  'createSuccess',
  'createFail',
  'destroyRequest',
  'destroySuccess',
  'destroyFail',
  'startReaping',
  'stopReaping',
  'poolDestroyRequest',
  'poolDestroySuccess',
] as const

describe.each(POOLS)('$name', ({ PoolClass, TimeoutClass }) => {
  let pools: Pool<Thing>[] = []

  /** A pool of things that are counted. */
  const open = (options: Partial<TarnPoolOptions<Thing>> = {}) => {
    let made = 0
    const factory = {
      create: vi.fn((): unknown => Promise.resolve({ id: ++made })),
      destroy: vi.fn((_: Thing): unknown => Promise.resolve()),
    }
    const given = { ...factory, min: 0, max: 2, ...options }
    const pool = new PoolClass<Thing>(given)
    pools.push(pool)
    return { pool, factory: given as typeof factory & typeof given }
  }
  const listen = (pool: Pool<Thing>): unknown[][] => {
    const heard: unknown[][] = []
    for (const event of EVENTS) pool.on(event, (...values: unknown[]) => heard.push([event, ...values]))
    return heard
  }
  const names = (heard: unknown[][]): unknown[] => heard.map(([name]) => name)
  const destroyed = (factory: { destroy: TarnPoolOptions<Thing>['destroy'] }): number[] =>
    vi.mocked(factory.destroy).mock.calls.map(([{ id }]) => id)

  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.destroy()))
    pools = []
  })

  describe('acquire', () => {
    it('creates a resource when there is none, and takes the one that was released last', async () => {
      const { pool, factory } = open()
      const [first, second] = await Promise.all([pool.acquire().promise, pool.acquire().promise])
      expect([first.id, second.id].sort()).toEqual([1, 2])
      pool.release(first)
      pool.release(second)
      expect(await pool.acquire().promise).toBe(second)
      expect(await pool.acquire().promise).toBe(first)
      expect(factory.create).toHaveBeenCalledTimes(2)
      for (const thing of [first, second]) pool.release(thing)
    })

    it('makes no more than max, and serves in the order of asking', async () => {
      const { pool, factory } = open()
      const served: number[] = []
      await Promise.all(
        [1, 2, 3, 4, 5].map(async (number) => {
          const thing = await pool.acquire().promise
          served.push(number)
          await delay(2)
          pool.release(thing)
        }),
      )
      expect(served).toEqual([1, 2, 3, 4, 5])
      expect(factory.create).toHaveBeenCalledTimes(2)
    })

    it('ends with aborted when it is aborted, and the others keep their places', async () => {
      const { pool } = open({ max: 1 })
      const thing = await pool.acquire().promise
      const [first, second] = [pool.acquire(), pool.acquire()]
      const failed = first.promise.catch((error: unknown) => error)
      expect(first.isRejected).toBe(false)
      first.abort()
      expect(await failed).toEqual(new Error('aborted'))
      expect(first.isRejected).toBe(true)
      expect(pool.numPendingAcquires()).toBe(1)
      pool.release(thing)
      expect(await second.promise).toBe(thing)
      second.abort()
      expect(second.isRejected).toBe(false)
      pool.release(thing)
    })

    it('ends with a TimeoutError after acquireTimeoutMillis', async () => {
      const { pool } = open({ max: 1, acquireTimeoutMillis: 30 })
      const thing = await pool.acquire().promise
      const pending = pool.acquire()
      const error = await pending.promise.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(TimeoutClass)
      expect(error).toMatchObject({ message: 'operation timed out for an unknown reason' })
      expect([pending.isRejected, pool.numPendingAcquires()]).toEqual([true, 0])
      pool.release(thing)
    })

    it('that times out says why the latest create has failed', async () => {
      const { pool } = open({
        create: () => Promise.reject(new Error('no route')),
        acquireTimeoutMillis: 60,
        createRetryIntervalMillis: 10,
      })
      const pending = pool.acquire()
      const error = await pending.promise.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(TimeoutClass)
      expect(error).toMatchObject({ message: 'no route' })
      expect(pending.possibleTimeoutCause).toEqual(new Error('no route'))
    })
  })

  describe('create', () => {
    it.each<[string, TarnPoolOptions<Thing>['create']]>([
      ['returns', () => ({ id: 7 })],
      ['fulfils', async () => ({ id: 7 })],
      ['calls back', (callback) => void callback(null, { id: 7 })],
      ['calls back later', (callback) => void setTimeout(() => callback(null, { id: 7 }), 2)],
    ])('%s', async (_, create) => {
      const { pool } = open({ create })
      const thing = await pool.acquire().promise
      expect(thing).toEqual({ id: 7 })
      pool.release(thing)
    })

    it('that fails is tried again', async () => {
      let tries = 0
      const { pool } = open({
        create: (callback) => {
          tries++
          if (tries === 1) throw new Error('throws')
          if (tries === 2) return Promise.reject(new Error('rejects'))
          if (tries === 3) return void callback(new Error('calls back'))
          return { id: tries }
        },
        createRetryIntervalMillis: 5,
      })
      const heard = listen(pool)
      const thing = await pool.acquire().promise
      expect(thing.id).toBe(4)
      const failures = heard.filter(([name]) => name === 'createFail').map(([, , error]) => (error as Error).message)
      expect(failures).toEqual(['throws', 'rejects', 'calls back'])
      pool.release(thing)
    })

    it('that fails is told to who has waited longest with propagateCreateError', async () => {
      let tries = 0
      const failure = new Error('refused')
      const { pool } = open({
        max: 1,
        propagateCreateError: true,
        create: () => (++tries === 1 ? Promise.reject(failure) : Promise.resolve({ id: tries })),
        createRetryIntervalMillis: 5,
      })
      const [first, second] = [pool.acquire(), pool.acquire()]
      await expect(first.promise).rejects.toBe(failure)
      const thing = await second.promise
      expect(thing.id).toBe(2)
      pool.release(thing)
    })

    it('that takes longer than createTimeoutMillis has failed, and what comes of it later is destroyed', async () => {
      let tries = 0
      const { pool, factory } = open({
        max: 1,
        createTimeoutMillis: 30,
        createRetryIntervalMillis: 5,
        create: () => (++tries === 1 ? delay(80).then(() => ({ id: 1 })) : { id: tries }),
      })
      const heard = listen(pool)
      const thing = await pool.acquire().promise
      expect(thing.id).toBe(2)
      expect(heard.find(([name]) => name === 'createFail')).toEqual(['createFail', expect.any(Number), expect.any(TimeoutClass)])
      await until(() => destroyed(factory).includes(1))
      pool.release(thing)
    })
  })

  describe('validate', () => {
    it.each<[string, (valid: boolean) => unknown]>([
      ['returns', (valid) => valid],
      ['fulfils', async (valid) => valid],
      ['throws or not', (valid) => valid || expect.unreachable()],
      ['rejects or not', (valid) => (valid ? true : Promise.reject(new Error('no answer')))],
    ])('%s: it is asked each time, and what it refuses is destroyed', async (_, answer) => {
      let broken = 0
      const log = vi.fn()
      const validate = vi.fn(({ id }: Thing) => answer(id !== broken))
      const { pool, factory } = open({ max: 1, validate, log })
      const thing = await pool.acquire().promise
      pool.release(thing)
      validate.mockClear()
      expect(await pool.acquire().promise).toBe(thing)
      expect(validate).toHaveBeenCalledWith(thing)
      pool.release(thing)
      broken = 1
      const next = await pool.acquire().promise
      expect(next.id).toBe(2)
      expect(destroyed(factory)).toEqual([1])
      pool.release(next)
    })

    it('under way is counted', async () => {
      let answer = (_: boolean): void => {}
      const { pool } = open({ validate: () => new Promise((resolve) => (answer = resolve)) })
      const pending = pool.acquire()
      answer(true)
      await until(() => {
        answer(true)
        return pool.numPendingAcquires() + pool.numPendingValidations() === 0
      })
      const thing = await pending.promise
      pool.release(thing)
      const again = pool.acquire()
      await until(() => pool.numPendingValidations() === 1)
      expect([pool.numUsed(), pool.numFree(), pool.numPendingAcquires()]).toEqual([1, 0, 0])
      answer(true)
      pool.release(await again.promise)
    })
  })

  describe('release', () => {
    it('takes back what create has returned several times as often as it was lent', async () => {
      const thing = { id: 1 }
      const { pool } = open({ create: () => thing })
      await pool.acquire().promise
      await pool.acquire().promise
      expect(pool.numUsed()).toBe(2)
      expect([pool.release(thing), pool.release(thing), pool.release(thing)]).toEqual([true, true, false])
      expect(pool.numUsed()).toBe(0)
      expect(pool.numFree()).toBe(2)
    })

    it('says whether the resource was borrowed', async () => {
      const { pool } = open()
      const thing = await pool.acquire().promise
      expect(pool.release({ id: 1 })).toBe(false)
      expect(pool.release(thing)).toBe(true)
      expect(pool.release(thing)).toBe(false)
    })
  })

  it('counts', async () => {
    const { pool } = open()
    const counts = () => [pool.numUsed(), pool.numFree(), pool.numPendingAcquires(), pool.numPendingCreates(), pool.numPendingValidations()]
    expect(counts()).toEqual([0, 0, 0, 0, 0])
    expect(pool.isEmpty()).toBe(true)
    const things = await Promise.all([pool.acquire().promise, pool.acquire().promise])
    expect(counts()).toEqual([2, 0, 0, 0, 0])
    const waiting = pool.acquire()
    expect(counts()).toEqual([2, 0, 1, 0, 0])
    for (const thing of things) pool.release(thing)
    pool.release(await waiting.promise)
    expect(counts()).toEqual([0, 2, 0, 0, 0])
    expect(pool.isEmpty()).toBe(false)
  })

  describe('events', () => {
    it('come in order, with a number for each request and what it is about', async () => {
      const { pool } = open()
      const heard = listen(pool)
      const thing = await pool.acquire().promise
      pool.release(thing)
      expect(heard).toEqual([
        ['acquireRequest', expect.any(Number)],
        ['createRequest', expect.any(Number)],
        ['createSuccess', expect.any(Number), thing],
        ['startReaping'],
        ['acquireSuccess', expect.any(Number), thing],
        ['release', thing],
      ])
      const numbers = heard.map(([, number]) => number)
      expect(numbers[0]).toBe(numbers[4])
      expect(numbers[1]).toBe(numbers[2])
      expect(numbers[0]).not.toBe(numbers[1])
      heard.length = 0
      await pool.destroy()
      expect(heard).toEqual([
        ['poolDestroyRequest', expect.any(Number)],
        ['stopReaping'],
        ['destroyRequest', expect.any(Number), thing],
        ['destroySuccess', expect.any(Number), thing],
        ['poolDestroySuccess', expect.any(Number)],
      ])
    })

    it('of a wait that fails have its number and its error', async () => {
      const { pool } = open({ max: 1 })
      const thing = await pool.acquire().promise
      const heard = listen(pool)
      const pending = pool.acquire()
      pending.abort()
      await pending.promise.catch(() => {})
      expect(heard).toEqual([
        ['acquireRequest', expect.any(Number)],
        ['acquireFail', heard[0]?.[1], new Error('aborted')],
      ])
      pool.release(thing)
    })

    it.each<[string, (thing: Thing) => unknown]>([
      ['throws', () => expect.unreachable()],
      ['rejects', () => Promise.reject(new Error('stuck'))],
    ])('tell of a destroy that %s', async (_, destroy) => {
      const log = vi.fn()
      const { pool } = open({ destroy, log })
      pool.release(await pool.acquire().promise)
      const heard = listen(pool)
      await pool.destroy()
      expect(heard.find(([name]) => name === 'destroyFail')).toEqual(['destroyFail', expect.any(Number), { id: 1 }, expect.any(Error)])
      expect(log).toHaveBeenCalledWith(expect.any(String), 'warn')
    })

    it('tell of a destroy that takes longer than destroyTimeoutMillis', async () => {
      const { pool } = open({ destroy: () => new Promise(() => {}), destroyTimeoutMillis: 20 })
      pool.release(await pool.acquire().promise)
      const heard = listen(pool)
      await pool.destroy()
      expect(heard.find(([name]) => name === 'destroyFail')?.[3]).toBeInstanceOf(TimeoutClass)
    })

    it('tell of it also when the process was busy when the destroy began', async () => {
      const { pool } = open({ destroy: () => new Promise(() => {}), destroyTimeoutMillis: 20 })
      pool.release(await pool.acquire().promise)
      const heard = listen(pool)
      pool.on('destroyRequest', () => {
        const until = performance.now() + 10
        while (performance.now() < until);
      })
      await pool.destroy()
      expect(heard.find(([name]) => name === 'destroyFail')?.[3]).toBeInstanceOf(TimeoutClass)
    })

    it('reach every listener, whatever one of them throws', async () => {
      const log = vi.fn()
      const { pool } = open({ log })
      const heard = vi.fn()
      pool.on('release', () => expect.unreachable())
      pool.on('release', heard)
      pool.release(await pool.acquire().promise)
      expect(heard).toHaveBeenCalledOnce()
      expect(log).toHaveBeenCalledWith(expect.stringContaining('release'), 'warn')
    })

    it('reach nobody who has been taken off', async () => {
      const { pool } = open()
      const heard = vi.fn()
      pool.on('release', heard)
      pool.on('acquireSuccess', heard)
      pool.removeListener('release', heard)
      pool.release(await pool.acquire().promise)
      expect(heard).toHaveBeenCalledOnce()
      pool.removeAllListeners('acquireSuccess')
      pool.release(await pool.acquire().promise)
      expect(heard).toHaveBeenCalledOnce()
    })
  })

  describe('time', () => {
    it('has what is free for longer than idleTimeoutMillis destroyed, down to min', async () => {
      const { pool, factory } = open({ min: 1, max: 3, idleTimeoutMillis: 30, reapIntervalMillis: 10 })
      const things = await Promise.all([pool.acquire().promise, pool.acquire().promise, pool.acquire().promise])
      for (const thing of things) pool.release(thing)
      await until(() => destroyed(factory).length === 2)
      await delay(50)
      expect([pool.numFree(), destroyed(factory).length]).toEqual([1, 2])
    })

    it('ends the look at what is free when there is nothing', async () => {
      const { pool } = open({ idleTimeoutMillis: 20, reapIntervalMillis: 10 })
      const heard = listen(pool)
      pool.release(await pool.acquire().promise)
      await until(() => names(heard).includes('stopReaping'))
      expect(pool.isEmpty()).toBe(true)
      pool.release(await pool.acquire().promise)
      expect(names(heard).filter((name) => name === 'startReaping')).toHaveLength(2)
      pool.check()
      expect(pool.numFree()).toBe(1)
    })
  })

  describe('destroy', () => {
    it('waits for what is borrowed, and aborts who waits', async () => {
      const { pool, factory } = open({ max: 1 })
      const thing = await pool.acquire().promise
      const waiting = pool.acquire().promise.catch((error: unknown) => error)
      let isOver = false
      const destroying = pool.destroy().then(() => {
        isOver = true
      })
      await delay(5)
      expect(isOver).toBe(false)
      pool.release(thing)
      expect(await waiting).toEqual(new Error('aborted'))
      await destroying
      expect(destroyed(factory)).toEqual([1])
    })

    it('waits for creates under way, and destroys what comes of them', async () => {
      const { pool, factory } = open({ create: () => delay(20).then(() => ({ id: 1 })) })
      const waiting = pool.acquire().promise.catch((error: unknown) => error)
      await delay(1)
      await pool.destroy()
      expect(await waiting).toEqual(new Error('aborted'))
      expect(destroyed(factory)).toEqual([1])
    })

    it('waits for no create that was given up', async () => {
      const { pool } = open({ max: 1, createTimeoutMillis: 20, acquireTimeoutMillis: 50, create: () => new Promise(() => {}) })
      await expect(pool.acquire().promise).rejects.toBeInstanceOf(TimeoutClass)
      await pool.destroy()
    })

    it('of a pool that nobody has used', async () => {
      await open({ min: 2 }).pool.destroy()
    })
  })
})
