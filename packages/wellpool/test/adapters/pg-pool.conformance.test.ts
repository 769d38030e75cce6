import pg from 'pg'
import { afterAll, expect, it } from 'vitest'
import { pgPoolDriver } from '../../src/adapters/pg-pool-driver.ts'
import { completeOptions } from '../../src/adapters/pg-pool-options.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { describeOwnPostgres, startPostgres } from '../support/postgres.ts'

await describeOwnPostgres('conformance of the driver underneath', async () => {
  const server = await startPostgres()
  const told = { connected: 0, removed: 0 }

  afterAll(() => server.close())

  const createDriver = ({ host, port }: ConformanceAddress, password = server.password) => {
    const options = completeOptions({ host, port, user: server.user, database: 'postgres', password })
    return pgPoolDriver(options, () => new pg.Client(options), {
      connected: () => void told.connected++,
      removed: () => void told.removed++,
      lost: () => {},
    })
  }

  const cases = driverConformance<pg.Client>({
    name: 'pg-pool',
    target: server,
    createDriver: (address) => createDriver(address),
    createRefusedDriver: (address) => createDriver(address, 'a wrong password'),
    request: (client) => client.query('select 1'),
    failingRequest: (client) => client.query('select 1/0'),
    kill: async (client) => process.kill((client as unknown as { processID: number }).processID, 'SIGTERM'),
    leaveBehind: (client) => client.query('begin; create table left_behind (id int); listen news'),
    isClean: async (client) => {
      const { rows } = await client.query(
        `select to_regclass('left_behind') is null and not exists (select from pg_listening_channels()) as clean`,
      )
      return client.getTransactionStatus() === 'I' && rows[0].clean
    },
    restart: () => server.restart(),
  })
  for (const { name, run } of cases) it(name, run)

  it('has told of the end of every client of whose beginning it told', async () => {
    expect(told.connected).toBeGreaterThan(cases.length)
    await expect.poll(() => told.removed).toBe(told.connected)
  })
})
