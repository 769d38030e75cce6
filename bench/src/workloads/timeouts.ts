import { holdAll, type PoolUnderTest } from '../contender.ts'
import { Endpoint } from '../endpoint.ts'
import { loadPool } from '../pools.ts'
import { lowerQuartile, median, quantile } from '../statistics.ts'
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
    for (let i = 0; i < WARM_UPS; i++) await wave(pool)
    const waves: Wave[] = []
    for (let i = 0; i < WAVES; i++) waves.push(await wave(pool))
    return {
      'time each': lowerQuartile(waves.map(({ each }) => each)),
      // Of the usual wave: in one of fifteen the operating system wakes the process late, and that is nobody's pool.
      'late at p99': median(waves.map(({ late }) => quantile(late, 0.99))),
      'left in the queue': pool.waiting(),
    }
  },
}

interface Wave {
  /** The microseconds of the event loop that one waiter takes. */
  readonly each: number
  /** How late each waiter was told, ms. */
  readonly late: readonly number[]
}

async function wave(pool: PoolUnderTest): Promise<Wave> {
  const late: number[] = []
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
  return { each: (performance.eventLoopUtilization(before).active * 1000) / WAITERS, late }
}

function waiter(pool: PoolUnderTest): () => Promise<unknown> {
  if (pool.style === 'promise') return () => pool.acquire() as Promise<unknown>
  if (pool.style === 'execute') return () => pool.execute(async () => {})
  throw new Error('this pool has no acquire time-out')
}
