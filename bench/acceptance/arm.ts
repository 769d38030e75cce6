// One arm's process: a pool, and the load on it while its turn lasts. Started with the arm's name as its only argument.
import { type ConnectionRecord, createPool } from 'wellpool'
import { postgres } from 'wellpool/postgres'
import { memoryInUse } from '../src/heap.ts'
import { type Loaded, loadAtRate, loadFully, type MakeRequest } from '../src/load.ts'
import { serverUrl } from '../src/postgres-server.ts'
import { quantile } from '../src/statistics.ts'
import { ARMS, type ArmName, AT_REST, CONNECTIONS, REBUILD_ALL_MS } from './arms.ts'
import type { Command, Load, Report } from './messages.ts'

const CALLERS = 64
const WARM_UP_MS = 1_500
/** At the start of each slice: what has rested is verified, and does not count. */
const LEAD_MS = 150
/** As long as it is from one rebuild to the next, so that each slice has one. */
const SLICE_MS = REBUILD_ALL_MS / CONNECTIONS

const { options, rebuilds } = ARMS[process.argv[2] as ArmName]
const memoryBefore = await memoryInUse()
const driver = postgres({ connectionString: serverUrl() })
let checks = 0
let rebuilt = 0
/** The latencies of all slices, ms. */
const all: Record<Load, number[]> = { part: [], full: [] }

const check: typeof driver.check = async (client, context) => {
  await driver.check(client, context)
  checks++
}
const pool = createPool({ ...driver, check }, AT_REST)

/** A lease that is disposed of says nothing of how its use went: only checks prove a connection, so all that are due are made. */
const request: MakeRequest = async () => {
  const lease = await pool.acquire()
  try {
    await lease.client.query('select 1')
  } finally {
    lease[Symbol.dispose]()
  }
}

await pool.start()
await loadFully(request, CALLERS, WARM_UP_MS)
process.on('message', (message) => void obey(message as Command))
// Whoever has started this process is gone.
process.on('disconnect', () => process.exit())
tell({ kind: 'ready' })

async function obey(command: Command): Promise<void> {
  if (command.do === 'slice') await measureSlice(command.rate)
  else await end()
}

async function measureSlice(rate: number | undefined): Promise<void> {
  const load = (ms: number): Promise<Loaded> => (rate === undefined ? loadFully(request, CALLERS, ms) : loadAtRate(request, rate, ms))
  pool.reconfigure(options)
  await load(LEAD_MS)
  checks = 0
  rebuilt = 0
  const [{ latencies, ...loaded }] = await Promise.all([load(SLICE_MS), rebuilds && rebuildNext()])
  // Nothing of this pool shall take part in what is measured of others.
  pool.reconfigure(AT_REST)
  for (const latency of latencies) all[rate === undefined ? 'full' : 'part'].push(latency)
  tell({ kind: 'slice', slice: { ...loaded, checks, rebuilds: rebuilt } })
}

/** In the middle of a slice, the one whose client is the oldest: so all have their turn. */
async function rebuildNext(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SLICE_MS / 2))
  const since = ({ lastRebuiltAt, createdAt }: ConnectionRecord): number => lastRebuiltAt ?? createdAt
  const present = pool.connections().filter(({ state }) => state !== 'connecting' && state !== 'closing' && state !== 'closed')
  const [oldest] = present.sort((a, b) => since(a) - since(b))
  if (oldest !== undefined && (await pool.rebuildConnectionById(oldest.id)).success) rebuilt++
}

async function end(): Promise<void> {
  pool.reconfigure(options)
  const p99 = { part: quantile(all.part, 0.99), full: quantile(all.full, 0.99) }
  // They are no part of the pool's memory.
  all.part = []
  all.full = []
  const memory = { pool: (await memoryInUse()) - memoryBefore, process: process.memoryUsage.rss() }
  process.send?.({ kind: 'ended', ended: { p99, memory } } satisfies Report, () => process.exit())
}

function tell(report: Report): void {
  process.send?.(report)
}
