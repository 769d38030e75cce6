// A driver for a protocol of one's own, and what the pool makes of it: a session is ended by the server, and the pool
// has replaced it before anybody asks. The server runs in this process.
//
//   node tools/run.mjs examples/custom-driver.ts
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createPool, type Driver, defineDriver } from 'wellpool'

class SessionEnded extends Error {}

/** A session with a server that answers each line with one line, in order. */
class ShoutSession {
  readonly socket: Socket
  readonly #asked: { resolve(answer: string): void; reject(error: unknown): void }[] = []

  constructor(socket: Socket) {
    this.socket = socket
    onLine(socket, (line) => this.#asked.shift()?.resolve(line))
    socket.on('close', () => {
      for (const { reject } of this.#asked) reject(new SessionEnded('the session has ended'))
    })
  }

  ask(line: string, signal?: AbortSignal): Promise<string> {
    if (this.socket.destroyed) return Promise.reject(new SessionEnded('the session has ended'))
    return new Promise((resolve, reject) => {
      // An aborted question stays in the row: its answer will come, and must not be taken for the next one's.
      this.#asked.push({ resolve, reject })
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.socket.write(`${line}\n`)
    })
  }
}

function shout(port: number): Driver<ShoutSession> {
  return defineDriver({
    protocol: 'shout',
    async connect({ signal }) {
      const socket = connect({ host: '127.0.0.1', port, signal })
      await once(socket, 'connect')
      const session = new ShoutSession(socket)
      // A socket connects when the peer's kernel says so. An answer comes from the peer.
      await session.ask('hello', signal)
      return session
    },
    // A full round trip: a socket that looks open proves nothing.
    check: (session, { signal }) => session.ask('ping', signal),
    close: async ({ socket }) => {
      if (socket.closed) return
      const closed = once(socket, 'close')
      socket.end('bye\n')
      await closed
    },
    destroy: (session) => {
      session.socket.destroy()
    },
    watch: (session, { lost }) => {
      session.socket.on('error', lost)
      session.socket.on('close', () => lost(new Error('closed by the server')))
    },
    // 'fatal': of no more use. Everything else makes the session a suspect, which is checked before it serves again.
    classify: (error) => (error instanceof SessionEnded ? 'fatal' : 'transient'),
  })
}

function onLine(socket: Socket, listener: (line: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) listener(line)
  })
  // An error without a listener would end the process. 'close' follows, and says enough.
  socket.on('error', () => {})
}

// ---- A server for it, and a day in its life.

const sessions = new Set<Socket>()
const server = createServer((socket) => {
  sessions.add(socket)
  socket.on('close', () => sessions.delete(socket))
  onLine(socket, (line) => (line === 'bye' ? socket.end() : socket.write(`${line.toUpperCase()}!\n`)))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const pool = createPool(shout((server.address() as AddressInfo).port), { name: 'shout', minConnections: 2, maxConnections: 4 })
await pool.start()
console.log(await pool.use((session) => session.ask('anybody there')))

// One session dies while nobody uses it.
const rebuilt = new Promise<string>((resolve) => {
  pool.on('rebuildCompleted', ({ connectionId, reason, oldGeneration, newGeneration }) =>
    resolve(`${connectionId}: generation ${oldGeneration} → ${newGeneration}, ${reason.kind} (${reason.detail})`),
  )
})
const [victim] = sessions
victim?.destroy()
console.log(await rebuilt)
console.log(await pool.use((session) => session.ask('still here')), pool.stats().health)

await pool.close()
server.close()
