import { once } from 'node:events'
import { type AddressInfo, createServer, connect as openSocket, type Server, type Socket } from 'node:net'
import { createInterface, type Interface } from 'node:readline'
import { type Driver, defineDriver } from '../../src/index.ts'

export const PASSWORD = 'open sesame'

/** A small protocol, one line each way: enough to have every fault that a real one has. */
export class LineServer {
  readonly #sessions = new Map<string, Socket>()
  /** Since when each session has been waiting for a line; Infinity while it works. */
  readonly #idleSince = new Map<string, number>()
  #server: Server | undefined
  #port = 0
  #lastId = 0

  get port(): number {
    return this.#port
  }

  /** Those that have logged in. */
  get sessions(): number {
    return this.#sessions.size
  }

  async start(): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket))
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    const closed = this.#server && once(this.#server, 'close')
    this.#server?.close()
    for (const id of this.#sessions.keys()) this.kill(id)
    await closed
  }

  kill(id: string): void {
    this.#sessions.get(id)?.destroy()
  }

  #serve(socket: Socket): void {
    const id = String(++this.#lastId)
    let left = 'nothing'
    socket.on('error', () => {})
    socket.on('close', () => this.#sessions.delete(id))
    linesOf(socket).on('line', (line) => {
      const [word, ...rest] = line.split(' ')
      if (word === 'login') {
        const welcome = rest.join(' ') === PASSWORD
        if (welcome) this.#sessions.set(id, socket)
        this.#idleSince.set(id, performance.now())
        socket.write(welcome ? `${id}\n` : 'error denied\n')
      } else if (!this.#sessions.has(id)) socket.destroy()
      else if (word === 'bye') socket.end()
      else if (word === 'leave') {
        left = rest.join(' ')
        socket.write('ok\n')
      } else if (word === 'left') socket.write(`${left}\n`)
      else if (word === 'idle') socket.write(`${this.#idleFor(rest[0] ?? '')}\n`)
      else if (word === 'work') {
        this.#idleSince.set(id, Number.POSITIVE_INFINITY)
        setTimeout(() => {
          this.#idleSince.set(id, performance.now())
          socket.write('done\n')
        }, Number(rest[0]))
      } else socket.write(word === 'ping' ? 'pong\n' : `error unknown ${line}\n`)
    })
  }

  /** For how long a session has been waiting, ms; -1 while it works; Infinity if there is none. */
  #idleFor(id: string): number {
    if (!this.#sessions.has(id)) return Number.POSITIVE_INFINITY
    return Math.max(-1, performance.now() - (this.#idleSince.get(id) ?? 0))
  }
}

/** A client of {@link LineServer}. */
export class LineClient {
  readonly socket: Socket
  readonly #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = []
  id = ''
  lost: Error | undefined
  onLost: ((error: Error) => void) | undefined
  /** When the last line was sent. */
  sentAt = 0

  get waits(): boolean {
    return this.#waiting.length > 0
  }

  constructor(port: number) {
    this.socket = openSocket({ host: '127.0.0.1', port })
    linesOf(this.socket).on('line', (line) => {
      const { resolve, reject } = this.#waiting.shift() ?? {}
      if (line.startsWith('error ')) reject?.(Object.assign(new Error(line), { code: line.split(' ')[1] }))
      else resolve?.(line)
    })
    this.socket.on('error', (error) => this.#end(error))
    this.socket.on('close', () => this.#end(new Error('closed')))
  }

  send(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.lost !== undefined || this.socket.destroyed) reject(Object.assign(new Error('not connected'), { code: 'lost' }))
      else {
        this.#waiting.push({ resolve, reject })
        this.sentAt = performance.now()
        this.socket.write(`${line}\n`)
      }
    })
  }

  #end(error: Error): void {
    const ended = Object.assign(new Error(error.message, { cause: error }), { code: 'lost' })
    for (const { reject } of this.#waiting.splice(0)) reject(ended)
    if (this.lost !== undefined) return
    this.lost = ended
    this.onLost?.(ended)
  }
}

/** The lines that arrive. An error of the socket is emitted here a second time; the socket's listeners see to it. */
const linesOf = (socket: Socket): Interface => createInterface(socket).on('error', () => {})

const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    promise.then(resolve, reject)
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })

/** A driver for {@link LineServer} that does everything right. */
export function lineDriver(port: number, password = PASSWORD): Driver<LineClient> {
  return defineDriver<LineClient>({
    protocol: 'line',
    async connect({ signal }) {
      signal.throwIfAborted()
      const client = new LineClient(port)
      try {
        client.id = await orAborted(client.send(`login ${password}`), signal)
        return client
      } catch (error) {
        client.socket.destroy()
        // A connection that never was can't be lost.
        throw error === client.lost ? new Error('not reached', { cause: error }) : error
      }
    },
    check: (client, { signal }) => orAborted(client.send('ping'), signal),
    async close(client) {
      if (client.lost !== undefined || client.socket.destroyed) return
      const closed = once(client.socket, 'close')
      client.socket.write('bye\n')
      await closed
    },
    destroy: (client) => void client.socket.destroy(),
    reset: async (client) => void (await client.send('leave nothing')),
    watch(client, { lost }) {
      if (client.lost === undefined) client.onLost = lost
      else lost(client.lost)
    },
    async secondOpinion(client, other, { limit, signal }) {
      const idleFor = Number(await orAborted(other.send(`idle ${client.id}`), signal))
      if (!client.waits || performance.now() - client.sentAt <= limit) return 'working'
      return idleFor > limit ? 'gone' : 'working'
    },
    mayAskAbout: (client) => client.waits,
    classify(error) {
      const { code } = (error ?? {}) as { code?: string }
      return code === 'denied' || code === 'lost' ? 'fatal' : code === 'unknown' ? 'application' : 'transient'
    },
    secrets: () => [password],
  })
}
