import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { OpinionContext, PoolOptions } from '../../src/index.ts'
import { type FakeClient, type FakeDriverOptions, fail, hang, ok } from '../../src/testing/index.ts'
import { setUp as setUpPool, type TestPool, track } from './set-up.ts'

type Setup = PoolOptions & { driver?: Omit<FakeDriverOptions, 'clock'> }

interface OpinionPool extends TestPool {
  /** The clients asked about, and over which. */
  readonly asked: [about: number, over: number][]
  /** Begins an idempotent use that lasts until `end`, on a connection that it waits for. */
  readonly hold: () => Promise<{ end: () => void }>
  readonly holdMany: (count: number) => Promise<unknown>
  /** The same on client 1, with client 2 idle beside it. */
  readonly holdBesideIdle: () => Promise<{ end: () => void }>
}

/** A pool over a driver that gives second opinions. */
function setUp({ driver = {}, ...options }: Setup = {}): OpinionPool {
  const asked: [number, number][] = []
  const setup = setUpPool({
    ...options,
    driver: {
      hooks: ['secondOpinion', 'watch'],
      onCall: ({ hook, client, other }) => {
        if (hook === 'secondOpinion') asked.push([(client as FakeClient).id, (other as FakeClient).id])
      },
      ...driver,
    },
  })
  const begin = (): Promise<{ end: () => void }> =>
    new Promise((resolve) => {
      const use = (): Promise<void> => new Promise((end) => resolve({ end }))
      setup.pool.use(use, { idempotent: true }).catch(() => {})
    })
  const holdMany = (count: number): Promise<unknown> => setup.clock.until(Promise.all(Array.from({ length: count }, begin)))
  const hold = (): Promise<{ end: () => void }> => setup.clock.until(begin())
  const holdBesideIdle = async (): Promise<{ end: () => void }> => {
    const [held, idle] = await setup.clock.until(Promise.all([begin(), setup.pool.acquire()]))
    idle.release()
    return held
  }
  return { ...setup, asked, hold, holdMany, holdBesideIdle }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const GONE = ok(1, 'gone')
const WORKING = ok(1, 'working')

describe('a lease that is silent', () => {
  test('for 250 ms leads to a question over an idle connection, which serves on', async () => {
    const { asked, clock, driver, holdBesideIdle, pool, states } = setUp()
    const first = await holdBesideIdle()
    driver.next('secondOpinion', WORKING)
    await clock.advance(249)
    expect(asked).toEqual([])
    await clock.advance(1)
    expect(asked).toEqual([[1, 2]])
    expect(states()).toEqual(['acquired', 'checking'])
    await clock.advance(1)
    expect(states()).toEqual(['acquired', 'idle'])
    expect(pool.stats().secondOpinions).toEqual({ working: 1, gone: 0, unknown: 0 })
    first.end()
  })

  test('leads to a question of which nothing is left, although the driver has left a listener on its signal', async () => {
    const signals: WeakRef<AbortSignal>[] = []
    const { clock, driver, holdBesideIdle } = setUp({
      driver: {
        onCall: ({ hook, signal }) => {
          if (hook !== 'secondOpinion' || signal === undefined) return
          signal.addEventListener('abort', () => {})
          signals.push(new WeakRef(signal))
        },
      },
    })
    const first = await holdBesideIdle()
    driver.next('secondOpinion', WORKING)
    await clock.advance(251)
    first.end()
    await clock.settle()
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    expect(signals.map((signal) => signal.deref())).toEqual([undefined])
  })

  test('for less than ten times the usual use leads to none', async () => {
    const { asked, borrow, clock, hold, pool } = setUp()
    for (let use = 0; use < 8; use++) {
      const lease = await borrow()
      await clock.advance(100)
      lease.release()
    }
    const first = await hold()
    await clock.advance(999)
    expect(asked).toEqual([])
    await clock.advance(10)
    expect(asked).toHaveLength(1)
    expect(pool.stats().secondOpinions.unknown).toBe(1)
    first.end()
  })

  test('and cannot run again elsewhere leads to one after 1500 ms: a lost packet may have been sent again by then', async () => {
    const { asked, borrowMany, clock, driver } = setUp()
    const limits: number[] = []
    Object.assign(driver, {
      secondOpinion: async (_: FakeClient, __: FakeClient, { limit }: OpinionContext) => {
        limits.push(limit)
        return 'working'
      },
    })
    const [first, second] = await borrowMany(2)
    second?.release()
    await clock.advance(1499)
    expect(limits).toEqual([])
    await clock.advance(1)
    expect([limits, asked]).toEqual([[1500], []])
    first?.release()
  })

  test('is left alone by a driver without the hook', async () => {
    const { borrow, clock, driver } = setUpPool()
    const lease = await borrow()
    await clock.advance(60_000)
    expect(driver.ledger.connects).toHaveLength(1)
    lease.release()
  })

  test('leads to a new connection to ask over when none is idle, and that goes when it is too many', async () => {
    const { asked, clock, driver, hold, pool } = setUp({ maxConnections: 1 })
    const first = await hold()
    driver.next('secondOpinion', WORKING)
    await clock.advance(250)
    expect(pool.stats()).toMatchObject({ open: 2, connecting: 1 })
    await clock.advance(10)
    expect(asked).toEqual([[1, 2]])
    expect(pool.stats()).toMatchObject({ open: 1, acquired: 1 })
    expect(driver.ledger.maxOpen).toBe(2)
    first.end()
  })

  test('costs nobody a place while the new connection is not there yet', async () => {
    const { clock, driver, fate, holdBesideIdle, pool, states } = setUp({ maxConnections: 2, verifyIdleAfter: 100 })
    const first = await holdBesideIdle()
    driver.next('connect', ok(50))
    await clock.advance(250)
    expect(states()).toEqual(['acquired', 'idle', 'connecting'])
    pool.reconfigure({ maxWaiting: 5 })
    await clock.advance(40)
    expect([states(), fate(2)]).toEqual([['acquired', 'idle', 'connecting'], 'open'])
    await clock.advance(20)
    expect(pool.stats()).toMatchObject({ open: 2, total: 2, acquired: 1 })
    first.end()
  })

  test('takes no room that a rebuild without surge has made', async () => {
    const { asked, clock, driver, holdBesideIdle, pool } = setUp({ maxConnections: 2, rebuildMaxSurge: 0, driver: { closeMs: 300 } })
    const first = await holdBesideIdle()
    const rebuild = track(pool.rebuildConnectionById(pool.connections()[1]?.id as string))
    await clock.advance(320)
    expect(rebuild).toMatchObject({ status: 'fulfilled', value: { success: true } })
    expect([driver.ledger.connects.length, driver.ledger.maxOpen]).toEqual([3, 2])
    await clock.advance(1000)
    expect(asked.map(([about]) => about)).toContain(1)
    first.end()
  })

  test('is not asked about when it has ended before the new connection is there: that serves at once', async () => {
    const { asked, clock, driver, hold, pool, states } = setUp({ maxConnections: 2, rebuildMaxSurge: 0, driver: { closeMs: 300 } })
    const held = await hold()
    const rebuild = track(pool.rebuildConnectionById(pool.connections()[0]?.id as string))
    driver.next('connect', ok(50))
    await clock.advance(260)
    held.end()
    await clock.advance(60)
    expect([asked, states(), rebuild.status]).toEqual([[], ['rebuilding', 'idle'], 'pending'])
    expect(driver.ledger.problems()).toEqual([])
  })

  test('leads to nothing when its client has gone to the next borrower meanwhile', async () => {
    const { asked, borrow, clock, driver, pool } = setUp({ maxConnections: 1, rebuildMaxSurge: 0 })
    const first = await borrow()
    const next = track(pool.acquire())
    await clock.advance(300)
    first.release()
    pool.reconfigure({ rebuildMaxSurge: 1 })
    await clock.advance(20)
    expect([next.status, asked, driver.ledger.connects.length]).toEqual(['fulfilled', [], 1])
  })

  test('leads to nothing without an idle connection and without room', async () => {
    const { asked, borrow, clock, driver } = setUp({ maxConnections: 1, rebuildMaxSurge: 0 })
    const lease = await borrow()
    await clock.advance(60_000)
    expect([asked, driver.ledger.maxOpen]).toEqual([[], 1])
    lease.release()
  })

  test('is asked about after ever longer times while the peer works', async () => {
    const { asked, clock, driver, holdBesideIdle } = setUp()
    const first = await holdBesideIdle()
    driver.always('secondOpinion', WORKING)
    const times: number[] = []
    for (let ms = 0; ms < 4100; ms++) {
      await clock.advance(1)
      if (asked.length > times.length) times.push(ms + 1)
    }
    expect(times).toEqual([250, 502, 1006, 2014, 4030])
    first.end()
  })

  test('is not asked about while there is nothing to ask', async () => {
    const { asked, clock, driver, holdBesideIdle } = setUp()
    let inFlight = false
    Object.assign(driver, { mayAskAbout: () => inFlight })
    const first = await holdBesideIdle()
    await clock.advance(10_000)
    expect(asked).toEqual([])
    inFlight = true
    await clock.advance(1000)
    expect(asked).toEqual([[1, 2]])
    first.end()
  })

  test('is asked about once more, over a new connection, when the one that was asked is silent too', async () => {
    const { asked, clock, driver, holdBesideIdle } = setUp({ healthCheckTimeout: 0 })
    const first = await holdBesideIdle()
    driver.next('secondOpinion', hang(), WORKING)
    await clock.advance(250)
    expect(asked).toEqual([[1, 2]])
    await clock.advance(60)
    expect(asked).toEqual([
      [1, 2],
      [1, 3],
    ])
    first.end()
  })

  test('whose lease ends meanwhile is not condemned by a late answer', async () => {
    const { borrow, clock, driver, fate, holdBesideIdle } = setUp({ idleOrder: 'fifo' })
    const first = await holdBesideIdle()
    driver.next('secondOpinion', ok(20, 'gone'))
    await clock.advance(260)
    first.end()
    await clock.settle()
    const next = await borrow()
    await clock.advance(100)
    expect([next.client.id, fate(1)]).toEqual([1, 'open'])
    next.release()
  })
})

describe('a lease whose flow is gone', () => {
  test('ends at once: its client is destroyed, the connection rebuilt, and an idempotent use runs elsewhere', async () => {
    const { clock, driver, fate, listen, pool } = setUp()
    const marks = listen('rebuildMarked')
    const used: number[] = []
    const run = (client: FakeClient): Promise<string> => {
      used.push(client.id)
      return client.id === 1 ? new Promise(() => {}) : Promise.resolve('done')
    }
    driver.next('secondOpinion', GONE)
    const use = track(pool.use(run, { idempotent: true }))
    await clock.advance(5)
    await clock.advance(280)
    expect(use).toMatchObject({ status: 'fulfilled', value: 'done' })
    expect([used[0], fate(1)]).toEqual([1, 'destroyed'])
    expect(marks[0]).toMatchObject({
      urgent: true,
      reason: { kind: 'connection_lost', detail: expect.stringMatching(/^silent for 25\d ms/) },
    })
    expect(pool.stats().secondOpinions.gone).toBe(1)
  })

  test('makes its caller hear of it, with the reason', async () => {
    const { clock, driver, pool } = setUp()
    driver.next('secondOpinion', GONE)
    const use = track(pool.use(() => new Promise(() => {})))
    await clock.advance(1600)
    expect(use.error).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('asked over another connection') })
  })

  test('makes all others prove themselves before they serve', async () => {
    const { borrow, borrowMany, clock, driver, hold, pool } = setUp()
    await hold()
    for (const lease of await borrowMany(2)) lease.release()
    driver.next('secondOpinion', GONE)
    await clock.advance(255)
    expect(pool.stats().secondOpinions.gone).toBe(1)
    // The rebuilt one, the one that was asked, and the one of which nothing is known since.
    for (let use = 0; use < 3; use++) await borrow()
    expect(pool.stats().checks.healthy).toBe(1)
  })

  test('is found out for all leases by one question each, over one connection', async () => {
    const { asked, clock, driver, fate, holdMany } = setUp({ maxConnections: 4, maxConnecting: 4 })
    await holdMany(4)
    driver.always('secondOpinion', GONE)
    await clock.advance(270)
    expect(asked).toEqual([
      [1, 5],
      [2, 5],
      [3, 5],
      [4, 5],
    ])
    expect([1, 2, 3, 4].map(fate)).toEqual(Array(4).fill('destroyed'))
    expect(driver.ledger.maxOpen).toBe(5)
  })

  test('is found out for a retired client as well', async () => {
    const { borrow, clock, driver, fate, pool } = setUp()
    const lease = await borrow()
    const rebuild = track(pool.rebuildConnectionById(lease.connection.id))
    await clock.advance(20)
    expect(rebuild.status).toBe('fulfilled')
    driver.next('secondOpinion', GONE)
    await clock.advance(1600)
    expect(fate(1)).toBe('destroyed')
    lease.release()
  })
})

