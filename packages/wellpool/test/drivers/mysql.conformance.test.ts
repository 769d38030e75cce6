import { executeMysql, MARIADB_PROGRAM, startMariadb } from '@wellpool/servers'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, it } from 'vitest'
import { mysql } from '../../src/drivers/mysql.ts'
import { type ConformanceAddress, driverConformance } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'
import { Figures } from '../support/figures.ts'

/** The application's own user: administrators have rights that hide mistakes. */
const USER = 'conformance'

await describeWith([MARIADB_PROGRAM], 'conformance', async () => {
  const server = await startMariadb()
  const figures = new Figures()
  const ask = (sql: string) => executeMysql(server.url, sql) as Promise<RowDataPacket[]>
  await ask(`create user ${USER}@'127.0.0.1' identified by '${server.password}'`)
  await ask(`grant all on app.* to ${USER}@'127.0.0.1'`)
  await server.createDatabase('app')

  afterAll(async () => {
    await server.close()
    figures.print(`mysql on MariaDB ${server.version}`)
  })

  const createDriver = ({ host, port }: ConformanceAddress, password = server.password) =>
    mysql({ host, port, user: USER, database: 'app', password })

  const cases = driverConformance<Connection>({
    name: 'mysql',
    target: server,
    createDriver,
    request: (client) => client.query('select 1'),
    createRefusedDriver: (address) => createDriver(address, 'a wrong password'),
    failingRequest: (client) => client.query('select no_such_column'),
    longRequest: (client) => client.query('select sleep(1.5)'),
    kill: (client) => ask(`kill ${client.threadId}`),
    leaveBehind: async (client) => {
      await client.query('set @left = 1')
      await client.query('create temporary table left_behind (id int)')
      await client.query(`do get_lock('left', 0)`)
      await client.query('begin')
    },
    isClean: async (client) => {
      const [rows] = await client.query<RowDataPacket[]>(
        `select @left is null and is_used_lock('left') is null and @@in_transaction = 0 as clean, database() as name`,
      )
      const gone = await client.query('select id from left_behind').catch((error: { errno?: number }) => error.errno)
      return rows[0]?.clean === 1 && rows[0].name === 'app' && gone === 1146
    },
    countSessions: async () => {
      const [row] = await ask(`select count(*) as count from information_schema.processlist where user not in ('root', 'system user')`)
      return Number(row?.count)
    },
    restart: () => server.restart(),
    report: figures.add,
  })
  for (const { name, run } of cases) it(name, run)
})
