import type { PoolUnderTest } from '../contender.ts'
import { Endpoint } from '../endpoint.ts'
import { loadPool } from '../pools.ts'
import { lowerQuartile } from '../statistics.ts'
import type { Workload } from '../workload.ts'

const CALLERS = 64
const CONNECTIONS = 8
const WARM_UP = 50_000
const BATCHES = 9
const BATCH = 25_000

/** 64 callers share 8 connections; each keeps its own for one `setImmediate` of work. */
export const contention: Workload = {
  name: 'contention',
  title: `${CALLERS} callers, ${CONNECTIONS} connections, one setImmediate of work`,
  rounds: 7,
  contenders: ['floor', 'wellpool', 'mysql2', 'mysql2 callbacks', 'node-redis', 'pg-pool', 'lightning-pool', 'generic-pool', 'tarn'],
  metrics: [{ name: 'time', unit: 'ns', digits: 0, relativeTo: ['floor', 'mysql2'] }],
  targets: [{ metric: 'time', relativeTo: 'mysql2', limit: 0.85 }],
  async run(contender) {
    const open = await loadPool(contender)
    const pool = await open({ endpoint: new Endpoint(), maxConnections: CONNECTIONS, maxWaiting: CALLERS })
    await contend(pool, WARM_UP)
    const times: number[] = []
    for (let i = 0; i < BATCHES; i++) {
      const start = process.hrtime.bigint()
      await contend(pool, BATCH)
      times.push(Number(process.hrtime.bigint() - start) / BATCH)
    }
    return { time: lowerQuartile(times) }
  },
}

async function contend(pool: PoolUnderTest, times: number): Promise<void> {
  let left = times
  await new Promise<void>((resolve, reject) => {
    let callers = CALLERS
    const caller = callerOf(pool, () => (left-- > 0 ? caller() : --callers === 0 && resolve()), reject)
    for (let i = 0; i < CALLERS; i++) caller()
  })
}

/**
 * Starts one acquire, work and release, and calls `next` after it. The work is a bare `setImmediate`: a promise
 * around it would cost more than a pool does, and make all of them look alike.
 */
function callerOf(pool: PoolUnderTest, next: () => void, fail: (error: unknown) => void): () => void {
  switch (pool.style) {
    case 'promise': {
      const served = (lease: unknown): void => {
        setImmediate(() => {
          pool.release(lease)
          next()
        })
      }
      return () => void Promise.resolve(pool.acquire()).then(served, fail)
    }
    case 'execute': {
      // What this pool lends for is a promise, so there is no work without one.
      const work = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
      return () => void pool.execute(work).then(next, fail)
    }
    case 'callback': {
      const served = (error: unknown, lease: unknown): void => {
        if (error) fail(error)
        setImmediate(() => {
          pool.release(lease)
          next()
        })
      }
      return () => pool.acquire(served)
    }
  }
}
