import type { Endpoint } from './endpoint.ts'

/** How a pool under test is to be made. What is not said here stays at the pool's own default. */
export interface Setup {
  readonly endpoint: Endpoint
  readonly maxConnections: number
  /** Connections that are kept open, where a pool has such an option. Absent: its default. */
  readonly minConnections?: number
  /** How long a borrower waits, ms. Absent: the pool's default. */
  readonly acquireTimeout?: number
  /** The most borrowers that will wait: raised where a pool's default would refuse them. */
  readonly maxWaiting: number
}

/** What a pool under test tells about itself. */
interface Inspectable {
  /** Borrowers in the pool's queue. */
  waiting(): number
}

/** A pool whose borrowers await a promise. */
export interface PromisePool extends Inspectable {
  readonly style: 'promise'
  acquire(): unknown
  release(lease: unknown): void
}

/** A pool whose borrowers pass a callback. */
export interface CallbackPool extends Inspectable {
  readonly style: 'callback'
  acquire(callback: (error: Error | null | undefined, lease: unknown) => void): void
  release(lease: unknown): void
}

/** A pool that lends only for the time that an asynchronous function takes. */
export interface ExecutePool extends Inspectable {
  readonly style: 'execute'
  execute(work: () => Promise<unknown>): Promise<unknown>
}

/**
 * A pool behind the API that its authors recommend. The three styles stay apart down to the inner loop of each
 * workload: a common wrapper would charge one pool for another's habits.
 */
export type PoolUnderTest = PromisePool | CallbackPool | ExecutePool

/** Makes a pool, connected and ready. */
export type OpenPool = (setup: Setup) => Promise<PoolUnderTest>

/** Borrows all `count` connections of a pool; the result gives them back. */
export async function holdAll(pool: PoolUnderTest, count: number): Promise<() => void> {
  if (pool.style === 'execute') {
    let free = (): void => {}
    const gate = new Promise<void>((resolve) => {
      free = resolve
    })
    await new Promise<void>((resolve) => {
      let begun = 0
      const work = (): Promise<void> => {
        if (++begun === count) resolve()
        return gate
      }
      for (let i = 0; i < count; i++) void pool.execute(work)
    })
    return free
  }
  const acquire = pool.style === 'promise' ? () => pool.acquire() : () => acquireByCallback(pool)
  const leases = await Promise.all(Array.from({ length: count }, acquire))
  return () => {
    for (const lease of leases) pool.release(lease)
  }
}

function acquireByCallback(pool: CallbackPool): Promise<unknown> {
  return new Promise((resolve, reject) => {
    pool.acquire((error, lease) => (error ? reject(error) : resolve(lease)))
  })
}
