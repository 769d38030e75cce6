import { type Channel, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`, by number. */
const SERVING_STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const
const SERVING = 1

/** The server has answered: it can't, or does not want to, tell about its health. It is alive. */
const ANSWERS: readonly number[] = [status.UNIMPLEMENTED, status.UNAUTHENTICATED, status.PERMISSION_DENIED]

/** The server says that it is not well, or does not know the service that it was asked about. */
export class NotServingError extends Error {
  override readonly name = 'NotServingError'
}

/** Asks servers how they are, by the protocol `grpc.health.v1`. Its two messages are written and read by hand. */
export class GrpcHealth {
  readonly #client: Client
  readonly #service: string

  /**
   * @param channel what the calls go through; no other connection is made
   * @param service the name of the service that is asked about; empty: the server as a whole
   */
  constructor(channel: Channel, service: string) {
    this.#client = new Client(channel.getTarget(), credentials.createInsecure(), { channelOverride: channel })
    this.#service = service
  }

  /**
   * Fulfils when the server is serving, or has answered that it can't tell.
   *
   * @throws NotServingError when it is not; ServiceError when no answer came; the signal's reason.
   */
  async check(signal: AbortSignal): Promise<void> {
    const serving = await this.#ask(signal)
    if (serving !== undefined && serving !== SERVING) {
      const about = this.#service === '' ? 'the server' : `the service ${this.#service}`
      throw new NotServingError(`${about} is ${SERVING_STATUSES[serving] ?? `in status ${serving}`}`)
    }
  }

  /** The status; undefined when the server does not tell. */
  #ask(signal: AbortSignal): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const answered = (error: ServiceError | null, serving?: number): void => {
        signal.removeEventListener('abort', abort)
        if (error === null) resolve(serving)
        else if (ANSWERS.includes(error.code)) resolve(undefined)
        else if (error.code === status.NOT_FOUND) resolve(SERVING_STATUSES.indexOf('SERVICE_UNKNOWN'))
        else reject(error)
      }
      const call = this.#client.makeUnaryRequest('/grpc.health.v1.Health/Check', write, read, this.#service, new Metadata(), answered)
      const abort = (): void => {
        reject(signal.reason)
        call.cancel()
      }
      signal.addEventListener('abort', abort, { once: true })
    })
  }
}

/** `HealthCheckRequest { string service = 1 }` */
function write(service: string): Buffer {
  const name = Buffer.from(service)
  if (name.length === 0) return name
  const STRING_1 = 0x0a
  return Buffer.concat([Buffer.from([STRING_1, ...varint(name.length)]), name])
}

/** `HealthCheckResponse { ServingStatus status = 1 }`; a default is not sent. */
function read(message: Buffer): number {
  const VARINT_1 = 0x08
  return message[0] === VARINT_1 ? (message[1] ?? 0) : 0
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}
