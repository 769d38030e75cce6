import { Metadata, status } from '@grpc/grpc-js'
import type { ErrorClass } from '../engine/driver.ts'
import { classifyCauses } from '../shared/network-errors.ts'

/**
 * What the status of a call says about the connection; all others are the application's. Statuses say little about
 * where they come from: grpc-js makes some of them itself, and its words tell.
 */
const STATUSES: Readonly<Record<number, ErrorClass>> = {
  [status.UNAVAILABLE]: 'transient',
  [status.DEADLINE_EXCEEDED]: 'transient',
}

/** Of grpc-js: there is no connection any more. */
const NO_CONNECTION = /^(Connection dropped|No connection established)|E(CONNRESET|PIPE|TIMEDOUT|CONNABORTED)\b/
/** Marks a status that came while the connection was open: its words are the server's, maybe about a peer of its own. */
export const ANSWERED = Symbol('answered')
/** Of grpc-js: the stream of the call was reset, and no status had come. */
const RESET = /^Received RST_STREAM with code|^Stream refused by server/
/** Of Node, inside of grpc-js' words: the two sides can't agree on TLS or on HTTP/2, and won't at the next try. */
const NEVER_FITS = /certificate|altnames|SSL routines|wrong version number|no application protocol|Protocol error/i

/**
 * A call that the driver has refused: this client's connection is gone, or its server is leaving. It has the shape of
 * grpc-js' own errors.
 */
export class GrpcConnectionError extends Error {
  override readonly name = 'GrpcConnectionError'
  readonly code = status.UNAVAILABLE
  readonly details: string
  readonly metadata = new Metadata()
  /** `lost`: there is no connection any more. `leaving`: the server has said GOAWAY; calls in flight may still finish. */
  readonly reason: 'lost' | 'leaving'

  constructor(reason: 'lost' | 'leaving', details: string, cause?: unknown) {
    super(`${status.UNAVAILABLE} UNAVAILABLE: ${details}`, cause === undefined ? undefined : { cause })
    this.reason = reason
    this.details = details
  }
}

/**
 * What an error says about the connection that it came over.
 *
 * @param connecting whether it is a failed connect's
 */
export function classifyGrpcError(error: unknown, connecting: boolean): ErrorClass {
  return classifyCauses(error, connecting ? classifyAtConnect : classifyInUse)
}

function classifyAtConnect(error: Error): ErrorClass | undefined {
  return NEVER_FITS.test(error.message) ? 'fatal' : undefined
}

function classifyInUse(error: Error): ErrorClass | undefined {
  // Fatal would end the calls of other borrowers.
  if (error instanceof GrpcConnectionError) return error.reason === 'lost' ? 'fatal' : 'transient'
  const { code, details } = error as { code?: unknown; details?: unknown }
  if (typeof code !== 'number' || status[code] === undefined) return undefined
  const words = typeof details === 'string' ? details : ''
  if (code === status.UNAVAILABLE && NO_CONNECTION.test(words) && !(ANSWERED in error)) return 'fatal'
  return RESET.test(words) ? 'transient' : (STATUSES[code] ?? 'application')
}
