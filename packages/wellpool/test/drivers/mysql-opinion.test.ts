import { setTimeout as delay } from 'node:timers/promises'
import { MARIADB_PROGRAM, type MariadbServer, startMariadb } from '@wellpool/servers'
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mysql } from '../../src/drivers/mysql.ts'
import { askAboutThread, type Flow, type ThreadReader } from '../../src/drivers/mysql-opinion.ts'
import { createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { Batch } from '../../src/shared/batch.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'

const never = new AbortController().signal
/** Takes as long as somebody else has the lock. */
const LONG = `select get_lock('gate', 3600) as got, release_lock('gate')`

await describeWith([MARIADB_PROGRAM], 'the second opinion on MariaDB', () => {
  let server: MariadbServer
  let proxy: FaultProxy
  let admin: Connection
  let pools: Pool<Connection>[]

  /** A pool whose usual query is short. */
  const open = async (options: PoolOptions = {}): Promise<Pool<Connection>> => {
    const driver = mysql({ host: proxy.host, port: proxy.port, user: server.user, password: server.password, database: 'mysql' })
    const pool = createPool(driver, { name: 'opinions', maxConnections: 4, minConnections: 4, ...options })
    pools.push(pool)
    await pool.start()
    for (let query = 0; query < 20; query++) await pool.use((client) => client.query('select 1'))
    return pool
  }
  /** Until it has been asked so often what the server is doing: how soon that is depends on how busy the machine is. */
  const asked = async (pool: Pool<Connection>, times: number): Promise<void> => {
    while (Object.values(pool.stats().secondOpinions).reduce((sum, count) => sum + count, 0) < times) await delay(5)
  }
  const shutGate = () => admin.query(`select get_lock('gate', 3600)`)
  const openGate = () => admin.query(`select release_lock('gate')`)

  beforeAll(async () => {
    server = await startMariadb()
    admin = await createConnection(server.url)
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
    it('long queries on all connections at once', async () => {
      const pool = await open()
      await shutGate()
      const waiting = Promise.all(Array.from({ length: 4 }, () => pool.use((client) => client.query(LONG))))
      await asked(pool, 4)
      await openGate()
      await waiting
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0, unknown: 0 } })
      expect(pool.stats().secondOpinions.working).toBeGreaterThanOrEqual(4)
    })

    it('a query that waits for a lock', async () => {
      await server.createDatabase('locks')
      await admin.query('create table locks.locked (id int)')
      await admin.query('lock tables locks.locked write')
      const pool = await open()
      const waiting = pool.use((client) => client.query('select * from locks.locked'))
      await asked(pool, 2)
      await admin.query('unlock tables')
      await waiting
      expect(pool.stats().secondOpinions.gone).toBe(0)
    })

    it('an application that thinks in its transaction, without asking anybody', async () => {
      const pool = await open()
      await pool.use(async (client) => {
        await client.beginTransaction()
        await delay(700)
        await client.commit()
      })
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { working: 0, gone: 0, unknown: 0 } })
    })

    it('an application that thinks between its queries for longer than any of them takes', async () => {
      const pool = await open()
      await pool.use(async (client) => {
        for (let thought = 0; thought < 10; thought++) {
          await delay(120)
          await client.query('select 1')
        }
      })
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0 } })
    })

    it('a result that the application reads slowly', async () => {
      const pool = await open()
      let rows = 0
      await pool.use(async (client) => {
        const { connection } = client as unknown as { connection: { query(sql: string): { stream(): AsyncIterable<unknown> } } }
        const many = `select repeat('x', 100000) as filling from mysql.help_keyword limit 400`
        for await (const _ of connection.query(many).stream()) {
          rows++
          if (rows % 100 === 0) await delay(400)
        }
      })
      expect(rows).toBe(400)
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0 } })
    })

    it('a query on a server that the address does not lead to any more', async () => {
      await using other = await startMariadb()
      const elsewhere = await createConnection(other.url)
      await elsewhere.query(`set password for root@'127.0.0.1' = password('${server.password}')`)
      await elsewhere.end()
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.target = other
      await shutGate()
      const waiting = pool.use((client) => client.query<RowDataPacket[]>(LONG))
      await asked(pool, 1)
      await openGate()
      expect((await waiting)[0]).toMatchObject([{ got: 1 }])
      expect(pool.stats().secondOpinions).toMatchObject({ working: 0, gone: 0 })
      expect(pool.stats().secondOpinions.unknown).toBeGreaterThanOrEqual(1)
    })
  })

  describe('finds out', () => {
    it('flows that have fallen silent under queries, and idempotent ones run elsewhere at once', async () => {
      const pool = await open()
      proxy.inject({ kind: 'silence' }, 'present')
      await Promise.all(Array.from({ length: 8 }, () => pool.use((client) => client.query('select 1'), { idempotent: true })))
      expect(pool.stats().secondOpinions.gone).toBe(4)
      expect(pool.stats().open).toBeLessThanOrEqual(5)
    })

    it('flows on which only the answers are lost', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.inject({ kind: 'silence', direction: 'to-client' }, 'present')
      await pool.use((client) => client.query('select 1'), { idempotent: true })
      expect(pool.stats().secondOpinions.gone).toBe(1)
    })

    it('a session that was ended behind a silent flow, and says so to a query that may not run again', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      const use = pool.use(async (client) => {
        proxy.inject({ kind: 'silence' }, 'present')
        await admin.query(`kill ${client.threadId}`)
        return client.query('select 1')
      })
      await expect(use).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    })

    it('a long query whose flow dies on the way, when the server has ended it', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      const use = pool.use((client) => client.query('select sleep(0.6)'))
      await delay(100)
      proxy.inject({ kind: 'silence' }, 'present')
      await expect(use).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
      expect(pool.stats().secondOpinions).toMatchObject({ gone: 1, unknown: 0 })
    })

    it('a result that the server can’t deliver any more', async () => {
      const driver = mysql({ host: proxy.host, port: proxy.port, user: server.user, password: server.password })
      const connect = () => driver.connect({ signal: never, connectionId: 'test-1', attempt: 1 })
      const [client, other] = [await connect(), await connect()]
      const query = client.query(`select repeat('x', 1000000) from mysql.help_keyword limit 100`).catch((error: unknown) => error)
      proxy.inject({ kind: 'silence', direction: 'to-client' }, { id: 1 })
      while ((await driver.secondOpinion?.(client, other, { signal: never, limit: 50 })) !== 'gone') await delay(20)
      for (const each of [client, other]) driver.destroy(each)
      expect(driver.classify?.(await query)).toBe('fatal')
    })
  })
})

