import { holdAll, type PoolUnderTest } from '../contender.ts'
import { Endpoint } from '../endpoint.ts'
import { heapUsed } from '../heap.ts'
import { loadPool } from '../pools.ts'
import type { Workload } from '../workload.ts'

const CONNECTIONS = 10
const WAITERS = 100_000
const TIMEOUT = 30_000

/** What a waiting borrower occupies, with a time-out of 30 s; its own code and the reactions to its promise not counted. */
export const memory: Workload = {
  name: 'memory',
  title: 'heap per waiter, with a time-out of 30 s',
  rounds: 3,
  contenders: ['floor', 'wellpool', 'mysql2', 'mysql2 callbacks', 'node-redis', 'pg-pool', 'lightning-pool', 'generic-pool', 'tarn'],
  metrics: [{ name: 'heap', unit: 'B', digits: 0, relativeTo: ['floor'] }],
  targets: [{ metric: 'heap', limit: 350 }],
  nodeFlags: ['--expose-gc'],
  async run(contender) {
    const open = await loadPool(contender)
    const pool = await open({ endpoint: new Endpoint(), maxConnections: CONNECTIONS, acquireTimeout: TIMEOUT, maxWaiting: WAITERS })
    await holdAll(pool, CONNECTIONS)
    const promises = new Array<unknown>(WAITERS)
    const before = await heapUsed()
    queueUp(pool, promises)
    const after = await heapUsed()
    if (pool.waiting() !== WAITERS) throw new Error(`${pool.waiting()} wait instead of ${WAITERS}`)
    return { heap: (after - before) / WAITERS }
  },
}

function queueUp(pool: PoolUnderTest, promises: unknown[]): void {
  for (let i = 0; i < WAITERS; i++) {
    if (pool.style === 'promise') promises[i] = pool.acquire()
    else if (pool.style === 'execute') promises[i] = pool.execute(served)
    else pool.acquire(served)
  }
}

async function served(): Promise<never> {
  throw new Error('a waiter was served by a pool that has nothing to give')
}
