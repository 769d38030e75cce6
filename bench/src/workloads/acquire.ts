import type { PoolUnderTest } from '../contender.ts'
import { Endpoint } from '../endpoint.ts'
import { loadPool } from '../pools.ts'
import { lowerQuartile } from '../statistics.ts'
import type { Workload } from '../workload.ts'

const WARM_UP = 100_000
const BATCHES = 11
const BATCH = 50_000

/** One caller acquires and releases, over and over; a connection is always idle. */
export const acquire: Workload = {
  name: 'acquire',
  title: 'acquire and release, one caller',
  rounds: 7,
  contenders: [
    'floor',
    'wellpool',
    'wellpool use',
    'mysql2',
    'mysql2 callbacks',
    'node-redis',
    'pg-pool',
    'lightning-pool',
    'generic-pool',
    'tarn',
  ],
  metrics: [{ name: 'time', unit: 'ns', digits: 0, relativeTo: ['floor', 'mysql2'] }],
  targets: [
    { metric: 'time', relativeTo: 'floor', limit: 2.2 },
    { metric: 'time', relativeTo: 'mysql2', limit: 0.65 },
  ],
  async run(contender) {
    const open = await loadPool(contender)
    const pool = await open({ endpoint: new Endpoint(), maxConnections: 10, maxWaiting: 10 })
    await acquireAndRelease(pool, WARM_UP)
    const times: number[] = []
    for (let i = 0; i < BATCHES; i++) {
      const start = process.hrtime.bigint()
      await acquireAndRelease(pool, BATCH)
      times.push(Number(process.hrtime.bigint() - start) / BATCH)
    }
    return { time: lowerQuartile(times) }
  },
}

async function acquireAndRelease(pool: PoolUnderTest, times: number): Promise<void> {
  switch (pool.style) {
    case 'promise':
      for (let i = 0; i < times; i++) {
        const lease = await pool.acquire()
        pool.release(lease)
      }
      return
    case 'execute':
      for (let i = 0; i < times; i++) await pool.execute(nothing)
      return
    case 'callback':
      return new Promise((resolve, reject) => {
        let left = times
        const served = (error: unknown, lease: unknown): void => {
          if (error) reject(error)
          pool.release(lease)
          if (--left === 0) resolve()
          else pool.acquire(served)
        }
        pool.acquire(served)
      })
  }
}

async function nothing(): Promise<void> {}
