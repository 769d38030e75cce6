import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { TcpServerOptions } from '../tcp.ts'
import { serveControl, settings } from './control.ts'

/** A server that answers each frame with one frame, in order, unless it is told to do otherwise. */

const { port, controlPort, framing, greeting, password, path, tls } = settings<
  TcpServerOptions & { readonly port: number; readonly controlPort: number }
>()

/** Those that have logged in, or all if nobody has to. */
const sessions = new Map<string, Session>()
let lastId = 0

class Session {
  readonly id = String(++lastId)
  readonly socket: Socket
  left = 'nothing'
  #rest = Buffer.alloc(0)
  /** Done when all that has been asked so far is answered. */
  #work: Promise<unknown> = Promise.resolve()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('close', () => sessions.delete(this.id))
    socket.on('data', (chunk) => {
      this.#rest = Buffer.concat([this.#rest, chunk])
      for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
        const question = frame
        this.#work = this.#work.then(() => answer(this, question))
      }
    })
    if (password === undefined) sessions.set(this.id, this)
    if (greeting !== undefined) this.write(greeting)
  }

  write(text: string): void {
    this.socket.write(encode(text))
  }

  /** The next whole frame, taken out of what has arrived. */
  #next(): string | undefined {
    const header = framing === 'line' ? 0 : 4
    const size = framing === 'line' ? this.#rest.indexOf('\n') : this.#rest.length >= 4 ? this.#rest.readUInt32BE() : -1
    if (size === -1 || this.#rest.length < header + size) return undefined
    const text = this.#rest.toString('utf8', header, header + size)
    this.#rest = this.#rest.subarray(header + size + (framing === 'line' ? 1 : 0))
    return text
  }
}

function encode(text: string): Buffer {
  if (framing === 'line') return Buffer.from(`${text}\n`)
  const body = Buffer.from(text)
  const header = Buffer.alloc(4)
  header.writeUInt32BE(body.length)
  return Buffer.concat([header, body])
}

async function answer(session: Session, frame: string): Promise<void> {
  const space = frame.indexOf(' ')
  const word = space === -1 ? frame : frame.slice(0, space)
  const rest = space === -1 ? '' : frame.slice(space + 1)
  if (word === 'login') {
    if (rest === password) sessions.set(session.id, session)
    session.write(rest === password ? session.id : 'error denied')
    return
  }
  if (!sessions.has(session.id)) {
    session.socket.destroy()
    return
  }
  const run = WORDS[word]
  if (run === undefined) session.write(`error unknown ${word}`)
  else await run(session, rest)
}

const WORDS: Readonly<Record<string, (session: Session, rest: string) => unknown>> = {
  ping: (session) => session.write('pong'),
  id: (session) => session.write(session.id),
  echo: (session, rest) => session.write(rest),
  leave: (session, rest) => {
    session.left = rest
    session.write('ok')
  },
  left: (session) => session.write(session.left),
  /** `slow 50 text`: the text after 50 ms. */
  slow: async (session, rest) => {
    const [ms, ...text] = rest.split(' ')
    await delay(Number(ms))
    session.write(text.join(' '))
  },
  /** `split 50 text`: the text, its last byte 50 ms after the others. */
  split: async (session, rest) => {
    const [ms, ...text] = rest.split(' ')
    const bytes = encode(text.join(' '))
    session.socket.write(bytes.subarray(0, -2))
    await delay(Number(ms))
    session.socket.write(bytes.subarray(-2))
  },
  /** `half text`: the text without its last byte, and nothing after it. */
  half: (session, rest) => session.socket.write(encode(rest).subarray(0, -2)),
  /** `count 3`: three frames. */
  count: (session, rest) => {
    for (let number = 1; number <= Number(rest); number++) session.write(String(number))
  },
  /** `large 5000`: one frame of so many bytes. */
  large: (session, rest) => session.write('x'.repeat(Number(rest))),
  nothing: () => {},
  bye: (session) => session.socket.end(),
}

const accept = (socket: Socket): Session => new Session(socket)
const server: Server = tls === undefined ? createServer(accept) : createTlsServer({ cert: tls.certificate, key: tls.key }, accept)
if (path === undefined) server.listen(port, '127.0.0.1')
else {
  // A server that was killed has left its socket behind.
  rmSync(path, { force: true })
  server.listen(path)
}
await once(server, 'listening')

await serveControl(controlPort, {
  sessions: () => sessions.size,
  /** Ends one session with a FIN. */
  kill: (id) => sessions.get(id)?.socket.destroy(),
  /** Sends a frame to one session that it has not asked for. */
  push: (argument) => {
    const [id = '', ...text] = argument.split(' ')
    sessions.get(id)?.write(text.join(' '))
  },
})
