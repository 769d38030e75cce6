import { serverUrl, startServer } from '../postgres-server.ts'
import { quantile } from '../statistics.ts'
import type { Sample, Workload } from '../workload.ts'

const CALLERS = 64
const CONNECTIONS = 10
const WARM_UP = 8_000
const QUERIES = 30_000

/** Sends `select 1`, waits for the answer. */
type Query = () => Promise<unknown>

const CLIENTS: Readonly<Record<string, (url: string) => Promise<Query>>> = {
  /** Ten clients of pg in turn: a client queues by itself, so this is what the queries cost without any pool. */
  async floor(url) {
    const { default: pg } = await import('pg')
    // A client that is used without a pool queues by itself; pg warns that its next major version will not.
    process.noDeprecation = true
    const clients = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const client = new pg.Client(url)
        await client.connect()
        return client
      }),
    )
    let turn = 0
    return () => (clients[turn++ % CONNECTIONS] as (typeof clients)[number]).query('select 1')
  },
  async wellpool(url) {
    const [{ createPool }, { postgres }] = await Promise.all([import('wellpool'), import('wellpool/postgres')])
    const pool = createPool(postgres({ connectionString: url }), { maxConnections: CONNECTIONS })
    return () => pool.use((client) => client.query('select 1'))
  },
  async 'pg-pool'(url) {
    const { default: PgPool } = await import('pg-pool')
    const pool = new PgPool({ connectionString: url, max: CONNECTIONS })
    return () => pool.query('select 1')
  },
  async knex(url) {
    const { default: knex } = await import('knex')
    const db = knex({ client: 'pg', connection: url, pool: { min: 0, max: CONNECTIONS } })
    return async () => db.raw('select 1')
  },
  /** With its defaults: it prepares the statement once for each connection and sends queries without waiting for earlier answers. */
  async 'postgres.js'(url) {
    const { default: postgres } = await import('postgres')
    const sql = postgres(url, { max: CONNECTIONS })
    return async () => sql`select 1`
  },
}

/** `select 1` over a real PostgreSQL on this machine: what a pool costs beside a real client. */
export const postgresql: Workload = {
  name: 'postgres',
  title: `select 1 on PostgreSQL, ${CALLERS} callers, ${CONNECTIONS} connections`,
  rounds: 10,
  contenders: ['floor', 'wellpool', 'pg-pool', 'knex', 'postgres.js'],
  metrics: [
    { name: 'CPU', unit: 'µs/query', digits: 1, relativeTo: ['pg-pool'] },
    { name: 'throughput', unit: 'queries/s', digits: 0, relativeTo: ['pg-pool'] },
    { name: 'p99', unit: 'ms', digits: 2, relativeTo: ['pg-pool'] },
  ],
  targets: [
    { metric: 'CPU', relativeTo: 'pg-pool', limit: 1, byInterval: true },
    { metric: 'throughput', relativeTo: 'pg-pool', limit: 1, atLeast: true, byInterval: true },
    { metric: 'p99', relativeTo: 'pg-pool', limit: 1, byInterval: true },
  ],
  prepare: startServer,
  async run(contender) {
    const connect = CLIENTS[contender]
    if (connect === undefined) throw new Error(`cannot measure ${contender}`)
    const query = await connect(serverUrl())
    await queryInParallel(query, WARM_UP)
    return queryInParallel(query, QUERIES)
  },
}

async function queryInParallel(query: Query, queries: number): Promise<Sample> {
  const latencies = new Float64Array(queries)
  let begun = 0
  const caller = async (): Promise<void> => {
    while (begun < queries) {
      const index = begun++
      const start = performance.now()
      await query()
      latencies[index] = performance.now() - start
    }
  }
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  return { CPU: (user + system) / queries, throughput: queries / seconds, p99: quantile(Array.from(latencies), 0.99) }
}
