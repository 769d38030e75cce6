import { setTimeout as delay } from 'node:timers/promises'
import type { Pool, TarnPoolOptions } from '../../src/adapters/tarn.ts'

/** Makes a pool of numbered things; what is to be otherwise is given. */
export type OpenPool = (options?: Partial<TarnPoolOptions<{ id: number }>>) => Pool<{ id: number }>

/** One thing that `wellpool/tarn` does otherwise on purpose. Its title stands in docs/migrating.md. */
export interface Difference {
  readonly title: string
  readonly run: (open: OpenPool) => Promise<unknown>
  /** What comes of it with tarn, and with ours. */
  readonly tarn: unknown
  readonly wellpool: unknown
}

const outcome = (promise: Promise<unknown>, within: number): Promise<string> =>
  Promise.race([
    promise.then(
      () => 'fulfilled',
      (error: Error) => `rejected: ${error.message}`,
    ),
    delay(within).then(() => 'pending'),
  ])

export const DIFFERENCES: readonly Difference[] = [
  {
    title: 'min is kept open',
    run: async (open) => {
      const pool = open({ min: 3, max: 5 })
      pool.release(await pool.acquire().promise)
      await delay(20)
      return pool.numFree()
    },
    tarn: 1,
    wellpool: 3,
  },
  {
    title: 'While creates fail there is one try at a time',
    run: async (open) => {
      let isDown = true
      let tries = 0
      let underWay = 0
      let most = 0
      const pool = open({
        max: 5,
        createRetryIntervalMillis: 20,
        create: async () => {
          // That it is down has to be found out first.
          const isFirst = tries++ < 5
          if (!isFirst) most = Math.max(most, ++underWay)
          await delay(10)
          if (!isFirst) underWay--
          if (isDown) throw new Error('refused')
          return { id: tries }
        },
      })
      const waiting = Array.from({ length: 5 }, () => pool.acquire().promise)
      await delay(150)
      const found = most > 1 ? 'several at a time' : 'one at a time'
      isDown = false
      for (const thing of await Promise.all(waiting)) pool.release(thing)
      return found
    },
    tarn: 'several at a time',
    wellpool: 'one at a time',
  },
  {
    title: 'What validate finds broken is replaced before anybody asks',
    run: async (open) => {
      let broken = 0
      let made = 0
      let creates = 0
      const pool = open({
        create: async () => {
          creates++
          return { id: ++made }
        },
        validate: ({ id }) => id !== broken,
        wellpool: { healthCheckInterval: 20 },
      } as Partial<TarnPoolOptions<{ id: number }>>)
      pool.release(await pool.acquire().promise)
      broken = 1
      await delay(150)
      return creates
    },
    tarn: 1,
    wellpool: 2,
  },
  {
    title: 'What was created this moment is not validated',
    run: async (open) => {
      let asked = 0
      const pool = open({ validate: () => ++asked > 0 })
      pool.release(await pool.acquire().promise)
      return asked
    },
    tarn: 1,
    wellpool: 0,
  },
  {
    title: 'Errors of time-outs say why',
    run: async (open) => {
      const pool = open({ max: 1, acquireTimeoutMillis: 20 })
      const thing = await pool.acquire().promise
      const error = (await pool.acquire().promise.catch((reason: unknown) => reason)) as Error & {
        cause?: { verdict?: string; waiting?: number }
      }
      pool.release(thing)
      return error.cause && { verdict: error.cause.verdict, waiting: error.cause.waiting }
    },
    tarn: undefined,
    wellpool: { verdict: 'saturated', waiting: 1 },
  },
  {
    title: 'After destroy an acquire fails at once',
    run: async (open) => {
      const pool = open({ acquireTimeoutMillis: 200 })
      await pool.destroy()
      const { promise } = pool.acquire()
      const found = await outcome(promise, 50)
      await promise.catch(() => {})
      return found
    },
    tarn: 'pending',
    wellpool: 'rejected: aborted',
  },
  {
    title: 'destroy fulfils with nothing',
    run: async (open) => typeof (await open().destroy()),
    tarn: 'object',
    wellpool: 'undefined',
  },
  {
    title: 'removeAllListeners takes all of them off',
    run: async (open) => {
      const pool = open()
      let heard = 0
      pool.on('release', () => heard++)
      pool.removeAllListeners()
      pool.release(await pool.acquire().promise)
      return heard
    },
    tarn: 1,
    wellpool: 0,
  },
  {
    title: 'Wrong options are refused all at once',
    run: async (open) => {
      try {
        open({ min: 2, max: 0, idleTimeout: 5 } as never)
        return 'taken'
      } catch (error) {
        const problems = (error as { problems?: { path: string }[] }).problems ?? []
        return problems.length > 0 ? problems.map(({ path }) => path) : 'the first of them'
      }
    },
    tarn: 'the first of them',
    wellpool: ['max', 'idleTimeout'],
  },
]
