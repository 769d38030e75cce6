import { createRequire } from 'node:module'
import knex, { type Knex } from 'knex'
import { TimeoutError } from 'tarn'
import { expect, it, onTestFinished } from 'vitest'
import { Pool, type TarnPoolOptions } from '../../src/adapters/tarn.ts'
import { describeMysql } from '../support/mysql.ts'
import { describePostgres } from '../support/postgres.ts'
import { type Bank, type BankAddress, DEPOSIT, describeBank, WITHDRAW } from './bank.ts'

const require = createRequire(import.meta.url)

/** As docs/migrating.md has it. */
class KnexPool<T> extends Pool<T> {
  static override TimeoutError = TimeoutError
}

function onWellpool(Client: typeof Knex.Client, wellpool: TarnPoolOptions<unknown>['wellpool'] = {}): typeof Knex.Client {
  return class extends Client {
    override initializePool(config: Knex.Config = this.config): void {
      this.pool = new KnexPool({ ...this.getPoolSettings(config.pool ?? {}), wellpool })
    }
  }
}

const dialectOf = (name: string): typeof Knex.Client => require(`knex/lib/dialects/${name}/index.js`)

const open = (dialect: string, connection: BankAddress, pool: Knex.PoolConfig = {}): Knex =>
  knex({
    client: onWellpool(dialectOf(dialect)),
    connection: { ...connection },
    pool: { min: 0, max: 5, ...pool },
    log: { warn: () => {} },
  })

/** Knex looks whether the socket is open; whether somebody answers, only a round trip tells. */
const roundTrip = (connection: { query(sql: string, callback: (error: unknown) => void): void }): Promise<boolean> =>
  new Promise((resolve) => connection.query('select 1', (error) => resolve(!error)))

const bankOf = (db: Knex, sleep: string): Bank => ({
  transfer: (fail) =>
    db.transaction(async (transaction) => {
      await transaction.raw(WITHDRAW)
      if (fail === true) throw new Error('half-way')
      await transaction.raw(DEPOSIT)
    }),
  balances: async () => (await db('accounts').select('balance').orderBy('name')).map(({ balance }) => balance),
  sleep: async (seconds) => db.raw(`select ${sleep}(${seconds})`),
  close: () => db.destroy(),
})

await describePostgres('Knex on PostgreSQL, with its pool replaced', (url) => {
  describeBank(url, async (address) => bankOf(open('postgres', address, { validate: roundTrip }), 'pg_sleep'))

  const { hostname: host, port, username: user, password, pathname } = new URL(url)
  const address = { host, port: Number(port), user, password, database: pathname.slice(1) }

  it('is Knex as ever: its pool, its events, its errors', async () => {
    const db = open('postgres', address, { max: 1, acquireTimeoutMillis: 1000 })
    onTestFinished(() => db.destroy())
    const events: string[] = []
    db.client.pool.on('acquireSuccess', () => events.push('acquireSuccess'))
    await db.raw('select 1')
    expect(events).toEqual(['acquireSuccess'])
    expect(db.client.pool).toBeInstanceOf(Pool)
    expect([db.client.pool.numUsed(), db.client.pool.numFree()]).toEqual([0, 1])
    await db.transaction(async () => {
      await expect(db.raw('select 1')).rejects.toMatchObject({
        name: 'KnexTimeoutError',
        message: expect.stringContaining('The pool is probably full'),
        cause: { cause: { verdict: 'saturated' } },
      })
    })
    const wrong = open('postgres', { ...address, database: 'nowhere' })
    await expect(wrong.raw('select 1')).rejects.toMatchObject({ code: '3D000' })
    await wrong.destroy()
  })

  it('may be initialized again after it was destroyed', async () => {
    const db = open('postgres', address)
    await db.raw('select 1')
    await db.destroy()
    await expect(db.raw('select 1')).rejects.toThrow('Unable to acquire a connection')
    db.initialize()
    await db.raw('select 1')
    expect(db.client.pool).toBeInstanceOf(Pool)
    await db.destroy()
  })

  it('may be given a pool of ours by itself', async () => {
    const source = open('postgres', address)
    const pool = new KnexPool(source.client.getPoolSettings({ min: 0, max: 2 }))
    const db = knex({ client: 'pg', connectionPool: pool })
    expect((await db.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
    await db.destroy()
    expect(pool.numFree()).toBe(1)
    await pool.destroy()
    await source.destroy()
  })
})

await describeMysql('Knex on MariaDB, with its pool replaced', (url) => {
  describeBank(url, async (address) => bankOf(open('mysql2', address, { validate: roundTrip }), 'sleep'))
})
