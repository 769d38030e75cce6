import { ProgramServer } from './program-server.ts'

/** How an HTTP/2 server is set up. */
export interface Http2ServerOptions {
  /** How many streams a client may have open at the same time. */
  readonly maxConcurrentStreams?: number
  /** Turns TLS on, with this certificate and its key (PEM). */
  readonly tls?: {
    readonly certificate: string
    readonly key: string
    /** Clients need a certificate that this one has signed. */
    readonly clientAuthority?: string
  }
}

/**
 * Starts an HTTP/2 server in a process of its own. `programs/http2.ts` has the paths that it knows.
 * `tell('sessions')` is how many there are, `tell('kill', id)` ends one, `tell('goaway', id)` says GOAWAY to it,
 * `tell('goaway', 'id code')` with an error, `tell('streams', id)` is how many streams it has open.
 */
export function startHttp2Server(options: Http2ServerOptions = {}): Promise<ProgramServer> {
  return ProgramServer.start('http2.ts', options)
}
