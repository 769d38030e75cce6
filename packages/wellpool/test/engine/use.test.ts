import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { ConnectionLostError, type UseContext } from '../../src/index.ts'
import type { FakeClient } from '../../src/testing/index.ts'
import { setUp, track } from './set-up.ts'

const forever = (): Promise<never> => new Promise(() => {})

describe('use', () => {
  test('gives what its function gives, and its client back', async () => {
    const { clock, pool } = setUp()
    expect(await clock.until(pool.use((client) => client.id * 10))).toBe(10)
    expect(await clock.until(pool.use(async () => 'promised'))).toBe('promised')
    expect(pool.stats()).toMatchObject({ idle: 1, acquired: 0, leased: 2 })
    expect(pool.connections()).toMatchObject([{ requests: 2, errors: 0, health: 'healthy' }])
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('mine')
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('gives its client back when its function %s, and the error to the caller as it is', async (_, run) => {
    const { clock, pool } = setUp()
    await expect(clock.until(pool.use(run))).rejects.toThrow('mine')
    expect(pool.stats()).toMatchObject({ idle: 1, acquired: 0 })
    expect(pool.connections()).toMatchObject([{ requests: 1, errors: 1 }])
  })

  test('counts a rejection without a reason as a failure', async () => {
    const { clock, pool } = setUp()
    await expect(clock.until(pool.use(() => Promise.reject()))).rejects.toBeUndefined()
    expect(pool.connections()).toMatchObject([{ requests: 1, errors: 1 }])
  })

  test('does not run its function when its signal is aborted already', async () => {
    const { pool, driver } = setUp()
    let ran = false
    const use = pool.use(() => (ran = true), { signal: AbortSignal.abort(new Error('too late')) })
    await expect(use).rejects.toThrow('too late')
    expect([ran, driver.ledger.connects.length]).toEqual([false, 0])
  })

  test('settles when its function does, although timeout has passed meanwhile', async () => {
    const { clock, pool } = setUp()
    const use = track(pool.use(() => new Promise((resolve) => clock.arrive(1000, () => resolve('late'))), { timeout: 10 }))
    await clock.advance(1005)
    expect(use.value).toBe('late')
  })
})

describe('a use whose client is lost', () => {
  test('rejects with CONNECTION_LOST at once, although its function never settles', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    const use = track(pool.use(forever))
    await clock.advance(5)
    driver.lose(client(1), new Error('socket hang up'))
    await clock.settle()
    expect(use.error).toBeInstanceOf(ConnectionLostError)
    expect(use.error).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('socket hang up') })
  })

  test('has come to what its function came to, if that settled in the same turn before the loss', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    let answer = (_: string): void => {}
    const use = track(
      pool.use(
        () =>
          new Promise<string>((resolve) => {
            answer = resolve
          }),
      ),
    )
    await clock.advance(5)
    answer('in time')
    driver.lose(client(1))
    await clock.settle()
    expect(use.value).toBe('in time')
    expect(pool.stats()).toMatchObject({ leased: 1, acquired: 0 })
  })

  test('has had its one release, whatever its function comes to afterwards', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    const use = track(pool.use(() => new Promise((_, reject) => clock.arrive(50, () => reject(new Error('long after'))))))
    const released: number[] = []
    pool.on('connectionReleased', ({ generation }) => released.push(generation as number))
    await clock.advance(5)
    driver.lose(client(1))
    await clock.advance(100)
    expect(use.error).toBeInstanceOf(ConnectionLostError)
    expect(released).toEqual([1])
  })

  test('has its signal aborted with that error', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    let context: UseContext | undefined
    const use = track(
      pool.use((_, given) => {
        context = given
        return forever()
      }),
    )
    await clock.advance(5)
    const signal = context?.signal
    expect(signal?.aborted).toBe(false)
    driver.lose(client(1))
    await clock.settle()
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toBe(use.error)
  })

  test('does not run again without idempotent', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    let runs = 0
    const use = track(
      pool.use(() => {
        runs++
        return forever()
      }),
    )
    await clock.advance(5)
    driver.lose(client(1))
    await clock.advance(100)
    expect([runs, use.status]).toEqual([1, 'rejected'])
  })

  test('runs again on another connection with idempotent, and knows which attempt it is', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    const runs: [number, number][] = []
    const run = (one: FakeClient, { attempt }: UseContext): Promise<string> | string => {
      runs.push([one.id, attempt])
      return attempt < 3 ? forever() : 'done'
    }
    const use = track(pool.use(run, { idempotent: true }))
    await clock.advance(5)
    driver.lose(client(1))
    await clock.advance(5)
    driver.lose(client(2))
    await clock.advance(5)
    expect(runs).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    expect(use.value).toBe('done')
  })

  test.each([
    [undefined, 3],
    [1, 1],
    [5, 5],
  ])('runs at most attempts times: %s gives %i', async (attempts, expected) => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1, ...(attempts !== undefined && { attempts }) })
    let runs = 0
    const use = track(
      pool.use(
        () => {
          runs++
          return forever()
        },
        { idempotent: true },
      ),
    )
    for (let id = 1; id <= 8 && use.status === 'pending'; id++) {
      await clock.advance(5)
      driver.lose(client(id))
      await clock.settle()
    }
    expect([runs, (use.error as ConnectionLostError).code]).toEqual([expected, 'CONNECTION_LOST'])
  })

  test('runs again also when its function rejects because of the loss', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    const run = (one: FakeClient, { signal }: UseContext): Promise<string> | string =>
      one.id > 1 ? 'done' : new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('my own'))))
    const use = track(pool.use(run, { idempotent: true }))
    await clock.advance(5)
    driver.lose(client(1))
    await clock.advance(10)
    expect(use.value).toBe('done')
  })

  test('does not run again when its caller has aborted', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    const controller = new AbortController()
    let runs = 0
    const run = (): Promise<never> => {
      runs++
      return forever()
    }
    const use = track(pool.use(run, { idempotent: true, signal: controller.signal }))
    await clock.advance(5)
    controller.abort()
    driver.lose(client(1))
    await clock.advance(100)
    expect([runs, use.status]).toEqual([1, 'rejected'])
  })

  test('does not run again after an error of its own', async () => {
    const { clock, pool } = setUp()
    let runs = 0
    const run = (): never => {
      runs++
      throw new Error('mine')
    }
    await expect(clock.until(pool.use(run, { idempotent: true }))).rejects.toThrow('mine')
    expect(runs).toBe(1)
  })

  test.each(['a reset that fails', 'a rebuild that waits for its release'])(
    'does not run again after an error of its own and %s',
    async (what) => {
      const { clock, driver, fate, pool, start } = setUp({ minConnections: 1, driver: { classify: () => 'application' } })
      await start()
      const id = pool.connections()[0]?.id as string
      if (what === 'a reset that fails') driver.next('reset', { do: 'throw', error: new Error('dirty') })
      let runs = 0
      const use = pool.use(
        () => {
          runs++
          if (what !== 'a reset that fails') void track(pool.rebuildConnectionById(id, { urgent: true }))
          throw new Error('duplicate key')
        },
        { idempotent: true },
      )
      await expect(clock.until(use)).rejects.toThrow('duplicate key')
      expect([runs, fate(1)]).toEqual([1, 'destroyed'])
    },
  )

  test('waits for its next connection no longer than what is left of timeout, over all attempts', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    driver.always('connect', { do: 'fulfil', afterMs: 60 })
    const use = track(pool.use(forever, { idempotent: true, timeout: 100 }))
    // The first wait takes 60 ms of the time; how long the function runs does not count.
    await clock.advance(1060)
    driver.lose(client(1))
    await clock.advance(39)
    expect(use.status).toBe('pending')
    await clock.advance(1)
    expect(use.error).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
  })

  test('keeps its place in the queue when it runs again', async () => {
    const { client, clock, driver, pool } = setUp({ maxConnections: 1 })
    const order: string[] = []
    const first = track(
      pool.use(
        (one) => {
          order.push(`first on ${one.id}`)
          return one.id === 1 ? forever() : 'done'
        },
        { idempotent: true },
      ),
    )
    await clock.advance(1)
    const second = track(
      pool.use((one) => {
        order.push(`second on ${one.id}`)
      }),
    )
    await clock.advance(100)
    driver.lose(client(1))
    await clock.advance(10)
    expect([first.status, second.status]).toEqual(['fulfilled', 'fulfilled'])
    expect(order).toEqual(['first on 1', 'first on 2', 'second on 2'])
  })
})

