import knex from 'knex'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import PgBoss from 'pg-boss'
import { type Options, QueryTypes, Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { clientFrom, type PgPoolOptions, Pool } from '../../src/adapters/pg-pool.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describePostgres } from '../support/postgres.ts'
import { BALANCES, type BankAddress, DEPOSIT, describeBank, quiet, WITHDRAW } from './bank.ts'
import { type Admin, openAdmin } from './bank-admin.ts'

/** Nobody gets what has not proven itself: no borrower is to meet a connection that is dead. */
const OPTIONS = { max: 5, wellpool: { verifyIdleAfter: 0 } } satisfies PgPoolOptions

const balance = (row: { balance: number }): number => row.balance
const fault = new Error('half-way')

await describePostgres('Knex', (url) => {
  describeBank(url, async (address) => {
    const pool = new Pool({ ...address, ...OPTIONS })
    const db = knex({ client: 'pg', connectionPool: pool, log: { warn: () => {} } })
    return {
      transfer: (fail) =>
        db.transaction(async (transaction) => {
          await transaction.raw(WITHDRAW)
          if (fail === true) throw fault
          await transaction.raw(DEPOSIT)
        }),
      balances: async () => (await db('accounts').select('balance').orderBy('name')).map(balance),
      sleep: async (seconds) => db.raw('select pg_sleep(?)', [seconds]),
      close: async () => {
        await db.destroy()
        await pool.end()
      },
    }
  })
})

await describePostgres('TypeORM', (url) => {
  describeBank(url, async ({ user: username, ...address }) => {
    const { max: poolSize, ...extra } = OPTIONS
    const db = new DataSource({ type: 'postgres', ...address, username, driver: { ...pg, Pool }, poolSize, extra })
    await db.initialize()
    return {
      transfer: (fail) =>
        db.transaction(async (manager) => {
          await manager.query(WITHDRAW)
          if (fail === true) throw fault
          await manager.query(DEPOSIT)
        }),
      balances: async () => ((await db.query(BALANCES)) as { balance: number }[]).map(balance),
      sleep: (seconds) => db.query('select pg_sleep($1)', [seconds]),
      close: () => db.destroy(),
    }
  })
})

await describePostgres('Sequelize', (url) => {
  const open = (address: BankAddress) => {
    const pool = new Pool({ ...address, ...OPTIONS })
    const options: Options & { keepDefaultTimezone: boolean } = {
      dialect: 'postgres',
      dialectModule: { ...pg, Client: clientFrom(pool) },
      // Its own pool lends what it borrows, and gives that back after one use; also what it has asked for too much.
      pool: { max: 5, maxUses: 1, validate: () => false },
      // What it would send at each connect belongs to the pool's `onConnect`.
      dialectOptions: { clientMinMessages: 'ignore' },
      keepDefaultTimezone: true,
      standardConformingStrings: false,
      logging: false,
    }
    return { db: new Sequelize(options), pool }
  }

  describeBank(url, async (address) => {
    const { db, pool } = open(address)
    return {
      transfer: (fail) =>
        db.transaction(async (transaction) => {
          await db.query(WITHDRAW, { transaction })
          if (fail === true) throw fault
          await db.query(DEPOSIT, { transaction })
        }),
      balances: async () => (await db.query<{ balance: number }>(BALANCES, { type: QueryTypes.SELECT })).map(balance),
      sleep: (seconds) => db.query(`select pg_sleep(${seconds})`),
      close: async () => {
        await db.close()
        await pool.end()
      },
    }
  })

  it('holds a client for as long as it uses it, and has values parsed as it likes', async () => {
    const { hostname: host, port, username: user, password, pathname } = new URL(url)
    const { db, pool } = open({ host, port: Number(port), user, password, database: pathname.slice(1) })
    onTestFinished(async () => {
      await db.close()
      await pool.end()
    })
    const [row] = await db.query('select 12345678901234567890::numeric as n, now() as t', { type: QueryTypes.SELECT })
    expect(row).toEqual({ n: '12345678901234567890', t: expect.any(Date) })
    // Sequelize lets go of what it has used in its own time.
    await expect.poll(() => pool.wellpool.stats().acquired).toBe(0)
  })
})

await describePostgres('Kysely', (url) => {
  describeBank(url, async (address) => {
    const db = new Kysely<{ accounts: { name: string; balance: number } }>({
      dialect: new PostgresDialect({ pool: new Pool({ ...address, ...OPTIONS }) }),
    })
    return {
      transfer: (fail) =>
        db.transaction().execute(async (transaction) => {
          await sql.raw(WITHDRAW).execute(transaction)
          if (fail === true) throw fault
          await sql.raw(DEPOSIT).execute(transaction)
        }),
      balances: async () => (await db.selectFrom('accounts').select('balance').orderBy('name').execute()).map(balance),
      sleep: (seconds) => sql`select pg_sleep(${seconds})`.execute(db),
      close: () => db.destroy(),
    }
  })
})

await describePostgres('pg-boss', (url) => {
  const { hostname, port, username: user, password, pathname } = new URL(url)
  let admin: Admin

  const open = async () => {
    admin = await openAdmin(url)
    const proxy = await FaultProxy.start({ host: hostname, port: Number(port) })
    const pool = new Pool({ host: proxy.host, port: proxy.port, user, password, database: pathname.slice(1), ...OPTIONS })
    const boss = new PgBoss({ db: { executeSql: (text, values) => pool.query(text, values) }, schedule: false, supervise: false })
    const errors: unknown[] = []
    boss.on('error', (error) => errors.push(error))
    await boss.start()
    await boss.createQueue('mails')
    await boss.purgeQueue('mails')
    onTestFinished(async () => {
      proxy.heal()
      await boss.stop({ graceful: false })
      await pool.end()
      await proxy.close()
      await admin.close()
      expect(errors).toEqual([])
    })
    return { boss, pool, proxy }
  }
  /** Sends jobs, and works through them. */
  const work = async (boss: PgBoss, count: number): Promise<number[]> => {
    await Promise.all(Array.from({ length: count }, (_, number) => boss.send('mails', { number })))
    const done: number[] = []
    while (done.length < count) {
      const jobs = await boss.fetch<{ number: number }>('mails', { batchSize: 3 })
      await boss.complete(
        'mails',
        jobs.map(({ id }) => id),
      )
      done.push(...jobs.map(({ data }) => data.number))
    }
    return done.sort((a, b) => a - b)
  }

  it('does its transactions, and sends jobs within one of the application’s', async () => {
    const { boss, pool } = await open()
    expect(await work(boss, 5)).toEqual([0, 1, 2, 3, 4])
    const client = await pool.connect()
    const db = { executeSql: (text: string, values: unknown[]) => client.query(text, values) }
    for (const end of ['rollback', 'commit']) {
      await client.query('begin')
      await boss.send('mails', { number: 9 }, { db })
      await client.query(end)
    }
    client.release()
    expect(await boss.getQueueSize('mails')).toBe(1)
  })

  it('finds our pool in pg when it makes its own', async () => {
    const { Pool: theirs } = pg
    Object.assign(pg, { Pool })
    onTestFinished(() => void Object.assign(pg, { Pool: theirs }))
    const boss = new PgBoss({ connectionString: url, schedule: false, supervise: false })
    boss.on('error', () => {})
    const connect = vi.spyOn(Pool.prototype, 'connect')
    await boss.start()
    await boss.createQueue('letters')
    expect(await boss.send('letters', { number: 1 })).toEqual(expect.any(String))
    expect(connect).toHaveBeenCalled()
    await boss.stop({ graceful: false })
  })

  it('survives that the server ends all its sessions, and that all its connections fall silent', async () => {
    const { boss, proxy } = await open()
    expect(await work(boss, 5)).toEqual([0, 1, 2, 3, 4])
    expect(await admin.endSessions()).toBeGreaterThan(0)
    expect(await work(boss, 5)).toEqual([0, 1, 2, 3, 4])
    await quiet(proxy)
    proxy.inject({ kind: 'silence' }, 'present')
    expect(await work(boss, 5)).toEqual([0, 1, 2, 3, 4])
  })
})

describe('clientFrom', () => {
  it('makes clients that say so when they are used before they are connected', () => {
    const Client = clientFrom(new Pool())
    expect(() => new Client().query('select 1')).toThrow('the client is not connected')
  })
})

await describePostgres('a client of clientFrom', (url) => {
  it('that is ended while it connects gives back what it gets', async () => {
    const pool = new Pool({ connectionString: url, max: 1 })
    const client = new (clientFrom(pool))()
    const connected = expect(client.connect()).rejects.toThrow('Connection terminated')
    await client.end()
    await connected
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await pool.end()
  })

  it('connects once, as those of pg', async () => {
    const pool = new Pool({ connectionString: url, max: 2 })
    for (const Client of [pg.Client, clientFrom(pool)]) {
      const client = new Client(url)
      await client.connect()
      await expect(client.connect()).rejects.toThrow('Client has already been connected. You cannot reuse a client.')
      await client.end()
    }
    expect(pool.wellpool.stats().acquired).toBe(0)
    await pool.end()
  })
})
