// A web server that ends without cutting anybody off: no new requests, then no new borrowers, then no sessions.
//
//   DATABASE_URL=postgres://user:password@localhost/app node tools/run.mjs examples/graceful-shutdown.ts
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPool, WellpoolError } from 'wellpool'
import { postgres } from 'wellpool/postgres'

const connectionString = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres'
const db = createPool(postgres({ connectionString }), { name: 'web', maxConnections: 4, acquireTimeout: '2s' })

const server = createServer((request, response) => {
  // Whoever hangs up stops waiting for a connection.
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  db.use((client) => client.query<{ answer: string }>('select pg_sleep(0.2), $1 as answer', [request.url]), { signal: gone.signal })
    .then(({ rows }) => {
      // A browser that keeps its connection alive would hold the server's `close` up.
      if (!server.listening) response.setHeader('connection', 'close')
      response.end(rows[0]?.answer)
    })
    .catch((error: unknown) => {
      // "Try again later" is only true of some errors, and they say so themselves.
      const later = error instanceof WellpoolError && error.retryable
      response.writeHead(later ? 503 : 500).end()
    })
})

async function shutDown(): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  await closed
  // Serves those who wait, waits for all leases, closes the sessions. After ten seconds it closes all the same.
  await db.drain({ timeout: '10s' })
}

db.on('poolDrained', ({ pool }) => console.log(`${pool}: everybody has been served`))
process.once('SIGTERM', () => {
  shutDown().then(
    () => console.log(`${db.name}: ${db.stats().state}, ${db.stats().open} sessions left`),
    (error: unknown) => {
      console.error(error)
      process.exitCode = 1
    },
  )
})

await db.start()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

// What users and an orchestrator do: requests are under way when the signal comes.
const paths = ['/a', '/b', '/c']
let arrived = 0
server.on('request', () => {
  if (++arrived === paths.length) process.kill(process.pid, 'SIGTERM')
})
const answers = paths.map((path) => fetch(`http://127.0.0.1:${port}${path}`))
for (const response of await Promise.all(answers)) console.log(response.status, await response.text())
