import { setTimeout as delay } from 'node:timers/promises'
import { executeMysql, MARIADB_PROGRAM, type MariadbServer, startMariadb } from '@wellpool/servers'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { expect, it, vi } from 'vitest'
import { mysql } from '../../src/drivers/mysql.ts'
import { createPool } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** A user who has no right to look after the server. */
async function createUser(
  server: MariadbServer,
): Promise<{ host: string; port: number; user: string; password: string; database: string }> {
  await server.createDatabase('app')
  await executeMysql(server.url, `create user app@'127.0.0.1' identified by 'app'`)
  await executeMysql(server.url, `grant all on app.* to app@'127.0.0.1'`)
  return { host: server.host, port: server.port, user: 'app', password: 'app', database: 'app' }
}

await describeWith([MARIADB_PROGRAM], 'mysql() with a server of its own', () => {
  it('uses TLS, checks the certificate, and leaves no socket when it is aborted on the way', async () => {
    await using server = await startMariadb({ tls: { certificate: TEST_CERTIFICATE, key: TEST_KEY } })
    await using proxy = await FaultProxy.start({ port: server.port })
    const address = { host: proxy.host, port: proxy.port, user: server.user, password: server.password }

    const trusting = mysql({ ...address, ssl: { ca: TEST_CERTIFICATE } })
    const client = await trusting.connect(context())
    const [rows] = await client.query<RowDataPacket[]>(`show session status like 'ssl_cipher'`)
    expect(rows[0]?.Value).toMatch(/^TLS/)
    const lost = vi.fn()
    trusting.watch?.(client, { lost, retire: () => {} })
    trusting.unref?.(client)
    await trusting.check(client, { signal: never })

    const killed = await trusting.connect(context())
    const reported = new Promise((resolve) => trusting.watch?.(killed, { lost: resolve, retire: () => {} }))
    await executeMysql(server.url, `kill ${killed.threadId}`)
    expect(trusting.classify?.(await failureOf(killed.query('select 1')))).toBe('fatal')
    await reported

    const leaving = await trusting.connect(context())
    await trusting.close(leaving)
    proxy.inject({ kind: 'silence' })
    trusting.destroy(client)
    await proxy.until((flows) => flows.every(({ clientOpen }) => !clientOpen))
    expect(lost).not.toHaveBeenCalled()
    await proxy.heal()

    const suspicious = mysql({ ...address, ssl: true })
    const error = await failureOf(suspicious.connect(context()))
    expect(error).toMatchObject({ code: 'HANDSHAKE_SSL_ERROR', message: 'self-signed certificate' })
    expect(suspicious.classify?.(error)).toBe('fatal')

    proxy.inject({ kind: 'latency', ms: 2, jitter: 2 })
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const controller = new AbortController()
        const connecting = trusting.connect(context(controller.signal)).then(
          (late) => trusting.destroy(late),
          () => 'aborted',
        )
        await delay(index * 2)
        controller.abort()
        return connecting
      }),
    )
    expect(outcomes).toContain('aborted')
    await proxy.until((flows) => flows.length === 0)
  })

  it('takes a server that is full for one that will have room again', async () => {
    await using server = await startMariadb({ settings: { max_connections: 10, extra_max_connections: 2 } })
    const driver = mysql(await createUser(server))
    const clients: Connection[] = []
    let error: unknown
    while (error === undefined) {
      error = await driver.connect(context()).then(
        (client) => {
          clients.push(client)
        },
        (reason: unknown) => reason,
      )
    }
    expect(error).toMatchObject({ errno: 1040 })
    expect(driver.classify?.(error)).toBe('transient')
    for (const client of clients) driver.destroy(client)
  })

  it.each(['fast', 'crash'] as const)('hears that the server stops (%s), and connects again when it is back', async (mode) => {
    await using server = await startMariadb()
    const driver = mysql({ uri: server.url })
    const idle = await driver.connect(context())
    const reported = new Promise((resolve) => driver.watch?.(idle, { lost: resolve, retire: () => {} }))
    const working = await driver.connect(context())
    const query = failureOf(working.query('select sleep(10)'))
    await server.stop(mode)
    await reported
    expect(driver.classify?.(await query)).toBe('fatal')
    const refused = await failureOf(driver.connect(context()))
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
    await server.start()
    const next = await driver.connect(context())
    await driver.check(next, { signal: never })
    await driver.close(next)
  })

  it('leaves a server that has become read-only, for the one that has taken its place', async () => {
    await using old = await startMariadb()
    await using next = await startMariadb()
    await using proxy = await FaultProxy.start(old)
    const address = await createUser(old)
    await createUser(next)
    for (const server of [old, next]) await executeMysql(server.urlOf('app'), 'create table written (id int)')
    const pool = createPool(mysql({ ...address, host: proxy.host, port: proxy.port }), { maxConnections: 2, minConnections: 2 })
    await pool.start()
    await executeMysql(old.url, 'set global read_only = 1')
    proxy.target = next

    const write = (): Promise<unknown> => pool.use((client) => client.query('insert into written values (1)'))
    const failures: unknown[] = []
    for (let written = 0; written < 3; ) {
      const failure = await failureOf(write())
      if (failure === undefined) written++
      else failures.push(failure)
    }
    // Each connection to the old server fails one time.
    expect(failures.length).toBeLessThanOrEqual(2)
    for (const failure of failures) expect(failure).toMatchObject({ errno: 1290 })
    expect(await executeMysql(next.urlOf('app'), 'select count(*) as n from written')).toEqual([{ n: 3 }])
    await pool.close()
  })
})
