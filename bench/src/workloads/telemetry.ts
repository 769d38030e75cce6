import type pg from 'pg'
import { createPool, defineDriver, type Pool } from 'wellpool'
import { postgres } from 'wellpool/postgres'
import { INSTRUMENTS, type Instrument } from '../instruments.ts'
import { serverUrl, startServer } from '../postgres-server.ts'
import { lowerQuartile, quantile } from '../statistics.ts'
import type { Sample, Workload } from '../workload.ts'

const CALLERS = 64
const CONNECTIONS = 10
/** One batch lasts a few hundredths of a second: what else the machine does meets both pools alike. */
const BATCH = 1_000
const PAIRS = 80
const WARM_UP_PAIRS = 10
const ACQUIRES = 50_000
const ACQUIRE_BATCHES = 11

/**
 * What metrics, spans, logs and channels cost: `select 1` on a real PostgreSQL, and an acquire of nothing. `wellpool`
 * has all of them. Each process has two pools, one with and one without, that take turns, and the ratios are of their
 * better quartiles. Those of `without`, which has a second pool like itself, show what they are worth.
 */
export const telemetry: Workload = {
  name: 'telemetry',
  title: `select 1 on PostgreSQL, ${CALLERS} callers, ${CONNECTIONS} connections; acquire and release of nothing, one caller`,
  rounds: 10,
  contenders: Object.keys(INSTRUMENTS),
  metrics: [
    { name: 'throughput', unit: 'queries/s', digits: 0 },
    { name: 'throughput, × without', unit: '', digits: 3 },
    { name: 'CPU', unit: 'µs/query', digits: 2 },
    { name: 'CPU, × without', unit: '', digits: 3 },
    { name: 'acquire', unit: 'ns', digits: 0, relativeTo: ['without'] },
  ],
  targets: [
    { metric: 'throughput, × without', limit: 0.97, atLeast: true, byInterval: true },
    { metric: 'CPU, × without', limit: 1.03, byInterval: true },
  ],
  prepare: startServer,
  async run(contender) {
    const instrument = await INSTRUMENTS[contender]?.()
    if (instrument === undefined) throw new Error(`cannot measure ${contender}`)
    // The acquire first: it is to be measured as a process does it that has no other pool.
    const acquire = await acquires(instrument)
    return { acquire, ...(await queries(serverUrl(), instrument)) }
  },
}

async function queries(connectionString: string, { options, observe, wrap }: Instrument): Promise<Sample> {
  const subject = createPool(wrap(postgres({ connectionString })), { ...options, name: 'subject', maxConnections: CONNECTIONS })
  const bare = createPool(postgres({ connectionString }), { name: 'bare', maxConnections: CONNECTIONS })
  observe(subject)
  const batches: Record<'subject' | 'bare', Batch[]> = { subject: [], bare: [] }
  for (let pair = 0; pair < WARM_UP_PAIRS + PAIRS; pair++) {
    const order = pair % 2 === 0 ? (['subject', 'bare'] as const) : (['bare', 'subject'] as const)
    for (const name of order) {
      const batch = await runBatch(name === 'subject' ? subject : bare)
      if (pair >= WARM_UP_PAIRS) batches[name].push(batch)
    }
  }
  await Promise.all([subject.close(), bare.close()])
  const throughput = (of: readonly Batch[]): number =>
    quantile(
      of.map((batch) => batch.throughput),
      0.75,
    )
  const cpu = (of: readonly Batch[]): number => lowerQuartile(of.map((batch) => batch.cpu))
  return {
    throughput: throughput(batches.subject),
    'throughput, × without': throughput(batches.subject) / throughput(batches.bare),
    CPU: cpu(batches.subject),
    'CPU, × without': cpu(batches.subject) / cpu(batches.bare),
  }
}

interface Batch {
  readonly throughput: number
  readonly cpu: number
}

async function runBatch(pool: Pool<pg.Client>): Promise<Batch> {
  let begun = 0
  const caller = async (): Promise<void> => {
    while (begun < BATCH) {
      begun++
      await pool.use((client) => client.query('select 1'))
    }
  }
  const before = process.cpuUsage()
  const start = performance.now()
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  return { cpu: (user + system) / BATCH, throughput: BATCH / seconds }
}

async function acquires({ options, observe, wrap }: Instrument): Promise<number> {
  const driver = defineDriver({ protocol: 'nothing', connect: async () => ({}), check() {}, close() {}, destroy() {} })
  const pool = createPool(wrap(driver), { ...options, name: 'nothing', maxConnections: CONNECTIONS })
  observe(pool)
  await pool.start()
  const run = async (count: number): Promise<number> => {
    const start = process.hrtime.bigint()
    for (let i = 0; i < count; i++) {
      const lease = await pool.acquire()
      lease.release()
    }
    return Number(process.hrtime.bigint() - start) / count
  }
  await run(2 * ACQUIRES)
  const times: number[] = []
  for (let i = 0; i < ACQUIRE_BATCHES; i++) times.push(await run(ACQUIRES))
  await pool.close()
  return lowerQuartile(times)
}
