import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import type { Factory, GenericPoolOptions, Pool } from '../../src/adapters/generic-pool.ts'

/** Makes a pool of numbered things; what a factory does otherwise is given. */
export type OpenPool = (options?: GenericPoolOptions, factory?: Partial<Factory<{ id: number }>>) => Pool<{ id: number }>

/** One thing that `wellpool/generic-pool` does otherwise on purpose. Its title stands in docs/migrating.md. */
export interface Difference {
  readonly title: string
  readonly run: (open: OpenPool) => Promise<unknown>
  /** What comes of it with generic-pool, and with ours. */
  readonly genericPool: unknown
  readonly wellpool: unknown
}

const outcome = (promise: Promise<unknown>, within = 200): Promise<string> =>
  Promise.race([
    promise.then(
      () => 'fulfilled',
      (error: Error) => `rejected: ${error.message}`,
    ),
    delay(within).then(() => 'pending'),
  ])

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(2)
}

export const DIFFERENCES: readonly Difference[] = [
  {
    title: 'A create that fails is tried again with a backoff',
    run: async (open) => {
      let tries = 0
      let isOver = false
      const pool = open(
        {},
        {
          create: async () => {
            tries++
            // A turn of the event loop, without which it would never turn again.
            await setImmediate()
            if (isOver) return { id: tries }
            throw new Error('refused')
          },
        },
      )
      const waiting = pool.acquire()
      await delay(100)
      const often = tries > 30
      isOver = true
      await waiting
      return often ? 'dozens of tries within 100 ms' : 'a few tries within 100 ms'
    },
    genericPool: 'dozens of tries within 100 ms',
    wellpool: 'a few tries within 100 ms',
  },
  {
    title: 'A validate that fails costs no place',
    run: async (open) => {
      // Before the test runner's own listeners, which would fail the run.
      const listeners = process.listeners('unhandledRejection')
      process.removeAllListeners('unhandledRejection')
      const unhandled: unknown[] = []
      process.on('unhandledRejection', (error) => unhandled.push(error))
      try {
        let failing = false
        const pool = open(
          { testOnBorrow: true, wellpool: { healthRecheckInterval: 5 } },
          { validate: () => (failing ? Promise.reject(new Error('no answer')) : Promise.resolve(true)) },
        )
        await pool.release(await pool.acquire())
        failing = true
        const waiting = outcome(pool.acquire(), 1000)
        await delay(20)
        failing = false
        return { acquire: await waiting, unhandled: unhandled.length }
      } finally {
        process.removeAllListeners('unhandledRejection')
        for (const listener of listeners) process.on('unhandledRejection', listener)
      }
    },
    genericPool: { acquire: 'pending', unhandled: 1 },
    wellpool: { acquire: 'fulfilled', unhandled: 0 },
  },
  {
    title: 'A create that never settles is given up',
    run: async (open) => {
      let calls = 0
      const pool = open(
        { wellpool: { connectTimeout: 30 } },
        { create: () => (++calls === 1 ? new Promise<never>(() => {}) : Promise.resolve({ id: calls })) },
      )
      pool.on('factoryCreateError', () => {})
      return outcome(pool.acquire(), 2000)
    },
    genericPool: 'pending',
    wellpool: 'fulfilled',
  },
  {
    title: 'What validate finds broken is replaced before anybody asks',
    run: async (open) => {
      let broken = 0
      let made = 0
      const pool = open(
        { wellpool: { healthCheckInterval: 20 } },
        {
          create: async () => ({ id: ++made }),
          validate: async ({ id }) => id !== broken,
        },
      )
      await pool.release(await pool.acquire())
      broken = 1
      await delay(150)
      const { id } = await pool.acquire()
      return id
    },
    genericPool: 1,
    wellpool: 2,
  },
  {
    title: 'What was created this moment is not validated',
    run: async (open) => {
      let asked = 0
      const pool = open({ testOnBorrow: true }, { validate: async () => ++asked > 0 })
      await pool.release(await pool.acquire())
      return asked
    },
    genericPool: 1,
    wellpool: 0,
  },
  {
    title: 'A time that is too long for a timer is for ever',
    run: async (open) => {
      const pool = open({ acquireTimeoutMillis: 2 ** 31 })
      const thing = await pool.acquire()
      const found = outcome(pool.acquire(), 30)
      await found
      await pool.release(thing)
      return found
    },
    genericPool: 'rejected: ResourceRequest timed out',
    wellpool: 'pending',
  },
  {
    title: 'Errors of time-outs say why',
    run: async (open) => {
      const pool = open({ acquireTimeoutMillis: 20 })
      await pool.acquire()
      const { cause } = (await pool.acquire().catch((error: Error) => error)) as Error & { cause?: { verdict?: string; waiting?: number } }
      return cause && { verdict: cause.verdict, waiting: cause.waiting }
    },
    genericPool: undefined,
    wellpool: { verdict: 'saturated', waiting: 1 },
  },
  {
    title: 'use ends whatever its function does',
    run: async (open) => {
      const pool = open()
      await pool
        .use(() => {
          throw new Error('at once')
        })
        .catch(() => {})
      return pool.borrowed
    },
    genericPool: 1,
    wellpool: 0,
  },
  {
    title: 'testOnReturn is obeyed',
    run: async (open) => {
      let asked = 0
      const pool = open({ testOnReturn: true }, { validate: async () => ++asked > 0 })
      await pool.release(await pool.acquire())
      await delay(10)
      return asked
    },
    genericPool: 0,
    wellpool: 1,
  },
  {
    title: 'clear leaves nothing that was destroyed',
    run: async (open) => {
      const destroyed: number[] = []
      const pool = open({ min: 1, max: 2 }, { destroy: async ({ id }) => void destroyed.push(id) })
      await pool.ready()
      await pool.clear()
      await until(() => pool.available > 0)
      const { id } = await pool.acquire()
      return destroyed.includes(id) ? 'a destroyed resource is handed out' : 'a new resource is handed out'
    },
    genericPool: 'a destroyed resource is handed out',
    wellpool: 'a new resource is handed out',
  },
  {
    title: 'clear has what is borrowed destroyed when it comes back',
    run: async (open) => {
      const destroyed: number[] = []
      const pool = open({}, { destroy: async ({ id }) => void destroyed.push(id) })
      const thing = await pool.acquire()
      await pool.clear()
      await pool.release(thing)
      await delay(10)
      return destroyed.length
    },
    genericPool: 0,
    wellpool: 1,
  },
  {
    title: 'What is being destroyed keeps its place until it is',
    run: async (open) => {
      let made = 0
      const pool = open({}, { create: async () => ({ id: ++made }), destroy: () => new Promise(() => {}) })
      await pool.destroy(await pool.acquire())
      return outcome(pool.acquire(), 100)
    },
    genericPool: 'fulfilled',
    wellpool: 'pending',
  },
  {
    title: 'A number that is none is refused',
    run: async (open) => {
      try {
        open({ max: 'many' } as never)
        return 'taken'
      } catch (error) {
        return (error as Error).message
      }
    },
    genericPool: 'taken',
    wellpool: 'wrong option: max: got many, allowed is a number',
  },
]
