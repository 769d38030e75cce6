import { holdAll, type PoolUnderTest } from '../contender.ts'
import { Endpoint } from '../endpoint.ts'
import { loadPool } from '../pools.ts'
import { lowerQuartile } from '../statistics.ts'
import type { Workload } from '../workload.ts'

const CONNECTIONS = 10
const WAITERS = 10_000
const WARM_UPS = 30
const REPEATS = 15
const MANY = 100_000
/** Pools that need seconds for 100,000 are measured once. */
const PATIENCE_MS = 1_000

/** Every connection is in use while 10,000 borrowers queue up; then all are given back, and each borrower releases at once. */
export const drain: Workload = {
  name: 'drain',
  title: `${WAITERS} waiters drained over ${CONNECTIONS} connections`,
  rounds: 5,
  contenders: ['floor', 'wellpool', 'mysql2', 'mysql2 callbacks', 'node-redis', 'pg-pool', 'lightning-pool', 'generic-pool', 'tarn'],
  metrics: [
    { name: 'time', unit: 'ms', digits: 2, relativeTo: ['floor', 'mysql2'] },
    { name: '100,000', unit: 'ms', digits: 0, relativeTo: ['mysql2'] },
  ],
  targets: [
    { metric: 'time', relativeTo: 'mysql2', limit: 1.1 },
    // Ten times the work, not a hundred times: a pool that looks at every waiter for every waiter is at 20 and above.
    { metric: '100,000', relativeTo: 'mysql2', limit: 3 },
  ],
  async run(contender) {
    const open = await loadPool(contender)
    const pool = await open({ endpoint: new Endpoint(), maxConnections: CONNECTIONS, maxWaiting: MANY })
    for (let i = 0; i < WARM_UPS; i++) await queueAndDrain(pool, WAITERS)
    const times: number[] = []
    for (let i = 0; i < REPEATS; i++) times.push(await queueAndDrain(pool, WAITERS))
    const time = lowerQuartile(times)
    const timeForMany = await repeatWithin(PATIENCE_MS, () => queueAndDrain(pool, MANY))
    return { time, '100,000': timeForMany }
  },
}

/** The lower quartile of `REPEATS` measurements, or of those that begin within `patience` ms. */
async function repeatWithin(patience: number, measure: () => Promise<number>): Promise<number> {
  const start = performance.now()
  const values: number[] = []
  while (values.length < REPEATS && (values.length === 0 || performance.now() - start < patience)) values.push(await measure())
  return lowerQuartile(values)
}

/** Milliseconds from the first borrower's arrival until the last has been served. */
async function queueAndDrain(pool: PoolUnderTest, waiters: number): Promise<number> {
  const free = await holdAll(pool, CONNECTIONS)
  return new Promise((resolve, reject) => {
    let left = waiters
    const start = performance.now()
    const countDown = (): void => {
      if (--left === 0) resolve(performance.now() - start)
    }
    switch (pool.style) {
      case 'promise': {
        const served = (lease: unknown): void => {
          pool.release(lease)
          countDown()
        }
        for (let i = 0; i < waiters; i++) (pool.acquire() as Promise<unknown>).then(served, reject)
        break
      }
      case 'execute':
        for (let i = 0; i < waiters; i++) pool.execute(nothing).then(countDown, reject)
        break
      case 'callback': {
        const served = (error: unknown, lease: unknown): void => {
          if (error) reject(error)
          pool.release(lease)
          countDown()
        }
        for (let i = 0; i < waiters; i++) pool.acquire(served)
      }
    }
    if (pool.waiting() !== waiters) reject(new Error(`${pool.waiting()} wait instead of ${waiters}`))
    free()
  })
}

async function nothing(): Promise<void> {}
