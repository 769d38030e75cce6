// The application of the soak: one pool, its load, and the counts of what is there when it rests. Started with its settings as its only argument.
import { EventEmitter, getEventListeners, setMaxListeners } from 'node:events'
import type pg from 'pg'
import { createPool } from 'wellpool'
import { postgres } from 'wellpool/postgres'
import { memoryInUse } from '../src/heap.ts'
import { seeded } from '../src/random.ts'
import { CountingClock } from './counting-clock.ts'
import type { Counts, Report, Settings } from './messages.ts'
import { Traffic } from './traffic.ts'

const CONNECTIONS = 8
/** How long a rest waits at most until all connections are there, ms. */
const REST_MS = 15_000

const settings = JSON.parse(process.argv[2] ?? '') as Settings
const clock = new CountingClock()
const clients = new Set<pg.Client>()
const forgotten: unknown[] = []
const { signal } = new AbortController()
// As many may wait for it at the same time as there are requests.
setMaxListeners(0, signal)
const driver = postgres({ ...settings.address, queryTimeout: '2s' })
const pool = createPool<pg.Client>(
  {
    ...driver,
    async connect(context) {
      const client = await driver.connect(context)
      clients.add(client)
      return client
    },
    close(client) {
      clients.delete(client)
      return driver.close(client)
    },
    destroy(client) {
      clients.delete(client)
      driver.destroy(client)
    },
  },
  {
    clock,
    minConnections: CONNECTIONS,
    maxConnections: CONNECTIONS,
    healthCheckInterval: '2s',
    // All connections are rebuilt over and over, beside what the faults do to them.
    maxLifetime: '20s',
    rebuildCheckInterval: '5s',
  },
)
if (settings.leaks) {
  pool.on('connectionAcquired', ({ connectionId }) => {
    forgotten.push(new Array(100).fill(connectionId))
    if (forgotten.length % 50 === 0) signal.addEventListener('abort', () => forgotten.length)
  })
}
const traffic = new Traffic(pool, seeded(settings.seed), signal)

await pool.start()
traffic.start()
process.on('message', () => void sample())
// Whoever has started this process is gone.
process.on('disconnect', () => process.exit())
tell({ kind: 'ready' })

async function sample(): Promise<void> {
  await traffic.stop()
  const counts = await countAtRest()
  tell({ kind: 'sample', counts, traffic: traffic.figures })
  traffic.start()
}

async function countAtRest(): Promise<Counts> {
  const limit = performance.now() + REST_MS
  const isAtRest = (): boolean => {
    const { idle, open, marked, waiting } = pool.stats()
    return idle === CONNECTIONS && open === CONNECTIONS && marked === 0 && waiting === 0
  }
  while (!isAtRest() && performance.now() < limit) await new Promise((resolve) => setTimeout(resolve, 10))
  const heap = await memoryInUse()
  const resources = process.getActiveResourcesInfo()
  return {
    heap,
    handles: resources.length,
    sockets: resources.filter((name) => name === 'TCPSocketWrap').length,
    timers: clock.pending,
    listeners: countListeners(),
    clients: clients.size,
  }
}

function countListeners(): number {
  const emitters: unknown[] = [process]
  for (const client of clients) {
    const { connection } = client as unknown as { readonly connection?: { readonly stream?: unknown } }
    emitters.push(client, connection, connection?.stream)
  }
  const onEmitters = emitters.reduce<number>((sum, emitter) => sum + (emitter instanceof EventEmitter ? listenersOf(emitter) : 0), 0)
  return onEmitters + getEventListeners(signal, 'abort').length
}

function listenersOf(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, event) => sum + emitter.listenerCount(event), 0)
}

function tell(report: Report): void {
  process.send?.(report)
}
