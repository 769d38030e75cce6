import { randomBytes } from 'node:crypto'
import { executeMysql, MARIADB_PROGRAM, startMariadb } from '@wellpool/servers'
import { afterAll } from 'vitest'
import { describeIf, describeWith } from './describe-if.ts'

/** The environment variable with the address of a server to use instead of one of our own. Its user may create databases and users. */
const URL_VARIABLE = 'WELLPOOL_TEST_MYSQL_URL'

/**
 * Declares tests on a MySQL or MariaDB server, with an empty database for this call alone. Where no server can be
 * had they are reported as not run; on a CI machine that is a failure.
 *
 * @param declare is given the database's address.
 */
export async function describeMysql(name: string, declare: (url: string) => void | Promise<void>): Promise<void> {
  const external = process.env[URL_VARIABLE]
  if (external === undefined || external === '') {
    await describeWith([MARIADB_PROGRAM], name, async () => {
      const server = await startMariadb()
      afterAll(() => server.close())
      await declare(await server.createDatabase())
    })
    return
  }
  // Not the process id: in containers runs have the same, and one that was killed has left its database behind.
  const database = `wellpool_${randomBytes(4).toString('hex')}`
  await executeMysql(external, `create database ${database}`)
  const url = new URL(external)
  url.pathname = database
  describeIf(undefined, name, async () => {
    afterAll(() => executeMysql(external, `drop database ${database}`))
    await declare(url.href)
  })
}
