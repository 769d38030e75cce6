import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Connection, Generation } from '../../src/engine/connection.ts'
import { LinkedList } from '../../src/engine/linked-list.ts'
import { Task } from '../../src/engine/rebuild-task.ts'
import { Waiter } from '../../src/engine/wait-queue.ts'
import { hang, ok } from '../../src/testing/index.ts'
import { setUp, type TestPool, track } from './set-up.ts'

/** What the collections of a pool hold. */
const MEMBERS = [Connection, Generation, Task, Waiter]
/** Every way to walk through a collection: the prototype, and the name of what makes its iterator. */
const WAYS: readonly (readonly [object, string | symbol])[] = [
  [Map.prototype, 'values'],
  [Set.prototype, 'values'],
  [Set.prototype, Symbol.iterator],
  [LinkedList.prototype, Symbol.iterator],
]

/** How many members of its collections the pool has looked at. Counted, not timed: the same on every machine. */
let looks = 0
let restore: () => void

beforeEach(() => {
  const originals = WAYS.map(([prototype, way]) => Reflect.get(prototype, way) as () => Iterator<unknown>)
  WAYS.forEach(([prototype, way], index) => {
    const original = originals[index] as () => Iterator<unknown>
    Reflect.set(prototype, way, function* (this: unknown) {
      for (const member of { [Symbol.iterator]: () => original.call(this) }) {
        if (MEMBERS.some((kind) => member instanceof kind)) looks++
        yield member
      }
    })
  })
  restore = () => {
    WAYS.forEach(([prototype, way], index) => {
      Reflect.set(prototype, way, originals[index])
    })
  }
})

afterEach(() => restore())

async function looksDuring(run: () => Promise<unknown>): Promise<number> {
  const before = looks
  await run()
  return looks - before
}

type Setup = NonNullable<Parameters<typeof setUp>[0]>

/** A pool with so many connections, all of them there. */
async function poolOf(size: number, options: Setup = {}): Promise<TestPool> {
  const setup = setUp({ minConnections: size, maxConnections: size, ...options })
  await setup.start()
  return setup
}

/** Twenty borrowers come while all connections are in use, one after the other, and each is served by a release. */
async function borrowInTurn({ clock, pool, borrowMany }: TestPool, size: number): Promise<number> {
  const leases = await borrowMany(size)
  return looksDuring(async () => {
    for (const lease of leases.slice(0, 20)) {
      const next = track(pool.acquire())
      await clock.settle()
      lease.release()
      await clock.settle()
      expect(next.status).toBe('fulfilled')
    }
  })
}

describe('however many connections there are', () => {
  const SMALL = 40
  const LARGE = 400

  test('a borrower who finds one idle looks at no other', async () => {
    const { pool, borrow } = await poolOf(LARGE)
    const cost = await looksDuring(async () => {
      for (let i = 0; i < 20; i++) (await pool.acquire()).release()
    })
    expect(cost).toBe(0)
    await borrow()
  })

  test('a borrower who has to wait looks at no more of them', async () => {
    expect(await borrowInTurn(await poolOf(LARGE), LARGE)).toBeLessThan(60)
  })

  test('a borrower who has to wait while one more connects looks at no more of them', async () => {
    const setup = await poolOf(LARGE, { maxConnections: LARGE + 1 })
    setup.driver.always('connect', hang())
    expect(await borrowInTurn(setup, LARGE)).toBeLessThan(100)
  })

  test('a borrower for whom one that has rested is checked first looks three times at each of the others at most', async () => {
    const { clock, pool } = await poolOf(LARGE, { verifyIdleAfter: 1000 })
    await clock.advance(2000)
    const cost = await looksDuring(() => clock.until(pool.acquire().then((lease) => lease.release())))
    expect(pool.stats().checks.healthy).toBe(1)
    expect(cost).toBeLessThan(3 * LARGE + 10)
  })

  test('one that connects looks at no other', async () => {
    const start = async (size: number): Promise<number> => {
      const setup = setUp({ minConnections: size, maxConnections: size })
      return looksDuring(setup.start)
    }
    expect(await start(LARGE)).toBeLessThan(LARGE + (await start(SMALL)))
  })

  test('a check that passes looks at no other', async () => {
    const setup = await poolOf(LARGE, { healthCheckInterval: 10_000 })
    const cost = await looksDuring(() => setup.clock.advance(10_000))
    expect(setup.pool.stats().checks.healthy).toBeGreaterThanOrEqual(LARGE)
    expect(cost).toBeLessThan(5)
  })

  test('a check that fails looks at no other', async () => {
    const setup = await poolOf(LARGE, { healthCheckInterval: 10_000, healthRecheckInterval: 60_000, panicThreshold: 1 })
    setup.driver.always('check', () => ({ do: 'reject', error: new Error('refused'), afterMs: 1 }))
    const cost = await looksDuring(() => setup.clock.advance(10_000))
    expect(setup.pool.stats().checks.rejected).toBeGreaterThanOrEqual(LARGE)
    expect(cost / LARGE).toBeLessThan(4)
  })

  test.each([
    { way: 'its successor first', rebuildMaxSurge: 1 },
    { way: 'the old client closed first', rebuildMaxSurge: 0 },
  ])('one that is rebuilt, $way, looks at a few others at most', async ({ rebuildMaxSurge }) => {
    const rebuild = async (size: number): Promise<number> => {
      const { clock, pool } = await poolOf(size, { rebuildMaxSurge })
      const cost = await looksDuring(() => clock.until(pool.rebuildConnections({ all: true })))
      expect(pool.stats().rebuildsCompleted).toBe(size)
      return cost / size
    }
    expect(await rebuild(LARGE)).toBeLessThan(1.5 * (await rebuild(SMALL)))
  })

  test('the sweep looks at each once', async () => {
    const { clock } = await poolOf(LARGE, { rebuildCheckInterval: 10_000 })
    expect(await looksDuring(() => clock.advance(10_000))).toBeLessThan(LARGE + 10)
  })
})

describe('however many borrowers wait', () => {
  test.each([
    { when: 'all connections are in use', maxConnections: 2 },
    { when: 'one more is connecting', maxConnections: 3 },
  ])('one more, and each who is served, looks at a few of them at most, while $when', async ({ maxConnections }) => {
    const queue = async (waiters: number): Promise<number> => {
      const { clock, driver, pool, borrowMany } = await poolOf(2, { maxConnections })
      driver.always('connect', ok(60_000))
      const leases = await borrowMany(2)
      const cost = await looksDuring(async () => {
        const borrowers = Array.from({ length: waiters }, () => pool.acquire().then((lease) => lease.release()))
        await clock.advance(1000)
        for (const lease of leases) lease.release()
        await clock.until(Promise.all(borrowers))
      })
      return cost / waiters
    }
    expect(await queue(2000)).toBeLessThan(3 + (await queue(200)))
  })
})
