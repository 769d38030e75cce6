import { createPool, defineDriver, type Lease, type Pool, type PoolOptions } from 'wellpool'
import { FakeClock } from 'wellpool/testing'
import { heapUsed } from '../heap.ts'
import { lowerQuartile } from '../statistics.ts'
import type { Sample, Workload } from '../workload.ts'

const SIZES = ['1', '10', '100', '1000', '10000']
const BATCHES = 5
/** Acquires in a batch. */
const ACQUIRES = 20_000
/** The same with a turn of the event loop for each. */
const FEW_ACQUIRES = 2_000
/** Connections dealt with in a batch: small pools are made, or swept, more often. */
const CONNECTIONS = 10_000
const INTERVAL = 1_000
/** Calls of `stats()` in a batch, at least. */
const LOOKS = 50
/** A hundred times the connections may cost each of them so much more, for the caches of the processor; what looks at all for each is at 100. */
const FLAT = 5

/** A connection that does nothing, so that the pool is all that is measured. */
type Nothing = Record<string, never>

/** What one more connection costs all others: each figure is for one acquire, or for one connection. */
export const scaleConnections: Workload = {
  name: 'scale-connections',
  title: 'one acquire, and the upkeep of one connection, in pools of 1 to 10,000 connections',
  rounds: 5,
  contenders: SIZES,
  metrics: [
    { name: 'acquire', unit: 'ns', digits: 0 },
    { name: 'all in use', unit: 'ns', digits: 0 },
    { name: 'one connecting', unit: 'ns', digits: 0 },
    { name: 'connect and close', unit: 'µs', digits: 2 },
    { name: 'health check', unit: 'µs', digits: 2 },
    { name: 'rebuild check', unit: 'ns', digits: 0 },
    { name: 'rebuild', unit: 'µs', digits: 2 },
    { name: 'stats', unit: 'ns', digits: 0 },
    { name: 'heap', unit: 'B', digits: 0 },
  ],
  targets: [
    'acquire',
    'all in use',
    'one connecting',
    'connect and close',
    'health check',
    'rebuild check',
    'rebuild',
    'stats',
    'heap',
  ].map((metric) => ({ metric, of: '10000', relativeTo: '100', limit: FLAT })),
  curves: [
    { file: 'scale-acquire', title: 'One acquire', over: 'connections', metrics: ['acquire', 'all in use', 'one connecting'] },
    {
      file: 'scale-upkeep',
      title: 'Upkeep of one connection',
      over: 'connections',
      metrics: ['connect and close', 'health check', 'rebuild'],
    },
    { file: 'scale-sweep', title: 'A look at one connection', over: 'connections', metrics: ['rebuild check', 'stats'] },
    { file: 'scale-heap', title: 'Heap of one connection', over: 'connections', metrics: ['heap'] },
  ],
  nodeFlags: ['--expose-gc'],
  async run(contender) {
    const size = Number(contender)
    return { ...(await measureConnections(size)), ...(await measureUse(size)), ...(await measureUpkeep(size)) }
  },
}

async function measureUse(size: number): Promise<Sample> {
  const pool = await open(size, {})
  const acquire = await perUnit(ACQUIRES, () => acquireAndRelease(pool, ACQUIRES))
  // So often that it is compiled in every pool.
  const looks = Math.max(LOOKS, Math.ceil(CONNECTIONS / size))
  const stats = await perUnit(looks * size, async () => {
    for (let i = 0; i < looks; i++) pool.stats()
  })
  const inUse = await measureInTurn(pool, size)

  // One connect is under way all the time, so that whoever waits may have to be weighed against what is coming.
  let connected = 0
  const connect = (): Promise<Nothing> => (++connected > size ? new Promise(() => {}) : Promise.resolve({}))
  const growing = await open(size, { maxConnections: size + 1, connectTimeout: '1h' }, connect)
  return { acquire, stats, 'all in use': inUse, 'one connecting': await measureInTurn(growing, size) }
}

async function measureInTurn(pool: Pool<Nothing>, size: number): Promise<number> {
  const leases = await Promise.all(Array.from({ length: size }, () => pool.acquire()))
  return perUnit(FEW_ACQUIRES, () => acquireInTurn(pool, leases, FEW_ACQUIRES))
}

async function measureConnections(size: number): Promise<Sample> {
  const count = Math.ceil(CONNECTIONS / size)
  const connect = await perUnit(count * size, async () => {
    for (let i = 0; i < count; i++) await (await open(size, {})).close()
  })
  const heapOf = async (minConnections: number): Promise<number> => {
    const pools: Pool<Nothing>[] = []
    const before = await heapUsed()
    for (let i = 0; i < count; i++) pools.push(await open(size, { minConnections }))
    const after = await heapUsed()
    for (const pool of pools) await pool.close()
    return after - before
  }
  const heap = ((await heapOf(size)) - (await heapOf(0))) / (count * size)
  return { 'connect and close': connect / 1000, heap }
}

/** On a clock that is told to go on: the same steps, without the waits in between. */
async function measureUpkeep(size: number): Promise<Sample> {
  const clock = new FakeClock()
  const quiet = { clock, healthCheckInterval: 0, rebuildCheckInterval: 0, maxLifetime: 0, rebuildBatchDelay: 0 }
  const sweeps = Math.ceil(CONNECTIONS / size)

  const checked = await open(size, { ...quiet, healthCheckInterval: INTERVAL })
  const check = await perUnit(sweeps * size, () => clock.advance(sweeps * INTERVAL))
  await checked.close()

  const evaluated = await open(size, { ...quiet, rebuildCheckInterval: INTERVAL })
  const evaluate = await perUnit(sweeps * size, () => clock.advance(sweeps * INTERVAL))
  await evaluated.close()

  const rebuilt = await open(size, quiet)
  const rebuild = await perUnit(size, () => clock.until(rebuilt.rebuildConnections({ all: true }), Number.POSITIVE_INFINITY))
  await rebuilt.close()
  return { 'health check': check / 1000, 'rebuild check': evaluate, rebuild: rebuild / 1000 }
}

async function open(size: number, options: PoolOptions, connect: () => Promise<Nothing> = async () => ({})): Promise<Pool<Nothing>> {
  const driver = defineDriver({ protocol: 'nothing', connect, check: () => {}, close: () => {}, destroy: () => {} })
  const pool = createPool(driver, { minConnections: size, maxConnections: size, ...options })
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

async function acquireAndRelease(pool: Pool<Nothing>, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const lease = await pool.acquire()
    lease.release()
  }
}

/**
 * All connections are in use. Whoever borrows comes alone, in a turn of the event loop of its own, and is served by the
 * next release.
 */
async function acquireInTurn(pool: Pool<Nothing>, leases: Lease<Nothing>[], times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const next = pool.acquire()
    await new Promise(setImmediate)
    const place = i % leases.length
    leases[place]?.release()
    leases[place] = await next
  }
}