describe('askAboutThread', () => {
  const LIMIT = 100
  const silent: Flow = { thread: { id: 7, server: 'a/1' }, hasRequestInFlight: true, quietFor: 5000, sentBytes: 100 }
  const saying = (...rows: { id: number | string; command: string; state?: string; waited?: number | string }[]): ThreadReader =>
    new Batch(async () => rows.map((row) => ({ state: '', waited: 0, ...row })))
  const asleep = { id: 7, command: 'Sleep', waited: 4000 }
  const ask = (flow: Partial<Flow>, reader: ThreadReader, { server }: { server: string | undefined } = { server: 'a/1' }) =>
    askAboutThread({ ...silent, ...flow }, reader, server === undefined ? undefined : { id: 8, server }, LIMIT)

  it.each([
    ['waits for a command', 'gone', asleep],
    ['waits for a command, as a text', 'gone', { ...asleep, id: '7', waited: '4000.123' }],
    ['has begun to wait only now', 'working', { ...asleep, waited: 50 }],
    ['waits by MySQL’s whole seconds, of which none may have passed', 'working', { ...asleep, waited: 0 }],
    ['runs a query', 'working', { id: 7, command: 'Query', state: 'Sending data', waited: 4000 }],
    ['executes a prepared statement', 'working', { id: 7, command: 'Execute', waited: 4000 }],
    ['is being killed', 'working', { id: 7, command: 'Killed', waited: 4000 }],
    ['can’t deliver its rows', 'gone', { id: 7, command: 'Query', state: 'Writing to net', waited: 4000 }],
  ] as const)('a thread that %s is %s', async (_, opinion, row) => {
    expect(await ask({}, saying(row))).toBe(opinion)
  })

  it('a statement that is large is given the time that it takes to arrive', async () => {
    expect(await ask({ sentBytes: 1 << 20 }, saying(asleep))).toBe('working')
    expect(await ask({ sentBytes: 1 << 20, quietFor: 7000 }, saying(asleep))).toBe('gone')
  })

  it('a thread that is not there is gone', async () => {
    expect(await ask({}, saying({ id: 9, command: 'Sleep', waited: 9000 }))).toBe('gone')
  })

  it('rows that can’t be delivered are given more time than a request', async () => {
    expect(await ask({ quietFor: 9 * LIMIT }, saying({ id: 7, command: 'Query', state: 'Sending to client', waited: 900 }))).toBe('working')
  })

  it('is no matter while nothing is in flight, or something was heard', async () => {
    expect(await ask({ hasRequestInFlight: false }, saying())).toBe('working')
    expect(await ask({ quietFor: 20 }, saying(asleep))).toBe('working')
  })

  it.each([
    ['its own thread is not known', { thread: undefined }, 'a/1'],
    ['the other one is with another server, or another run of it', {}, 'a/2'],
    ['the other one does not know its server', {}, undefined],
  ] as const)('is unknown when %s', async (_, flow, server) => {
    expect(await ask(flow as Partial<Flow>, saying(asleep), { server })).toBe('unknown')
  })
})
