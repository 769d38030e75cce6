// A pool, a query, its figures.
//
//   DATABASE_URL=postgres://user:password@localhost/app node tools/run.mjs examples/first-pool.ts
import { createPool } from 'wellpool'
import { postgres } from 'wellpool/postgres'

const connectionString = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres'
const db = createPool(postgres({ connectionString }), { name: 'first-pool', maxConnections: 5 })

// No connection is open yet. `start` is optional: it waits until minConnections are there, or says why not.
await db.start()

// `use` borrows a client, runs the function, and gives the client back, whatever happens.
const { rows } = await db.use((client) => client.query<{ now: Date }>('select now()'))
console.log('the server says', rows[0]?.now.toISOString())

// Twenty callers share five connections at most. Nobody waits longer than half a second for one.
const answers = await Promise.all(
  Array.from({ length: 20 }, (_, n) =>
    db.use((client) => client.query<{ square: number }>('select $1::int * $1::int as square', [n]), { timeout: '500ms' }),
  ),
)
console.log('the last square is', answers.at(-1)?.rows[0]?.square)

for (const { id, state, health, generation, uses } of db.connections()) {
  console.log(`${id}: ${state}, ${health}, generation ${generation}, used ${uses} times`)
}
const { open, leased, reused, waiting } = db.stats()
console.log({ open, leased, reused, waiting })

await db.close()