describe('the signal of a use', () => {
  test('is aborted with the caller’s, with the same reason', async () => {
    const { clock, pool } = setUp()
    const controller = new AbortController()
    let inner: AbortSignal | undefined
    const run = (_: FakeClient, { signal }: UseContext): Promise<string> => {
      inner = signal
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const use = track(pool.use(run, { signal: controller.signal }))
    await clock.advance(5)
    const reason = new Error('enough')
    controller.abort(reason)
    await clock.settle()
    expect([inner?.reason, use.error]).toEqual([reason, reason])
    expect(pool.stats()).toMatchObject({ acquired: 0 })
  })

  test('is left alone after the use has settled', async () => {
    const { client, clock, driver, pool, start } = setUp({ minConnections: 1 })
    await start()
    let inner: AbortSignal | undefined
    await pool.use((_, { signal }) => {
      inner = signal
    })
    driver.lose(client(1))
    await clock.settle()
    expect(inner?.aborted).toBe(false)
  })
})

test('a function that throws at once leaves no listener on the signal, and its own signal in peace', async () => {
  const { client, clock, driver, pool, start } = setUp({ minConnections: 1 })
  await start()
  const { signal } = new AbortController()
  let inner: AbortSignal | undefined
  const use = pool.use(
    (_, context) => {
      inner = context.signal
      throw new Error('at once')
    },
    { signal },
  )
  await expect(use).rejects.toThrow('at once')
  expect(getEventListeners(signal, 'abort')).toEqual([])
  driver.lose(client(1))
  await clock.settle()
  expect(inner?.aborted).toBe(false)
})
