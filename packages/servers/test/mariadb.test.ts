import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { describeWith } from '../../wellpool/test/support/describe-if.ts'
import { executeMysql, MARIADB_PROGRAM, startMariadb } from '../src/index.ts'

await describeWith([MARIADB_PROGRAM], 'MariadbServer', () => {
  it('serves databases of its own, restarts with the same port and data, and leaves nothing when closed', async () => {
    const server = await startMariadb({ settings: { max_connections: 17 } })
    const url = await server.createDatabase()
    await executeMysql(url, 'create table kept as select 42 as id')
    const [row] = (await executeMysql(url, 'select @@datadir as folder, @@max_connections as settings')) as Record<string, unknown>[]
    expect(row?.settings).toBe(17)
    expect(server.version).toMatch(/^\d+\.\d+\.\d+$/)

    for (const mode of ['fast', 'crash'] as const) {
      const { pid, port } = server
      await server.restart(mode)
      expect(server.port).toBe(port)
      expect(server.pid).not.toBe(pid)
    }
    // The row is where it was: every way to stop leaves data that the server can come back with.
    expect(await executeMysql(url, 'select id from kept')).toEqual([{ id: 42 }])

    await server.close()
    await server.close()
    expect(server.pid).toBeUndefined()
    expect(existsSync(String(row?.folder))).toBe(false)
    await expect(executeMysql(url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('refuses a wrong password', async () => {
    await using server = await startMariadb()
    const wrong = server.url.replace(server.password, 'wrong')
    await expect(executeMysql(wrong, 'select 1')).rejects.toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' })
  })

  it('says what the server said when it does not start', async () => {
    await expect(startMariadb({ settings: { no_such_setting: 1 } })).rejects.toThrow(/unknown variable 'no_such_setting=1'/)
  })
})
