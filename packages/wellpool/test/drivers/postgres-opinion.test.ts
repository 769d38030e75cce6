import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { PGBOUNCER, type PostgresServer, startPgBouncer } from '@wellpool/servers'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { postgres } from '../../src/drivers/postgres.ts'
import { identify } from '../../src/drivers/postgres-opinion.ts'
import { createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'
import { describeOwnPostgres, startPostgres } from '../support/postgres.ts'

const LONG = 'select pg_sleep(1.2)'
/** What may run again elsewhere is given up soonest. */
const AGAIN = { idempotent: true }

await describeOwnPostgres('the second opinion on PostgreSQL', () => {
  let server: PostgresServer
  let proxy: FaultProxy
  let admin: pg.Client
  let pools: Pool<pg.Client>[]

  /** A pool whose usual query is short. */
  const open = async (options: PoolOptions & { host?: string; port?: number } = {}): Promise<Pool<pg.Client>> => {
    const { host = proxy.host, port = proxy.port, ...others } = options
    const driver = postgres({ host, port, user: server.user, password: server.password, database: 'postgres' })
    const pool = createPool(driver, { name: 'opinions', maxConnections: 4, minConnections: 4, ...others })
    pools.push(pool)
    await pool.start()
    for (let query = 0; query < 20; query++) await pool.use((client) => client.query('select 1'))
    return pool
  }
  /** Until it has been asked so often what the server is doing. */
  const asked = async (pool: Pool<pg.Client>, times: number): Promise<void> => {
    while (Object.values(pool.stats().secondOpinions).reduce((sum, count) => sum + count, 0) < times) await delay(5)
  }

  beforeAll(async () => {
    server = await startPostgres()
    admin = new pg.Client(server.url)
    await admin.connect()
  })
  afterAll(async () => {
    await admin.end()
    await server.close()
  })
  beforeEach(async () => {
    pools = []
    proxy = await FaultProxy.start(server)
  })
  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.close({ timeout: 0 })))
    await proxy.close()
  })

  describe('leaves alone', () => {
    it('a query that takes long', async () => {
      const pool = await open()
      const { rowCount } = await pool.use((client) => client.query(LONG), AGAIN)
      expect(rowCount).toBe(1)
      expect(pool.stats().secondOpinions).toMatchObject({ gone: 0, unknown: 0 })
      expect(pool.stats().secondOpinions.working).toBeGreaterThanOrEqual(2)
    })

    it('long queries on all connections at once', async () => {
      const pool = await open()
      await Promise.all(Array.from({ length: 4 }, () => pool.use((client) => client.query(LONG), AGAIN)))
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0, unknown: 0 } })
      expect(pool.stats().secondOpinions.working).toBeGreaterThanOrEqual(4)
    })

    it('a query that waits for a lock', async () => {
      await admin.query('create table locked (id int)')
      await admin.query('begin; lock table locked')
      const pool = await open()
      const waiting = pool.use((client) => client.query('select from locked'), AGAIN)
      await asked(pool, 2)
      await admin.query('commit')
      await waiting
      expect(pool.stats().secondOpinions.gone).toBe(0)
    })

    it('an application that thinks in its transaction, without asking anybody', async () => {
      const pool = await open()
      await pool.use(async (client) => {
        await client.query('begin')
        await delay(700)
        await client.query('commit')
      }, AGAIN)
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { working: 0, gone: 0, unknown: 0 } })
    })

    it('a query that begins, after a long thought, while it is being asked about', async () => {
      const pool = await open()
      await pool.use(async (client) => {
        await client.query('begin')
        for (let thought = 0; thought < 10; thought++) {
          await delay(120)
          await client.query('select 1')
        }
        await client.query('commit')
      }, AGAIN)
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0 } })
    })

    it('an answer that comes late, to a query that may not run again', async () => {
      const pool = await open()
      proxy.inject({ kind: 'latency', ms: 700, direction: 'to-client' }, 'present')
      const { rowCount } = await pool.use((client) => client.query('select 1'))
      expect(rowCount).toBe(1)
      expect(pool.stats().secondOpinions.gone).toBe(0)
    })

    it('a COPY that the application feeds slowly', async () => {
      await admin.query('create table fed (line text)')
      const pool = await open()
      await pool.use(async (client) => {
        const stream = client.query(copyFrom('copy fed from stdin'))
        stream.write('one\n')
        await delay(1200)
        stream.end('two\n')
        await once(stream, 'finish')
      }, AGAIN)
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0 } })
      expect(pool.stats().secondOpinions.working).toBeGreaterThanOrEqual(1)
    })

    it('a statement that takes long to send: until the server has all of it, it calls itself idle', async () => {
      const driver = postgres({ host: proxy.host, port: proxy.port, user: server.user, password: server.password, database: 'postgres' })
      const signal = AbortSignal.timeout(30_000)
      const connect = () => driver.connect({ signal, connectionId: 'test-1', attempt: 1 })
      const [client, other] = [await connect(), await connect()]
      proxy.inject({ kind: 'bandwidth', bytesPerSecond: 10_000_000, direction: 'to-server' }, { id: 1 })
      let answered = false
      const answer = client.query(`select length('${'x'.repeat(8_000_000)}') as length`).finally(() => {
        answered = true
      })
      const opinions = new Set()
      while (!answered) opinions.add(await driver.secondOpinion?.(client, other, { limit: 100, signal }))
      expect((await answer).rows).toEqual([{ length: 8_000_000 }])
      expect([...opinions]).toEqual(['working'])
      for (const each of [client, other]) await driver.close(each)
    })

    it('a query on a server that the address does not lead to any more', async () => {
      await using other = await startPostgres()
      const elsewhere = new pg.Client(other.url)
      await elsewhere.connect()
      await elsewhere.query(`alter user ${server.user} password '${server.password}'`)
      await elsewhere.end()
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.target = other
      const { rowCount } = await pool.use((client) => client.query(LONG), AGAIN)
      expect(rowCount).toBe(1)
      expect(pool.stats().secondOpinions).toMatchObject({ working: 0, gone: 0 })
      expect(pool.stats().secondOpinions.unknown).toBeGreaterThanOrEqual(1)
    })
  })

  describe('finds out', () => {
    it('flows that have fallen silent under queries, and idempotent ones run elsewhere at once', async () => {
      const pool = await open()
      proxy.inject({ kind: 'silence' }, 'present')
      const began = performance.now()
      await Promise.all(Array.from({ length: 8 }, () => pool.use((client) => client.query('select 1'), AGAIN)))
      expect(performance.now() - began).toBeLessThan(5000)
      expect(pool.stats().secondOpinions.gone).toBe(4)
      expect(pool.stats().open).toBeLessThanOrEqual(5)
    })

    it('flows on which only the answers are lost', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.inject({ kind: 'silence', direction: 'to-client' }, 'present')
      await pool.use((client) => client.query('select 1'), AGAIN)
      expect(pool.stats().secondOpinions.gone).toBe(1)
    })

    it('a session that was ended behind a silent flow, and says so to a query that may not run again', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      const use = pool.use(async (client) => {
        proxy.inject({ kind: 'silence' }, 'present')
        await admin.query('select pg_terminate_backend($1)', [(client as unknown as { processID: number }).processID])
        return client.query('select 1')
      })
      await expect(use).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    })

    it('a long query whose flow dies on the way, when the server has ended it', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      const use = pool.use((client) => client.query('select pg_sleep(0.6)'))
      await delay(100)
      proxy.inject({ kind: 'silence' }, 'present')
      await expect(use).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
      expect(pool.stats().secondOpinions).toMatchObject({ gone: 1, unknown: 0 })
    })
  })
})

