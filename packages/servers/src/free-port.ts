import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections: a server that restarts must get its port again. */
const FIRST_PORT = 15_000
const LAST_PORT = 32_000

/** A port of 127.0.0.1 on which nothing listens now. Somebody else may take it before its server does. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(FIRST_PORT, LAST_PORT)
    const server = createServer()
    try {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    } catch {
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error(`no free port among 100 tried from ${FIRST_PORT} to ${LAST_PORT}`)
}
