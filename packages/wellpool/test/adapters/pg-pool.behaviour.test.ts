import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type PgPoolOptions, Pool } from '../../src/adapters/pg-pool.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describePostgres } from '../support/postgres.ts'

/** What stands where pg's pool stands is held to be the same by being asked the same. What is different: pg-pool.differences.test.ts. */
const POOLS = [
  // pg binds the class of pg-pool to a class of clients.
  { name: 'pg-pool', PoolClass: pg.Pool, BaseClass: Object.getPrototypeOf(pg.Pool) as BaseClass },
  { name: 'wellpool/pg-pool', PoolClass: Pool as unknown as typeof pg.Pool, BaseClass: Pool as unknown as BaseClass },
]

type BaseClass = new (options: object, Client: unknown) => pg.Pool

const pidOf = (client: pg.ClientBase): number => (client as unknown as { processID: number }).processID

/** Waits for what has no event. The test's time-out is the limit. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(5)
}

await describePostgres('behaviour', (url) => {
  const { hostname: host, port, username: user, password, pathname } = new URL(url)
  const address = { host, port: Number(port), user, password, database: pathname.slice(1) }

  let admin: pg.Client
  let proxy: FaultProxy
  let pools: pg.Pool[] = []

  beforeAll(async () => {
    admin = new pg.Client(url)
    await admin.connect()
    proxy = await FaultProxy.start({ host, port: Number(port) })
  })

  afterAll(async () => {
    await admin.end()
    await proxy.close()
  })

  afterEach(async () => {
    proxy.heal()
    await Promise.all(pools.map((pool) => (pool.ending ? undefined : pool.end())))
    pools = []
  })

  describe.each(POOLS)('of $name', ({ PoolClass, BaseClass }) => {
    const open = (options: PgPoolOptions = {}): pg.Pool => {
      const pool = new PoolClass({ ...address, ...options })
      pools.push(pool)
      return pool
    }
    /** The names of what happens, in order, with what comes along. */
    const listen = (pool: pg.Pool): unknown[][] => {
      const heard: unknown[][] = []
      for (const event of ['connect', 'acquire', 'release', 'remove', 'error'] as const) {
        pool.on(event, (...values: unknown[]) => heard.push([event, ...values]))
      }
      return heard
    }
    const names = (heard: unknown[][]): unknown[] => heard.map(([name]) => name)
    const terminate = (client: pg.ClientBase) => admin.query('select pg_terminate_backend($1)', [pidOf(client)])

    describe('options', () => {
      it('are completed', () => {
        const { options } = new PoolClass({ host: 'there' })
        expect(options).toEqual({
          host: 'there',
          max: 10,
          min: 0,
          maxUses: Number.POSITIVE_INFINITY,
          allowExitOnIdle: false,
          maxLifetimeSeconds: 0,
          idleTimeoutMillis: 10_000,
        })
        expect(new PoolClass().options.max).toBe(10)
        expect(new PoolClass({ poolSize: 3 } as PgPoolOptions).options.max).toBe(3)
        expect(new PoolClass({ max: 4, idleTimeoutMillis: 0 }).options).toMatchObject({ max: 4, idleTimeoutMillis: 0 })
      })

      it('are a copy that has the password and does not show it', () => {
        const given = { password: 'open sesame', ssl: { key: 'a key' } }
        const { options } = new PoolClass(given)
        expect(options.password).toBe('open sesame')
        expect((options.ssl as { key: string }).key).toBe('a key')
        expect(inspect(options, { depth: 9 })).not.toMatch(/open sesame|a key/)
        expect(Object.keys(given)).toEqual(['password', 'ssl'])
      })

      it('have a client of the class that is asked for, in one way or the other', async () => {
        class Mine extends pg.Client {}
        const inOptions = open({ Client: Mine as unknown as new () => pg.Client })
        const client = await inOptions.connect()
        expect(client).toBeInstanceOf(Mine)
        client.release()

        const beside = new BaseClass(address, Mine)
        pools.push(beside)
        const other = await beside.connect()
        expect(other).toBeInstanceOf(Mine)
        other.release()
      })

      it('show the class of the clients, which another may be put in the place of', async () => {
        class Mine extends pg.Client {}
        type Seen = { Client: typeof pg.Client }
        const classOf = (pool: pg.Pool) => (pool as unknown as Seen).Client
        expect(classOf(new PoolClass())).toBe(pg.Client)
        expect(classOf(new PoolClass({ Client: Mine as unknown as new () => pg.Client }))).toBe(Mine)
        expect(classOf(new BaseClass({}, Mine))).toBe(Mine)

        const pool = open()
        ;(pool as unknown as Seen).Client = Mine
        const client = await pool.connect()
        expect(client).toBeInstanceOf(Mine)
        client.release()
      })

      it('show the function that is told what happens, or one that does nothing', () => {
        type Seen = { log: (...messages: unknown[]) => void }
        const log = vi.fn()
        expect((new PoolClass({ log }) as unknown as Seen).log).toBe(log)
        expect((new PoolClass() as unknown as Seen).log('heard by nobody')).toBeUndefined()
      })

      it('have promises of the class that is asked for', async () => {
        class Mine<T> extends Promise<T> {}
        const pool = open({ Promise: Mine as PromiseConstructor })
        const connecting = pool.connect()
        expect(connecting).toBeInstanceOf(Mine)
        ;(await connecting).release()
        const querying = pool.query('select 1')
        expect(querying).toBeInstanceOf(Mine)
        await querying
        const ending = pool.end()
        expect(ending).toBeInstanceOf(Mine)
        await ending
        const refused = pool.connect()
        expect(refused).toBeInstanceOf(Mine)
        await expect(refused).rejects.toThrow()
      })

      it('have what goes on told to log', async () => {
        const log = vi.fn()
        const pool = open({ log })
        await pool.query('select 1')
        expect(log).toHaveBeenCalled()
        expect(log.mock.calls.every(([message]) => typeof message === 'string')).toBe(true)
      })
    })

    describe('connect', () => {
      it('gives a connected client that is to be released', async () => {
        const pool = open()
        const client = await pool.connect()
        expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
        expect(client.release()).toBeUndefined()
      })

      it('calls back with the client, and with the function that releases it', async () => {
        const pool = open()
        const [error, client, done] = await new Promise<[unknown, pg.PoolClient, (error?: unknown) => void]>((resolve) => {
          const returned: unknown = pool.connect((...values) => resolve(values as never))
          expect(returned).toBeUndefined()
        })
        expect(error).toBeUndefined()
        expect(client.release).toBe(done)
        done()
        expect(pool.idleCount).toBe(1)
      })

      it('fails with the error that the client fails with, as a promise or called back', async () => {
        const pool = open({ database: 'nowhere' })
        await expect(pool.connect()).rejects.toMatchObject({ code: '3D000', severity: 'FATAL', routine: expect.any(String) })
        const values = await new Promise<unknown[]>((resolve) => pool.connect((...given) => resolve(given)))
        expect(values).toEqual([expect.objectContaining({ code: '3D000' }), undefined, expect.any(Function)])
        expect((values[2] as () => unknown)()).toBeUndefined()
        expect(pool.totalCount).toBe(0)
      })

      it('fails when nobody listens there, and succeeds when somebody does', async () => {
        const pool = open({ port: proxy.port })
        await proxy.refuse()
        await expect(pool.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
        proxy.heal()
        await until(() => pool.query('select 1').then(Boolean, () => false))
      })

      it('takes the client that was released last', async () => {
        const pool = open()
        const [first, second] = [await pool.connect(), await pool.connect()]
        second.release()
        first.release()
        const next = await pool.connect()
        expect(next).toBe(first)
        next.release()
      })

      it('serves as many as max at the same time, and the others in the order in which they came', async () => {
        const pool = open({ max: 2 })
        const [first, second] = [await pool.connect(), await pool.connect()]
        const served: number[] = []
        const waiting = [1, 2, 3].map(async (number) => {
          const client = await pool.connect()
          served.push(number)
          client.release()
        })
        await delay(1)
        expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([2, 0, 3])
        first.release()
        await Promise.all(waiting)
        expect(served).toEqual([1, 2, 3])
        expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([2, 1, 0])
        second.release()
        expect(pool.idleCount).toBe(2)
      })

      it('gives up waiting for a client that others have after connectionTimeoutMillis', async () => {
        const pool = open({ max: 1, connectionTimeoutMillis: 1000 })
        const client = await pool.connect()
        await expect(pool.connect()).rejects.toThrow('timeout exceeded when trying to connect')
        const error = await new Promise((resolve) => pool.query('select 1', resolve))
        expect(error).toEqual(new Error('timeout exceeded when trying to connect'))
        expect(pool.waitingCount).toBe(0)
        client.release()
        await pool.query('select 1')
      })

      it('gives up on a server that does not answer after connectionTimeoutMillis, and leaves no socket', async () => {
        const pool = open({ port: proxy.port, connectionTimeoutMillis: 100 })
        proxy.inject({ kind: 'unanswered' })
        await expect(pool.connect()).rejects.toThrow('Connection terminated due to connection timeout')
        await proxy.until((flows) => flows.every(({ clientOpen }) => !clientOpen))
        expect(pool.totalCount).toBe(0)
      })
    })

    describe('release', () => {
      it('throws the second time', async () => {
        const pool = open()
        const client = await pool.connect()
        client.release()
        expect(() => client.release()).toThrow('Release called on client which has already been released to the pool.')
        // A borrower of the same client has a release of its own.
        const again = await pool.connect()
        expect(again).toBe(client)
        again.release()
      })

      it.each([
        ['an error', new Error('broken')],
        ['true', true],
      ] as const)('given %s has the client closed', async (_, reason) => {
        const pool = open({ max: 1 })
        const heard = listen(pool)
        const client = await pool.connect()
        const ended = once(client, 'end')
        client.release(reason)
        expect(heard.at(-1)).toEqual(['release', reason, client])
        await ended
        await until(() => heard.length === 4)
        expect(heard.at(-1)).toEqual(['remove', client])
        expect(pool.totalCount).toBe(0)
        const next = await pool.connect()
        expect(pidOf(next)).not.toBe(pidOf(client))
        next.release()
      })

      it('of a client that its borrower has ended has it removed', async () => {
        const pool = open({ max: 1 })
        const client = await pool.connect()
        const ended = client.end()
        client.release()
        await ended
        const next = await pool.connect()
        expect(pidOf(next)).not.toBe(pidOf(client))
        next.release()
      })

      it('of a client with a query in flight lets the query end, and the next borrower’s come after it', async () => {
        const pool = open({ max: 1 })
        const client = await pool.connect()
        const early = client.query("select 'early' as name, pg_sleep(0.05)")
        client.release()
        const late = pool.query("select 'late' as name")
        expect((await early).rows[0].name).toBe('early')
        expect((await late).rows[0].name).toBe('late')
      })
    })

    describe('query', () => {
      it.each<[string, unknown[]]>([
        ['a text', ["select 'a' as a"]],
        ['a text and values', ['select $1::text as a', ['a']]],
        ['an object', [{ text: "select 'a' as a" }]],
        ['an object with values', [{ text: 'select $1::text as a', values: ['a'] }]],
        ['an object, and values beside it', [{ text: 'select $1::text as a' }, ['a']]],
        ['a prepared statement', [{ name: 'letter', text: 'select $1::text as a', values: ['a'] }]],
      ])('takes %s, with a promise or a callback', async (_, values) => {
        const pool = open()
        const ask = pool.query.bind(pool) as (...given: unknown[]) => Promise<pg.QueryResult>
        expect((await ask(...values)).rows).toEqual([{ a: 'a' }])
        const [error, result] = await new Promise<[unknown, pg.QueryResult]>((resolve) => {
          expect(ask(...values, (...given: unknown[]) => resolve(given as never))).toBeUndefined()
        })
        expect(error).toBeUndefined()
        expect(result.rows).toEqual([{ a: 'a' }])
        expect(pool.idleCount).toBe(1)
      })

      it('gives rows as arrays when asked to', async () => {
        expect((await open().query({ text: 'select 1, 2', rowMode: 'array' })).rows).toEqual([[1, 2]])
      })

      it('runs a query object, which emits its events', async () => {
        const pool = open()
        const query = new pg.Query('select generate_series(1, 3) as n')
        const rows: unknown[] = []
        query.on('row', (row) => rows.push(row))
        const result = await (pool.query(query) as unknown as Promise<pg.QueryResult>)
        expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
        expect(result.rowCount).toBe(3)
        expect(pool.idleCount).toBe(1)
      })

      it('fails as the server answers, with a stack that leads here', async () => {
        const pool = open()
        const error = await pool.query('select 1/0').catch((reason: unknown) => reason)
        expect(error).toMatchObject({ code: '22012', severity: 'ERROR' })
        expect((error as Error).stack).toContain('pg-pool.behaviour.test')
        const values = await new Promise<unknown[]>((resolve) => pool.query('select 1/0', (...given) => resolve(given)))
        expect(values).toEqual([expect.objectContaining({ code: '22012' })])
        await pool.query('select 1')
      })

      it('fails when it is given nothing, and the pool goes on', async () => {
        const pool = open({ max: 1 })
        await expect(pool.query(null as never)).rejects.toThrow(TypeError)
        await pool.query('select 1')
      })

      it('refuses a function in place of the text', async () => {
        const pool = open()
        const message = 'Passing a function as the first parameter to pool.query is not supported'
        const error = await new Promise((resolve) => pool.query(resolve as never))
        expect(error).toEqual(new Error(message))
        expect(pool.totalCount).toBe(0)
      })

      it('uses a connect that a subclass has put in place of the pool’s', async () => {
        let connects = 0
        class Counting extends PoolClass {
          override connect(callback?: unknown): never {
            connects++
            return super.connect(callback as never) as never
          }
        }
        const pool: pg.Pool = new Counting(address)
        pools.push(pool)
        await pool.query('select 1')
        ;(await pool.connect()).release()
        expect(connects).toBe(2)
        expect(pool).toBeInstanceOf(Counting)
        expect(pool).toBeInstanceOf(PoolClass)
      })

      it('whose client is lost fails with the client’s error, once', async () => {
        const pool = open()
        pool.on('error', () => {})
        const callback = vi.fn()
        const asked = new Promise<void>((resolve) => pool.once('acquire', () => resolve()))
        pool.query('select pg_sleep(60)', callback)
        await asked
        await until(
          async () =>
            (
              await admin.query(
                "select pg_terminate_backend(pid) from pg_stat_activity where query like '%sleep(60)%' and pid <> pg_backend_pid()",
              )
            ).rowCount === 1,
        )
        await until(() => callback.mock.calls.length > 0)
        expect(callback).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: '57P01' }))
        await pool.query('select 1')
      })
    })

    describe('events', () => {
      it('come in order, with the client', async () => {
        const pool = open()
        const heard = listen(pool)
        const client = await pool.connect()
        expect(heard).toEqual([
          ['connect', client],
          ['acquire', client],
        ])
        client.release()
        expect(heard.slice(2)).toEqual([['release', undefined, client]])
        await pool.query('select 1')
        expect(heard.slice(3)).toEqual([
          ['acquire', client],
          ['release', null, client],
        ])
        await pool.end()
        await until(() => heard.length > 5)
        expect(heard.slice(5)).toEqual([['remove', client]])
      })

      it('are heard before the borrower has its client', async () => {
        const pool = open()
        const order: string[] = []
        pool.on('connect', () => order.push('connect'))
        pool.on('acquire', () => order.push('acquire'))
        await new Promise<void>((resolve) => {
          pool.connect((_, client) => {
            order.push('called back')
            client?.release()
            resolve()
          })
        })
        expect(order).toEqual(['connect', 'acquire', 'called back'])
      })

      it('of a client that nobody has and that is lost: error, then remove', async () => {
        const pool = open()
        const heard = listen(pool)
        const client = await pool.connect()
        client.release()
        heard.length = 0
        await terminate(client)
        await until(() => names(heard).includes('remove'))
        const [[name, error, about], [last, removed]] = heard.filter(([event]) => event !== 'connect') as [unknown[], unknown[]]
        expect([name, last]).toEqual(['error', 'remove'])
        expect([about, removed]).toEqual([client, client])
        expect(error).toMatchObject({ code: '57P01', client })
      })

      it('of a client that somebody has and that is lost are the client’s, not the pool’s', async () => {
        const pool = open()
        const heard = listen(pool)
        const client = await pool.connect()
        const failed = once(client, 'error')
        await terminate(client)
        expect(await failed).toEqual([expect.objectContaining({ code: '57P01' })])
        await expect(client.query('select 1')).rejects.toThrow(/not queryable|terminated/)
        client.release()
        await until(() => names(heard).includes('remove'))
        expect(names(heard)).not.toContain('error')
        const next = await pool.connect()
        expect(pidOf(next)).not.toBe(pidOf(client))
        next.release()
      })

      it('of connect come when onConnect has fulfilled, and what a listener sends comes before the borrower’s', async () => {
        const order: string[] = []
        const pool = open({
          onConnect: async (client) => {
            order.push('onConnect')
            await client.query("set application_name = 'first'")
            order.push('onConnect is done')
          },
        })
        pool.on('connect', (client) => {
          order.push('connect')
          void client.query("set application_name = 'second'")
        })
        expect((await pool.query('show application_name')).rows).toEqual([{ application_name: 'second' }])
        expect(order).toEqual(['onConnect', 'onConnect is done', 'connect'])
      })

      it('of connect may listen for notifications, which come while nobody has the client as well', async () => {
        const pool = open({ max: 1 })
        const notified = new Promise((resolve) => {
          pool.on('connect', (client) => {
            client.on('notification', ({ payload }) => resolve(payload))
            void client.query('listen news')
          })
        })
        await pool.query('select 1')
        await pool.query('select 1')
        await admin.query("notify news, 'hot'")
        expect(await notified).toBe('hot')
      })
    })

    describe('a new client', () => {
      it.each([
        ['that onConnect rejects', { onConnect: () => Promise.reject(new Error('not this one')) }],
        ['that onConnect throws at', { onConnect: () => expect.unreachable() }],
        ['that verify refuses', { verify: (_: unknown, done: (error?: Error) => void) => done(new Error('not this one')) }],
      ] as [string, PgPoolOptions][])('%s is closed, and its borrower gets the error', async (_, options) => {
        const pool = open({ port: proxy.port, ...options })
        await expect(pool.query('select 1')).rejects.toThrow(/not this one|not to be reached/)
        await proxy.until((flows) => flows.length === 0)
        expect(pool.totalCount).toBe(0)
      })

      it('that verify approves is handed out, and is not verified again', async () => {
        const verify = vi.fn((client: pg.PoolClient, done: (error?: Error) => void) => {
          client.query('select 1').then(() => done(), done)
        })
        const pool = open({ verify })
        await pool.query('select 1')
        await pool.query('select 1')
        expect(verify).toHaveBeenCalledOnce()
      })
    })

    describe('time', () => {
      it('closes clients that nobody has had for idleTimeoutMillis, down to min', async () => {
        const pool = open({ idleTimeoutMillis: 30, min: 1 })
        const heard = listen(pool)
        const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
        for (const client of clients) client.release()
        await until(() => names(heard).filter((name) => name === 'remove').length === 2)
        expect(pool.totalCount).toBe(1)
      })

      it('closes none with idleTimeoutMillis 0', async () => {
        const pool = open({ idleTimeoutMillis: 0 })
        await pool.query('select 1')
        await delay(50)
        expect(pool.idleCount).toBe(1)
      })

      it('replaces a client that is older than maxLifetimeSeconds', async () => {
        const pool = open({ maxLifetimeSeconds: 0.05 })
        const client = await pool.connect()
        const pid = pidOf(client)
        client.release()
        await until(async () => (await pool.query('select pg_backend_pid() as pid')).rows[0].pid !== pid)
      })

      it('counts clients that have become too old while somebody has them', async () => {
        const pool = open({ maxLifetimeSeconds: 0.05 })
        const client = await pool.connect()
        expect(pool.expiredCount).toBe(0)
        await until(() => pool.expiredCount === 1)
        client.release()
        await until(() => pool.expiredCount === 0)
      })
    })

    describe('end', () => {
      it('closes idle clients, as a promise or called back', async () => {
        for (const end of [(pool: pg.Pool) => pool.end(), (pool: pg.Pool) => new Promise<void>((resolve) => pool.end(resolve))]) {
          const pool = open({ port: proxy.port })
          const heard = listen(pool)
          await pool.query('select 1')
          expect([pool.ending, pool.ended]).toEqual([false, false])
          expect(await end(pool)).toBeUndefined()
          expect([pool.ending, pool.ended]).toEqual([true, true])
          expect(pool.totalCount).toBe(0)
          await until(() => names(heard).at(-1) === 'remove')
          await proxy.until((flows) => flows.length === 0)
        }
      })

      it('of a pool that nobody has used ends', async () => {
        await open().end()
      })

      it('waits for clients that somebody has', async () => {
        const pool = open()
        const client = await pool.connect()
        let ended = false
        const ending = pool.end().then(() => {
          ended = true
        })
        expect(pool.ending).toBe(true)
        await client.query('select pg_sleep(0.02)')
        expect([ended, pool.ended]).toEqual([false, false])
        client.release()
        await ending
        expect(pool.ended).toBe(true)
      })

      it('a second time fails', async () => {
        const pool = open()
        const first = pool.end()
        await expect(pool.end()).rejects.toThrow('Called end on pool more than once')
        const error = await new Promise((resolve) => pool.end(resolve as never))
        expect(error).toEqual(new Error('Called end on pool more than once'))
        await first
      })

      it('lets nobody else borrow', async () => {
        const pool = open()
        await pool.end()
        const message = 'Cannot use a pool after calling end on the pool'
        await expect(pool.connect()).rejects.toThrow(message)
        await expect(pool.query('select 1')).rejects.toThrow(message)
        expect(await new Promise((resolve) => pool.connect(resolve))).toEqual(new Error(message))
        expect(await new Promise((resolve) => pool.query('select 1', resolve))).toEqual(new Error(message))
      })
    })
  })
})
