import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { abortable } from './abortable.ts'

/** Where a socket leads to, and how. */
export interface SocketTarget {
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** A Unix socket, instead of host and port. */
  readonly path?: string | undefined
  readonly tls?: boolean | ConnectionOptions | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive, ms. */
  readonly keepAliveMs: number
}

/**
 * A socket that is connected and, with TLS, encrypted and its peer's certificate verified. When it rejects, nothing
 * is left of it; an abort ends the attempt at once. The caller owns the socket and listens to its errors.
 *
 * @param alpn the protocols to offer in the handshake of TLS
 */
export async function openSocket(target: SocketTarget, signal: AbortSignal, alpn?: readonly string[]): Promise<Socket> {
  signal.throwIfAborted()
  const socket = begin(target, alpn)
  try {
    await abortable(ready(socket, isSecure(target) ? 'secureConnect' : 'connect'), signal)
    socket.setKeepAlive(true, target.keepAliveMs)
    return socket
  } catch (error) {
    // Errors that come after this are nobody's concern, and would end the process.
    socket.on('error', () => {})
    socket.destroy()
    throw error
  }
}

const isSecure = ({ tls }: SocketTarget): boolean => tls !== undefined && tls !== false

function begin(target: SocketTarget, alpn: readonly string[] | undefined): Socket {
  const { host = 'localhost', port = 0, path, tls } = target
  const address = path === undefined ? { host, port } : { path }
  if (!isSecure(target)) return connect({ ...address, noDelay: true })
  const given = typeof tls === 'object' ? tls : {}
  // Node asks for the certificate of this name only if it is told to.
  const name = path === undefined && isIP(host) === 0 ? { servername: host } : {}
  const socket = connectTls({ ...name, ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }), ...given, ...address })
  return socket.setNoDelay(true)
}

function ready(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once(event, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}
