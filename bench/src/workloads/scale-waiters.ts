import { createPool, defineDriver, type Lease, type Pool, type PoolOptions } from 'wellpool'
import { heapUsed } from '../heap.ts'
import { lowerQuartile } from '../statistics.ts'
import type { Sample, Workload } from '../workload.ts'

const LENGTHS = ['1', '10', '100', '1000', '10000', '100000']
const CONNECTIONS = 10
const BATCHES = 5
/** Borrowers in a batch: shorter queues form more often, or in more pools at once. */
const BORROWERS = 2_000
/** How long a queue that is to time out waits, ms. */
const TIMEOUT = 50
/** A hundred times as many waiters may cost each so much more, for the caches of the processor. */
const FLAT = 5
/** Made once: an error of its own for each abort would cost more than all the rest. */
const GONE = new Error('gone')

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
  targets: ['queue up and be served', 'come and be served', 'come and leave by abort', 'time out', 'heap'].map((metric) => ({
    metric,
    of: '100000',
    relativeTo: '1000',
    limit: FLAT,
  })),
  curves: [
    {
      file: 'scale-queue',
      title: 'One borrower',
      over: 'waiting',
      metrics: ['queue up and be served', 'come and be served', 'come and leave by abort', 'time out'],
    },
    { file: 'scale-queue-heap', title: 'Heap of one who waits', over: 'waiting', metrics: ['heap'] },
  ],
  nodeFlags: ['--expose-gc'],
  async run(contender) {
    const length = Number(contender)
    return { ...(await measureQueue(length)), ...(await measureHeap(length)), ...(await measureTimeouts(length)) }
  },
}

async function measureQueue(length: number): Promise<Sample> {
  const { pool, leases } = await openBusy(CONNECTIONS, {})
  const times = Math.ceil(BORROWERS / length)
  const drained = await perUnit(times * length, async () => {
    for (let i = 0; i < times; i++) await queueAndDrain(pool, leases, length)
  })

  // The queue keeps its length: for each who comes one is served, or the one who came leaves.
  const queue: Promise<Lease<object>>[] = []
  for (let i = 0; i < length; i++) queue.push(pool.acquire())
  let first = 0
  const inTurn = await perUnit(BORROWERS, async () => {
    for (let i = 0; i < BORROWERS; i++) {
      queue.push(pool.acquire())
      const place = i % CONNECTIONS
      leases[place]?.release()
      leases[place] = await (queue[first++] as Promise<Lease<object>>)
    }
  })
  const aborted = await perUnit(BORROWERS, async () => {
    for (let i = 0; i < BORROWERS; i++) {
      const controller = new AbortController()
      const gone = pool.acquire({ signal: controller.signal }).catch(() => {})
      await null
      controller.abort(GONE)
      await gone
    }
  })
  return { 'queue up and be served': drained, 'come and be served': inTurn, 'come and leave by abort': aborted }
}

async function measureHeap(length: number): Promise<Sample> {
  const busy = await openMany(length, {})
  const waiting: unknown[] = []
  const before = await heapUsed()
  for (const { pool } of busy) for (let i = 0; i < length; i++) waiting.push(pool.acquire())
  return { heap: ((await heapUsed()) - before) / waiting.length }
}

async function measureTimeouts(length: number): Promise<Sample> {
  const busy = await openMany(length, { acquireTimeout: TIMEOUT })
  const times: number[] = []
  for (let i = 0; i < BATCHES; i++) {
    const before = performance.eventLoopUtilization()
    await Promise.all(busy.flatMap(({ pool }) => Array.from({ length }, () => pool.acquire().catch(() => {}))))
    times.push((performance.eventLoopUtilization(before).active * 1e6) / (busy.length * length))
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

interface Busy {
  readonly pool: Pool<object>
  readonly leases: Lease<object>[]
}

/** A pool all of whose connections are in use. */
async function openBusy(connections: number, options: PoolOptions): Promise<Busy> {
  const driver = defineDriver({ protocol: 'nothing', connect: async () => ({}), check: () => {}, close: () => {}, destroy: () => {} })
  const pool = createPool(driver, { maxConnections: connections, maxWaiting: 200_000, ...options })
  return { pool, leases: await Promise.all(Array.from({ length: connections }, () => pool.acquire())) }
}

/** As many of them, with one connection each, as it takes to have {@link BORROWERS} wait. */
async function openMany(length: number, options: PoolOptions): Promise<Busy[]> {
  return Promise.all(Array.from({ length: Math.ceil(BORROWERS / length) }, () => openBusy(1, options)))
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
