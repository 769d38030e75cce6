// The application: a pool, and the load on it. For each slice it is told as which of the arms.
import pg from 'pg'
import { type ConnectionRecord, createPool } from 'wellpool'
import { postgres } from 'wellpool/postgres'
import { memoryInUse } from '../src/heap.ts'
import { type Loaded, loadAtRate, loadFully, type MakeRequest } from '../src/load.ts'
import { serverUrl } from '../src/postgres-server.ts'
import { quantile } from '../src/statistics.ts'
import { ARMS, type Arm, AT_REST, CONNECTIONS, REBUILD_ALL_MS } from './arms.ts'
import type { Command, Report } from './messages.ts'

const CALLERS = 64
const WARM_UP_MS = 1_500
/** How often all connections are rebuilt before anything is measured: as often as V8 looks before it keeps more for a function. */
const REHEARSALS = 4
/** At the start of each slice: what has rested is verified, what the last arm has begun ends, and nothing counts. */
const LEAD_MS = 150
/** As long as it is from one rebuild to the next, so that each slice has one. */
const SLICE_MS = REBUILD_ALL_MS / CONNECTIONS

const driver = postgres({ connectionString: serverUrl() })
let checks = 0
let rebuilt = 0

const check: typeof driver.check = async (client, context) => {
  await driver.check(client, context)
  checks++
}
await rehearse()
const memoryBefore = await memoryInUse()
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

const MEANWHILE = { rebuild: rebuildNext, login: logIn, nothing: async () => {} } as const satisfies Record<
  Arm['meanwhile'],
  () => Promise<void>
>

await pool.start()
await loadFully(request, CALLERS, WARM_UP_MS)
process.on('message', (message) => void obey(message as Command))
// Whoever has started this process is gone.
process.on('disconnect', () => process.exit())
tell({ kind: 'ready' })

async function obey(command: Command): Promise<void> {
  if (command.do === 'slice') await measureSlice(ARMS[command.arm], command.rate)
  else await end(ARMS[command.arm])
}

async function measureSlice({ options, meanwhile }: Arm, rate: number | undefined): Promise<void> {
  const load = (ms: number): Promise<Loaded> => (rate === undefined ? loadFully(request, CALLERS, ms) : loadAtRate(request, rate, ms))
  pool.reconfigure(options)
  await load(LEAD_MS)
  checks = 0
  rebuilt = 0
  const [{ latencies, ...loaded }] = await Promise.all([load(SLICE_MS), halfway(MEANWHILE[meanwhile])])
  // Whose turn is next may be another's: nothing of this one shall take part in it.
  pool.reconfigure(AT_REST)
  tell({ kind: 'slice', slice: { ...loaded, p99: quantile(latencies, 0.99), checks, rebuilds: rebuilt } })
}

/**
 * Another pool does all that any arm does, and is closed. V8 keeps code for what has run once in a process, whatever the
 * number of pools: it is part of the process, and of no arm's pool.
 */
async function rehearse(): Promise<void> {
  const rehearsal = createPool({ ...driver, check }, { ...AT_REST, ...ARMS.on.options })
  const request = async (): Promise<void> => {
    const lease = await rehearsal.acquire()
    await lease.client.query('select 1').finally(() => lease[Symbol.dispose]())
  }
  await rehearsal.start()
  await loadFully(request, CALLERS, WARM_UP_MS)
  for (let i = 0; i < REHEARSALS; i++) await rehearsal.rebuildConnections({ all: true })
  await loadFully(request, CALLERS, WARM_UP_MS)
  await rehearsal.close()
}

/** In the middle of a slice. */
async function halfway(work: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SLICE_MS / 2))
  await work()
}

/** The one whose client is the oldest: so all have their turn. */
async function rebuildNext(): Promise<void> {
  const since = ({ lastRebuiltAt, createdAt }: ConnectionRecord): number => lastRebuiltAt ?? createdAt
  const present = pool.connections().filter(({ state }) => state !== 'connecting' && state !== 'closing' && state !== 'closed')
  const [oldest] = present.sort((a, b) => since(a) - since(b))
  if (oldest !== undefined && (await pool.rebuildConnectionById(oldest.id)).success) rebuilt++
}

async function logIn(): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() })
  await client.connect()
  await client.end()
}

async function end({ options }: Arm): Promise<void> {
  pool.reconfigure(options)
  const memory = { pool: (await memoryInUse()) - memoryBefore, process: process.memoryUsage.rss() }
  process.send?.({ kind: 'ended', memory } satisfies Report, () => process.exit())
}

function tell(report: Report): void {
  process.send?.(report)
}
