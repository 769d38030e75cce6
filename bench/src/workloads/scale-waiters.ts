import { createPool, defineDriver, type Lease, type Pool, type PoolOptions } from 'wellpool'
import { heapUsed } from '../heap.ts'
import { lowerQuartile } from '../statistics.ts'
import type { Sample, Workload } from '../workload.ts'

const LENGTHS = ['1', '10', '100', '1000', '10000', '100000']
const CONNECTIONS = 10
const BATCHES = 9
/** Borrowers in a batch, if the queue is shorter. */
const BORROWERS = 2_000
/** How long a queue that is to time out waits, ms. */
const TIMEOUT = 50

/** What those who wait already cost whoever comes: each figure is for one borrower. */
export const scaleWaiters: Workload = {
  name: 'scale-waiters',
  title: `one borrower, with 1 to 100,000 waiting for ${CONNECTIONS} connections`,
  rounds: 5,
  contenders: LENGTHS,
  metrics: [
    { name: 'queue up and be served', unit: 'ns', digits: 0 },
    { name: 'come and be served', unit: 'ns', digits: 0 },
    { name: 'come and leave by abort', unit: 'ns', digits: 0 },
    { name: 'time out', unit: 'ns', digits: 0 },
    { name: 'heap', unit: 'B', digits: 0 },
  ],
  targets: [],
  nodeFlags: ['--expose-gc'],
  async run(contender) {
    const length = Number(contender)
    return { ...(await measureQueue(length)), ...(await measureTimeouts(length)) }
  },
}

async function measureQueue(length: number): Promise<Sample> {
  const pool = await open({})
  const leases = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.acquire()))
  const times = Math.ceil(BORROWERS / length)
  const drained = await perUnit(times * length, async () => {
    for (let i = 0; i < times; i++) await queueAndDrain(pool, leases, length)
  })

  const before = await heapUsed()
  const queue: Promise<Lease<object>>[] = []
  for (let i = 0; i < length; i++) queue.push(pool.acquire())
  const heap = ((await heapUsed()) - before) / length

  // The queue keeps its length: for each who comes one is served, or the one who came leaves.
  const inTurn = await perUnit(BORROWERS, async () => {
    for (let i = 0; i < BORROWERS; i++) {
      queue.push(pool.acquire())
      const place = i % CONNECTIONS
      leases[place]?.release()
      leases[place] = await (queue.shift() as Promise<Lease<object>>)
    }
  })
  const aborted = await perUnit(BORROWERS, async () => {
    for (let i = 0; i < BORROWERS; i++) {
      const controller = new AbortController()
      const gone = pool.acquire({ signal: controller.signal }).catch(() => {})
      await null
      controller.abort()
      await gone
    }
  })
  return { 'queue up and be served': drained, 'come and be served': inTurn, 'come and leave by abort': aborted, heap }
}

async function measureTimeouts(length: number): Promise<Sample> {
  const pool = await open({ acquireTimeout: TIMEOUT })
  for (let i = 0; i < CONNECTIONS; i++) await pool.acquire()
  const times: number[] = []
  for (let i = 0; i < BATCHES; i++) {
    const before = performance.eventLoopUtilization()
    await Promise.all(Array.from({ length }, () => pool.acquire().catch(() => {})))
    times.push((performance.eventLoopUtilization(before).active * 1e6) / length)
  }
  return { 'time out': lowerQuartile(times) }
}

/** All connections are in use while so many queue up; then each is given back, and each borrower releases at once. */
async function queueAndDrain(pool: Pool<object>, leases: Lease<object>[], length: number): Promise<void> {
  const served = Promise.all(Array.from({ length }, () => pool.acquire().then((lease) => lease.release())))
  for (const lease of leases.splice(0)) lease.release()
  await served
  for (let i = 0; i < CONNECTIONS; i++) leases.push(await pool.acquire())
}

async function open(options: PoolOptions): Promise<Pool<object>> {
  const driver = defineDriver({ protocol: 'nothing', connect: async () => ({}), check: () => {}, close: () => {}, destroy: () => {} })
  const size = { minConnections: CONNECTIONS, maxConnections: CONNECTIONS, maxWaiting: 200_000 }
  const pool = createPool(driver, { ...size, ...options })
  await pool.start()
  return pool
}

/** The lower quartile over some batches of `units` each, ns for each unit. */
async function perUnit(units: number, batch: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < BATCHES; i++) {
    const start = performance.now()
    await batch()
    times.push(((performance.now() - start) * 1e6) / units)
  }
  return lowerQuartile(times)
}
