import { ProgramServer } from './program-server.ts'

/** How a gRPC server is set up. */
export interface GrpcServerOptions {
  /** Whether it tells of its health by `grpc.health.v1`. Default true. */
  readonly health?: boolean
  /** Turns TLS on, with this certificate and its key (PEM). */
  readonly tls?: {
    readonly certificate: string
    readonly key: string
    /** Clients need a certificate that this one has signed. */
    readonly clientAuthority?: string
  }
}

/**
 * Starts a gRPC server in a process of its own, with the service {@link TEST_SERVICE}. `tell('sessions')` is how many
 * connections there are, `tell('kill', id)` ends one, `tell('goaway')` says GOAWAY to all, `tell('silent')` is how many
 * calls of `Silent` wait, `tell('health', 'service=2')` sets a status.
 */
export function startGrpcServer(options: GrpcServerOptions = {}): Promise<ProgramServer> {
  return ProgramServer.start('grpc.ts', options)
}
