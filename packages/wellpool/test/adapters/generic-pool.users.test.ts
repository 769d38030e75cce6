import pg from 'pg'
import { createPool } from '../../src/adapters/generic-pool.ts'
import { describePostgres } from '../support/postgres.ts'
import { BALANCES, DEPOSIT, describeBank, WITHDRAW } from './bank.ts'

await describePostgres('clients of pg in a pool of wellpool/generic-pool', (url) => {
  describeBank(url, async (address) => {
    const pool = createPool<pg.Client>(
      {
        create: async () => {
          const client = new pg.Client(address)
          client.on('error', () => {})
          try {
            await client.connect()
          } catch (error) {
            await client.end()
            throw error
          }
          return client
        },
        destroy: (client) => client.end(),
        validate: (client) => client.query('select 1').then(Boolean, () => false),
      },
      { max: 5, testOnBorrow: true, acquireTimeoutMillis: 2000, destroyTimeoutMillis: 100 },
    )
    pool.on('factoryDestroyError', () => {})
    const query = async (text: string): Promise<pg.QueryResult> => pool.use((client) => client.query(text))
    return {
      transfer: (fail) =>
        pool.use(async (client) => {
          await client.query('begin')
          await client.query(WITHDRAW)
          if (fail === true) throw new Error('half-way')
          await client.query(DEPOSIT)
          await client.query('commit')
        }),
      balances: async () => (await query(BALANCES)).rows.map(({ balance }) => balance),
      sleep: (seconds) => query(`select pg_sleep(${seconds})`),
      close: async () => {
        await pool.drain()
        await pool.clear()
      },
    }
  })
})
