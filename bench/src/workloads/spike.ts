import { holdAll, type PoolUnderTest } from '../contender.ts'
import { Endpoint } from '../endpoint.ts'
import { loadPool } from '../pools.ts'
import type { Workload } from '../workload.ts'

const OPEN = 5
const MAX = 50
const CALLERS = 50
const USE_MS = 2
const CONNECT_MS = 150
const WARM_UP_USES = 200
/** After the spike, until whatever connects it has begun have ended. */
const SETTLE_MS = 2 * CONNECT_MS

/**
 * 5 connections are open, 50 are allowed, a connect takes 150 ms, and 50 callers come at once for 2 ms each.
 * Those 5 are through in 20 ms, long before a connect could help. *Cold*: the pool has seen no use yet.
 */
export const spike: Workload = {
  name: 'spike',
  title: `${CALLERS} callers at once for ${USE_MS} ms each; ${OPEN} connections open, ${MAX} allowed, ${CONNECT_MS} ms to connect`,
  rounds: 5,
  contenders: ['wellpool', 'mysql2', 'node-redis', 'pg-pool', 'lightning-pool', 'generic-pool', 'tarn'],
  metrics: [
    { name: 'warm', unit: 'times the ideal', digits: 2 },
    { name: 'warm connections', unit: '', digits: 0 },
    { name: 'cold', unit: 'times the ideal', digits: 2 },
    { name: 'cold connections', unit: '', digits: 0 },
  ],
  targets: [
    { metric: 'warm', limit: 1.2 },
    { metric: 'warm connections', limit: OPEN + 1 },
    { metric: 'cold', limit: 1.2 },
    { metric: 'cold connections', limit: OPEN + 2 },
  ],
  async run(contender) {
    const warm = await spikeOnce(contender, WARM_UP_USES)
    const cold = await spikeOnce(contender, 0)
    return { warm: warm.ratio, 'warm connections': warm.connections, cold: cold.ratio, 'cold connections': cold.connections }
  },
}

async function spikeOnce(contender: string, usesBefore: number): Promise<{ ratio: number; connections: number }> {
  const endpoint = new Endpoint(CONNECT_MS)
  const open = await loadPool(contender)
  const pool = await open({ endpoint, maxConnections: MAX, minConnections: OPEN, maxWaiting: CALLERS })
  // Pools that open nothing of their own accord open what is borrowed at the same time.
  if (endpoint.open < OPEN) (await holdAll(pool, OPEN))()
  await sleep(SETTLE_MS)
  if (endpoint.open !== OPEN) throw new Error(`${endpoint.open} connections are open instead of ${OPEN}`)

  await borrow(pool, OPEN, usesBefore)
  const before = performance.now()
  const used = await borrow(pool, CALLERS, CALLERS)
  const elapsed = performance.now() - before
  await sleep(SETTLE_MS)
  // The timer behind a use is late by up to a millisecond; the ideal is what the uses really took, spread over five.
  return { ratio: elapsed / (used / OPEN), connections: endpoint.peak }
}

/** `callers` make `uses` uses in all; resolves with the milliseconds that the uses took together. */
async function borrow(pool: PoolUnderTest, callers: number, uses: number): Promise<number> {
  let left = uses
  let used = 0
  const work = async (): Promise<void> => {
    const start = performance.now()
    await sleep(USE_MS)
    used += performance.now() - start
  }
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      if (pool.style === 'execute') await pool.execute(work)
      else if (pool.style === 'promise') {
        const lease = await pool.acquire()
        await work()
        pool.release(lease)
      } else {
        await new Promise<void>((resolve, reject) => {
          pool.acquire((error, lease) => {
            if (error) return reject(error)
            void work().then(() => {
              pool.release(lease)
              resolve()
            })
          })
        })
      }
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return used
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
