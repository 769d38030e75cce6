import { once } from 'node:events'
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { Http2ServerOptions } from '../http2.ts'
import { serveControl, settings } from './control.ts'

/** An HTTP/2 server that does what a request's path says. */

const { port, controlPort, tls, maxConcurrentStreams } = settings<
  Http2ServerOptions & { readonly port: number; readonly controlPort: number }
>()

interface Session {
  readonly session: ServerHttp2Session
  readonly socket: Socket
  readonly streams: Set<ServerHttp2Stream>
}
const sessions = new Map<string, Session>()
const ids = new WeakMap<ServerHttp2Session, string>()
const sockets: Socket[] = []
let lastId = 0

function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const id = ids.get(stream.session as ServerHttp2Session) ?? ''
  const { streams } = sessions.get(id) ?? {}
  streams?.add(stream)
  stream.on('close', () => streams?.delete(stream))
  stream.on('error', () => {})
  const url = new URL(String(headers[':path']), 'http://localhost')
  const argument = Number(url.search.slice(1))
  const answer = (status: number, text: string): void => {
    if (stream.destroyed) return
    stream.respond({ ':status': status })
    stream.end(text)
  }
  const paths: Readonly<Record<string, () => void>> = {
    '/': () => answer(200, 'hello'),
    '/id': () => answer(200, id),
    '/status': () => answer(argument, 'as you say'),
    '/slow': () => setTimeout(() => answer(200, 'slow'), argument),
    '/silent': () => {},
    '/echo': () => {
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    },
    '/reset': () => stream.close(argument),
    /** A half of the answer, and INTERNAL_ERROR. `close` would say that it is whole. */
    '/half': () => {
      stream.respond({ ':status': 200 })
      stream.write('half')
      setTimeout(() => stream.destroy(new Error('the other half is missing')), 20)
    },
  }
  const run = paths[url.pathname] ?? (() => answer(404, 'not found'))
  run()
}

const options = { settings: maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams } }
const server: Http2Server =
  tls === undefined
    ? createServer(options)
    : createSecureServer({
        ...options,
        cert: tls.certificate,
        key: tls.key,
        ...(tls.clientAuthority === undefined ? {} : { ca: tls.clientAuthority, requestCert: true, rejectUnauthorized: true }),
      })
// Before the server's own listener, which makes a session of the socket.
server.prependListener(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => sockets.push(socket))
server.on('session', (session: ServerHttp2Session) => {
  const socket = sockets.shift() as Socket
  const id = String(++lastId)
  ids.set(session, id)
  sessions.set(id, { session, socket, streams: new Set() })
  session.on('error', () => {})
  session.on('close', () => sessions.delete(id))
})
server.on('stream', serve)
server.on('sessionError', () => {})
server.listen(port, '127.0.0.1')
await once(server, 'listening')

await serveControl(controlPort, {
  sessions: () => sessions.size,
  /** Ends one session's socket without a word. */
  kill: (id) => sessions.get(id)?.socket.destroy(),
  /** `id`: announces to one session that it is to go, and lets its streams finish. `id code`: throws it out. */
  goaway: (argument) => {
    const [id = '', code] = argument.split(' ')
    const session = sessions.get(id)?.session
    if (code === undefined) session?.close()
    else session?.goaway(Number(code), 0, Buffer.from('go away'))
  },
  /** How many streams one session has open. */
  streams: (id) => sessions.get(id)?.streams.size ?? 0,
})
