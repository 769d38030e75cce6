import pg from 'pg'
import { afterAll, it } from 'vitest'
import { postgres } from '../../src/drivers/postgres.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { describeOwnPostgres, startPostgres } from '../support/postgres.ts'

const APPLICATION = 'conformance'

await describeOwnPostgres('conformance', async () => {
  const server = await startPostgres()
  const figures = new Map<string, number[]>()

  afterAll(async () => {
    await server.close()
    const lines = [...figures].map(([figure, times]) => `${figure}: ${times.map((ms) => ms.toFixed(1)).join(', ')} ms`)
    console.info(`postgres on PostgreSQL ${server.version}\n  ${lines.join('\n  ')}`)
  })

  const createDriver = ({ host, port }: ConformanceAddress, password = server.password) =>
    postgres({ host, port, user: server.user, database: 'postgres', password, applicationName: APPLICATION })

  /** Over a connection of its own, to the server itself: what is asked for must not depend on the driver. */
  const ask = async (sql: string, values: unknown[] = []): Promise<pg.QueryResult> => {
    const client = new pg.Client(server.url)
    await client.connect()
    try {
      return await client.query(sql, values)
    } finally {
      await client.end()
    }
  }

  const cases = driverConformance<pg.Client>({
    name: 'postgres',
    target: server,
    createDriver,
    request: (client) => client.query('select 1'),
    createRefusedDriver: (address) => createDriver(address, 'a wrong password'),
    failingRequest: (client) => client.query('select 1/0'),
    longRequest: (client) => client.query('select pg_sleep(1.5)'),
    // What pg_terminate_backend does, without the time that a connection takes to ask for it.
    kill: async (client) => process.kill((client as unknown as { processID: number }).processID, 'SIGTERM'),
    leaveBehind: (client) => client.query('begin; create table left_behind (id int); listen news'),
    isClean: async (client) => {
      const { rows } = await client.query(
        `select to_regclass('left_behind') is null and not exists (select from pg_listening_channels()) as clean`,
      )
      return client.getTransactionStatus() === 'I' && rows[0].clean
    },
    countSessions: async () => {
      const { rows } = await ask('select count(*)::int as count from pg_stat_activity where application_name = $1', [APPLICATION])
      return rows[0].count
    },
    restart: () => server.restart(),
    report: (figure, ms) => figures.set(figure, [...(figures.get(figure) ?? []), ms]),
  })
  for (const { name, run } of cases) it(name, run)
})
