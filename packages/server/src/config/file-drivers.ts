import type { Driver } from 'wellpool'
import type { TcpOptions } from 'wellpool/tcp'

/** What a gRPC pool of a file is told: what code gives as objects and functions is made of it. */
export interface GrpcFileOptions {
  /** As grpc-js has it: `api.internal:50051`, `dns:///api.internal:50051`, `unix:/run/api.sock`. */
  address: string
  /** Whether and how to use TLS: `true`, or the texts of certificates and a key in PEM. Default false. */
  tls?: boolean | GrpcFileTls | undefined
  /** The service that checks ask about (`grpc.health.v1`). Default: the server as a whole. */
  health?: string | undefined
  /** How many borrowers share a connection: a whole number from 1, or `infinity`. Default 100. */
  maxLeasesPerConnection?: number | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
}

/** Certificates of a gRPC pool of a file. */
export interface GrpcFileTls {
  /** The certificates of those who may have signed the server's, in PEM. Default: those of the system. */
  ca?: string | undefined
  /** The certificate to show the server, in PEM. */
  cert?: string | undefined
  /** Its private key, in PEM. */
  key?: string | undefined
}

/** What a TCP pool of a file is told. */
export interface TcpFileOptions {
  /** What metrics and events call the protocol. Default `tcp`. */
  protocol?: string | undefined
  /** A name or an address. Default `localhost`. */
  host?: string | undefined
  /** 1 to 65535. Required unless `path` is given. */
  port?: number | undefined
  /** A Unix socket, instead of host and port. */
  path?: string | undefined
  /** Whether and how to use TLS: `true`, or Node's options for it. Default: no TLS. */
  tls?: boolean | TlsOptions | undefined
  /** How frames are told apart: `line`, `{ line: end }` or `{ length: { bytes, … } }`. Default `line`. */
  framing?: string | FramingObject | undefined
  /** What a check sends; any frame is a good answer. */
  probe: string
  /** What is sent after the connect, one after the other, each answered by a frame: a log-in. */
  greeting?: readonly string[] | undefined
  /** The longest frame, bytes. Default 1 MiB. */
  maxFrameSize?: number | undefined
  /** The frame to send before the socket is closed. Default: none. */
  goodbye?: string | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
}

type Duration = number | string
type TlsOptions = object
type FramingObject = object

/** Makes the driver for gRPC of what a file can say. Its clients are plain ones of grpc-js. */
export async function loadGrpc(): Promise<(options: GrpcFileOptions) => Driver<object>> {
  const [{ grpc }, { Client, credentials }] = await Promise.all([import('wellpool/grpc'), import('@grpc/grpc-js')])
  return ({ tls = false, ...options }) => {
    const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text))
    const { ca, cert, key } = typeof tls === 'object' ? tls : {}
    return grpc({
      ...options,
      credentials: tls === false ? credentials.createInsecure() : credentials.createSsl(pem(ca), pem(key), pem(cert)),
      client: (address, channelCredentials, clientOptions) => new Client(address, channelCredentials, clientOptions),
      ...(key !== undefined && { secrets: [key] }),
    })
  }
}

/** Makes the driver for TCP of what a file can say. */
export async function loadTcp(): Promise<(options: TcpFileOptions) => Driver<object>> {
  const { tcp } = await import('wellpool/tcp')
  return ({ probe, greeting, framing = 'line', ...options }) => {
    const given: unknown = probe
    const isText = typeof given === 'string' && given !== ''
    const full: TcpOptions<'line'> = {
      ...options,
      framing: framing as 'line',
      // What is no text is refused by the driver, by the option's own name.
      probe: isText ? (client, { signal }) => client.request(probe, { signal }) : (given as TcpOptions<'line'>['probe']),
      ...(greeting !== undefined && {
        secrets: greeting,
        onConnect: async (client, { signal }) => {
          for (const line of greeting) await client.request(line, { signal })
        },
      }),
    }
    return tcp(full)
  }
}
