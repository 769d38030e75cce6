import { ProgramServer } from './program-server.ts'

/** How a TCP server is set up. */
export interface TcpServerOptions {
  /** `line`: a frame ends with a line feed. `length`: its length stands before it, in 4 bytes, the highest first. */
  readonly framing: 'line' | 'length'
  /** What it sends as soon as somebody has connected. */
  readonly greeting?: string
  /** Who does not say `login` and this is hung up on. */
  readonly password?: string
  /** The Unix socket to listen on instead of the port. */
  readonly path?: string
  /** Turns TLS on, with this certificate and its key (PEM). */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

/**
 * Starts a server that answers each frame with one, in a process of its own. `programs/tcp.ts` has the words that
 * it knows. `tell('sessions')` is how many are logged in, `tell('kill', id)` ends one, `tell('push', 'id text')`
 * sends it what it has not asked for.
 */
export function startTcpServer(options: TcpServerOptions): Promise<ProgramServer> {
  return ProgramServer.start('tcp.ts', options)
}