describe('an answer', () => {
  test.each([
    ['that makes no sense', ok(1, 'perhaps'), 'unknown'],
    ['with an error of the application', fail(new Error('permission denied'), 1), 'unknown'],
  ] as const)('%s proves nothing against the one asked about, nor against the one asked', async (_, outcome, opinion) => {
    const { clock, driver, healths, holdBesideIdle, pool } = setUp({ driver: { hooks: ['secondOpinion'], classify: () => 'application' } })
    const first = await holdBesideIdle()
    driver.next('secondOpinion', outcome)
    await clock.advance(260)
    expect(pool.stats().secondOpinions[opinion]).toBe(1)
    expect(healths()).toEqual(['unknown', 'healthy'])
    first.end()
  })

  test('with another error is a failed check of the one asked', async () => {
    const { clock, driver, healths, holdBesideIdle, pool } = setUp()
    const first = await holdBesideIdle()
    driver.next('secondOpinion', fail(new Error('reset'), 1))
    await clock.advance(252)
    expect(healths()).toEqual(['unknown', 'degraded'])
    expect(pool.stats().secondOpinions).toEqual({ working: 0, gone: 0, unknown: 0 })
    first.end()
  })

  test('that never comes does not outlast the pool', async () => {
    const { borrow, clock, driver } = setUp({ healthCheckTimeout: 0 })
    const lease = await borrow()
    driver.always('secondOpinion', hang())
    await clock.advance(5000)
    lease.release()
  })
})
