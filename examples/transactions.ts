// Transactions: one lease from begin to commit, and what may be tried again.
//
//   DATABASE_URL=postgres://user:password@localhost/app node tools/run.mjs examples/transactions.ts
import type { Client } from 'pg'
import { ConnectionLostError, createPool, type Pool, type UseOptions } from 'wellpool'
import { postgres } from 'wellpool/postgres'

const connectionString = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres'

// A temporary table belongs to one session, so this program keeps to one connection. Yours won't have to.
const onConnect = (client: Client) =>
  client.query('create temporary table account (name text primary key, balance int check (balance >= 0))')
const db = createPool(postgres({ connectionString, onConnect }), { name: 'transactions', maxConnections: 1 })

/** Runs a function between `begin` and `commit` on one connection; what it throws rolls back. */
function transaction<Result>(pool: Pool<Client>, run: (client: Client) => Promise<Result>, options?: UseOptions): Promise<Result> {
  return pool.use(async (client) => {
    await client.query('begin')
    try {
      const result = await run(client)
      await client.query('commit')
      return result
    } catch (error) {
      // A lost connection has rolled back by itself. If this fails too, the driver's reset sees to it at the release.
      await client.query('rollback').catch(() => {})
      throw error
    }
  }, options)
}

async function transfer(from: string, to: string, amount: number): Promise<void> {
  await transaction(db, async (client) => {
    await client.query('update account set balance = balance - $2 where name = $1', [from, amount])
    await client.query('update account set balance = balance + $2 where name = $1', [to, amount])
  })
}

async function balances(): Promise<Record<string, number>> {
  // Reading twice does no harm: if the connection is lost under it, it runs again on another one.
  const read = (client: Client) => client.query<{ name: string; balance: number }>('select name, balance from account order by name')
  const { rows } = await db.use(read, { idempotent: true })
  return Object.fromEntries(rows.map(({ name, balance }) => [name, balance]))
}

await db.use((client) => client.query(`insert into account values ('ann', 100), ('bob', 0)`))

await transfer('ann', 'bob', 30)
console.log('after the transfer:', await balances())

try {
  await transfer('ann', 'bob', 500)
} catch (error) {
  // A transfer is not idempotent. After a lost connection nobody knows whether the commit has arrived: ask the
  // database (by a key of the transfer's own) before it is tried again. Any other error: nothing has happened.
  if (error instanceof ConnectionLostError) throw error
  console.log('refused:', error instanceof Error ? error.message : error)
}
console.log('after the refused one:', await balances())

// A transaction that was forgotten is rolled back when the client comes back to the pool.
await db.use(async (client) => {
  await client.query('begin')
  await client.query('delete from account')
})
console.log('after the forgotten one:', await balances())

await db.close()
