import { expect, onTestFinished } from 'vitest'
import { createPool, type EventName, type Lease, type Pool, type PoolEvents, type PoolOptions } from '../../src/index.ts'
import {
  createFakeDriver,
  type FakeClient,
  FakeClock,
  type FakeClockOptions,
  type FakeDriver,
  type FakeDriverOptions,
} from '../../src/testing/index.ts'

/** A pool that does nothing by itself: a test turns on what it is about. */
export const QUIET: PoolOptions = {
  name: 'orders',
  minConnections: 0,
  idleTimeout: 0,
  maxLifetime: 0,
  healthCheckInterval: 0,
  verifyIdleAfter: Number.POSITIVE_INFINITY,
  rebuildCheckInterval: 0,
  random: () => 0.5,
}

export interface TestPool {
  readonly clock: FakeClock
  readonly driver: FakeDriver
  readonly pool: Pool<FakeClient>
  /** Borrows at once or when time has brought a connection. */
  readonly borrow: () => Promise<Lease<FakeClient>>
  /** Borrows so many, all asked for at the same time. */
  readonly borrowMany: (count: number) => Promise<Lease<FakeClient>[]>
  /** Starts the pool and waits for its `minConnections`. */
  readonly start: () => Promise<void>
  /** Fills a list with the events of these names, as they come. */
  readonly listen: <Name extends EventName>(...names: Name[]) => PoolEvents[Name][]
  /** The state of each connection, the oldest first. */
  readonly states: () => string[]
  /** The health of each connection, the oldest first. */
  readonly healths: () => string[]
  /** The client with this number, as the driver counts them. */
  readonly client: (id: number) => FakeClient
  /** What became of that client. */
  readonly fate: (id: number) => 'open' | 'closing' | 'closed' | 'destroyed'
}

/**
 * Makes a pool over a fake driver. When the test has ended the pool is closed, and nothing may be left of it:
 * no timer, no client, no script that was not called for, and nothing that a driver would object to.
 */
export function setUp({
  driver: driverOptions = {},
  fakeClock = {},
  ...options
}: PoolOptions & { driver?: Omit<FakeDriverOptions, 'clock'>; fakeClock?: FakeClockOptions } = {}): TestPool {
  const clock = new FakeClock(fakeClock)
  const driver = createFakeDriver({ clock, ...driverOptions })
  const pool = createPool(driver, { ...QUIET, clock, ...options })
  const client = (id: number): FakeClient => {
    const life = driver.ledger.clients[id - 1]
    if (life === undefined) throw new Error(`there is no client ${id}`)
    return life.client
  }

  onTestFinished(async () => {
    await clock.until(pool.close({ timeout: 0 }))
    expect(pool.stats()).toMatchObject({ open: 0, total: 0, waiting: 0, state: 'closed' })
    expect(driver.ledger.open).toBe(0)
    expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
    expect(driver.ledger.problems()).toEqual([])
    expect(driver.undrained()).toEqual([])
  })

  return {
    clock,
    driver,
    pool,
    borrow: () => clock.until(pool.acquire()),
    borrowMany: (count) => clock.until(Promise.all(Array.from({ length: count }, () => pool.acquire()))),
    start: () => clock.until(pool.start()),
    listen: <Name extends EventName>(...names: Name[]) => {
      const heard: PoolEvents[Name][] = []
      for (const name of names) pool.on(name, (event) => heard.push(event))
      return heard
    },
    states: () => pool.connections().map(({ state }) => state),
    healths: () => pool.connections().map(({ health }) => health),
    client,
    fate: (id) => {
      const { closeCalledAt, closedAt, destroyedAt } = client(id).life
      if (destroyedAt !== undefined) return 'destroyed'
      if (closedAt !== undefined) return 'closed'
      return closeCalledAt === undefined ? 'open' : 'closing'
    },
  }
}

/** How a promise stands. */
export interface Tracked<T> {
  status: 'pending' | 'fulfilled' | 'rejected'
  value?: T
  error?: unknown
}

/** Watches a promise, so that a test can look how it stands without waiting for it. */
export function track<T>(promise: PromiseLike<T>): Tracked<T> {
  const tracked: Tracked<T> = { status: 'pending' }
  promise.then(
    (value) => {
      tracked.status = 'fulfilled'
      tracked.value = value
    },
    (error: unknown) => {
      tracked.status = 'rejected'
      tracked.error = error
    },
  )
  return tracked
}

/** Which of the promises have fulfilled by now, by their place in the list. */
export function served(tracked: readonly Tracked<unknown>[]): number[] {
  return tracked.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []))
}

/** The value of a promise that has fulfilled by now. */
export function resultOf<T>({ status, value, error }: Tracked<T>): T {
  if (status !== 'fulfilled') throw new Error(`the promise is ${status}: ${String(error)}`)
  return value as T
}
