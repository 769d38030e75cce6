import { holdAll, type PoolUnderTest } from '../contender.ts'
import { Endpoint } from '../endpoint.ts'
import { loadPool } from '../pools.ts'
import { lowerQuartile, quantile } from '../statistics.ts'
import type { Workload } from '../workload.ts'

const CONNECTIONS = 10
const WAITERS = 1_000
const TIMEOUT = 100
const WARM_UPS = 5
const WAVES = 15

/** Every connection is in use for ever; waves of 1,000 borrowers queue up and time out. */
export const timeouts: Workload = {
  name: 'timeouts',
  title: `${WAITERS} waiters that time out after ${TIMEOUT} ms`,
  rounds: 5,
  contenders: ['wellpool', 'node-redis', 'pg-pool', 'lightning-pool', 'generic-pool', 'tarn'],
  metrics: [
    { name: 'time each', unit: 'µs', digits: 1 },
    { name: 'late at p99', unit: 'ms', digits: 1 },
    { name: 'left in the queue', unit: 'waiters', digits: 0 },
  ],
  targets: [
    { metric: 'time each', limit: 6 },
    { metric: 'late at p99', limit: 5 },
    { metric: 'left in the queue', limit: 0 },
  ],
  async run(contender) {
    const open = await loadPool(contender)
    const pool = await open({
      endpoint: new Endpoint(),
      maxConnections: CONNECTIONS,
      acquireTimeout: TIMEOUT,
      maxWaiting: WAITERS * (WAVES + WARM_UPS),
    })
    await holdAll(pool, CONNECTIONS)
    const late: number[] = []
    for (let i = 0; i < WARM_UPS; i++) await wave(pool, late)
    late.length = 0
    const times: number[] = []
    for (let i = 0; i < WAVES; i++) times.push(await wave(pool, late))
    return { 'time each': lowerQuartile(times), 'late at p99': quantile(late, 0.99), 'left in the queue': pool.waiting() }
  },
}

/** The microseconds of the event loop that one waiter takes; `late` gets how late each was told, ms. */
async function wave(pool: PoolUnderTest, late: number[]): Promise<number> {
  const before = performance.eventLoopUtilization()
  await new Promise<void>((resolve, reject) => {
    let left = WAITERS
    const served = (): void => reject(new Error('a waiter was served by a pool that has nothing to give'))
    const acquire = waiter(pool)
    for (let i = 0; i < WAITERS; i++) {
      const start = performance.now()
      acquire().then(served, () => {
        late.push(performance.now() - start - TIMEOUT)
        if (--left === 0) setImmediate(resolve)
      })
    }
  })
  return (performance.eventLoopUtilization(before).active * 1000) / WAITERS
}

function waiter(pool: PoolUnderTest): () => Promise<unknown> {
  if (pool.style === 'promise') return () => pool.acquire() as Promise<unknown>
  if (pool.style === 'execute') return () => pool.execute(async () => {})
  throw new Error('this pool has no acquire time-out')
}
