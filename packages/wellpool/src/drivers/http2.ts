import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Driver } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import { ConnectErrors } from '../shared/connect-errors.ts'
import { openSocket } from '../shared/open-socket.ts'
import { Secrets } from '../shared/secrets.ts'
import { classifyHttp2Error, NoHttp2Error } from './http2-errors.ts'
import { type Http2Options, type ResolvedHttp2Options, resolveHttp2Options } from './http2-options.ts'
import { Http2Session } from './http2-session.ts'

export { NoHttp2Error } from './http2-errors.ts'
export type { Http2Context, Http2Options } from './http2-options.ts'

/**
 * The driver for HTTP/2, on nothing but Node. A pool's client is Node's `ClientHttp2Session`; many borrowers share
 * one.
 *
 * - `connect`: a socket with TCP keep-alive; with `https:` a handshake of TLS that asks for `h2` (ALPN); the session,
 *   `onConnect`, and one PING. An abort closes the socket at once. A peer that does not speak HTTP/2, and certificates
 *   that don't fit, are `fatal`.
 * - `check`: a PING, beside whatever the streams do.
 * - `reset`, after the last lease: streams that are open still are cancelled.
 * - `watch`: reports the end of the session as lost, and a GOAWAY without an error as `retire`: no new leases, and the
 *   streams in flight finish on the old session.
 * - `close`: GOAWAY, and open streams finish. `destroy`: the socket is closed.
 * - `classify`: by Node's codes, and by the code with which the peer has reset a stream.
 *
 * @throws ConfigError when options are wrong: all that are, at once.
 * @example
 * const pool = createPool(http2({ url: 'https://api.internal:8443' }), { maxConnections: 4 })
 * await pool.use((session) => request(session, { ':path': '/orders' }))
 */
export function http2(options: Http2Options): Driver<ClientHttp2Session> {
  const resolved = resolveHttp2Options(options)
  const { key, passphrase } = options.tls ?? {}
  const secrets = new Secrets([key, passphrase])
  const connectErrors = new ConnectErrors()
  const sessions = new WeakMap<ClientHttp2Session, Http2Session>()
  const sessionOf = (client: ClientHttp2Session): Http2Session => {
    const session = sessions.get(client)
    if (session === undefined) throw new TypeError('this client was not made by this driver')
    return session
  }
  return {
    protocol: 'http2',
    maxLeasesPerConnection: resolved.maxLeases,
    async connect({ signal }) {
      try {
        const session = await open(resolved, options.onConnect, signal)
        sessions.set(session.client, session)
        return session.client
      } catch (error) {
        connectErrors.add(error)
        throw error
      }
    },
    check: (client, { signal }) => abortable(sessionOf(client).ping(), signal),
    reset: (client) => sessionOf(client).reset(),
    watch: (client, watcher) => sessionOf(client).watch(watcher),
    close: (client) => sessionOf(client).close(),
    destroy: (client) => sessionOf(client).destroy(),
    ref: (client) => sessionOf(client).ref(),
    unref: (client) => sessionOf(client).unref(),
    classify: (error) => classifyHttp2Error(error, connectErrors.has(error)),
    secrets: () => secrets.all,
  }
}

/** A session that has answered a PING. When it rejects, nothing is left. */
async function open(
  { origin, target, settings }: ResolvedHttp2Options,
  onConnect: Http2Options['onConnect'],
  signal: AbortSignal,
): Promise<Http2Session> {
  const socket = await openSocket(target, signal, ['h2'])
  mustSpeakHttp2(socket)
  const session = new Http2Session(socket, origin, settings)
  try {
    const setUp = async (): Promise<void> => {
      await onConnect?.(session.client, { signal })
      await session.ping()
    }
    await abortable(setUp(), signal)
    return session
  } catch (error) {
    session.destroy()
    if (signal.aborted) throw error
    // A PING that was cut off does not know why.
    throw (await session.ended) ?? error
  }
}

function mustSpeakHttp2(socket: Socket): void {
  if (!(socket instanceof TLSSocket) || socket.alpnProtocol === 'h2') return
  socket.on('error', () => {}).destroy()
  throw new NoHttp2Error('the peer has not agreed to speak HTTP/2 (ALPN h2)')
}