await describeWith([PGBOUNCER], 'the second opinion behind PgBouncer', () => {
  it.each(['session', 'transaction'] as const)('(pool_mode %s) is unknown: a long query is not touched, nor asked about', async (mode) => {
    await using server = await startPostgres()
    await using bouncer = await startPgBouncer(server, mode)
    const driver = postgres({ host: '127.0.0.1', port: bouncer.port, user: server.user, password: 'any', database: 'postgres' })
    const pool = createPool(driver, { name: 'bounced', maxConnections: 2, minConnections: 2 })
    for (let query = 0; query < 20; query++) await pool.use((client) => client.query('select 1'))
    await Promise.all([1, 2].map(() => pool.use((client) => client.query(LONG), AGAIN)))
    expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { working: 0, gone: 0, unknown: 0 }, total: 2 })
    await pool.close()
  })
})

describe('identify', () => {
  const refusing = (code: string, severity: string): pg.Client => {
    const error = Object.assign(new Error('says the server'), { code, severity })
    return { query: () => Promise.reject(error) } as unknown as pg.Client
  }

  it.each(['ERROR', 'FEHLER'])('knows nothing of a session whose server does not tell (%s), and the connect goes on', async (severity) => {
    expect(await identify(refusing('42501', severity), 7)).toBeUndefined()
  })

  it.each([
    ['57P01', 'FATAL'],
    ['57P01', '致命的エラー'],
  ])('fails when the session has ended (%s %s)', async (code, severity) => {
    await expect(identify(refusing(code, severity), 7)).rejects.toMatchObject({ code })
  })
})
