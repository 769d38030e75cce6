import type { ErrorClass } from '../engine/driver.ts'
import { classifyCauses, isDeadSocket, isTlsMismatch } from '../shared/network-errors.ts'

/**
 * What it means that the peer has reset a stream, by the name of the code in Node's error (RFC 9113, section 7).
 * The session goes on after all of them.
 */
const RESETS: Readonly<Record<string, ErrorClass>> = {
  NO_ERROR: 'application',
  CANCEL: 'application',
  CONNECT_ERROR: 'application',
  INTERNAL_ERROR: 'application',
  HTTP_1_1_REQUIRED: 'application',
  REFUSED_STREAM: 'transient', // not begun: too many streams, or the peer is leaving
  ENHANCE_YOUR_CALM: 'transient',
  STREAM_CLOSED: 'transient',
  PROTOCOL_ERROR: 'transient', // this message, or what the two sides know of the session
  FLOW_CONTROL_ERROR: 'transient',
  FRAME_SIZE_ERROR: 'transient',
}

/** What Node's own codes mean. */
const CODES: Readonly<Record<string, ErrorClass>> = {
  ERR_HTTP2_ERROR: 'fatal', // nghttp2 can't go on: what came is no HTTP/2
  ERR_HTTP2_SESSION_ERROR: 'fatal', // GOAWAY with an error
  ERR_HTTP2_INVALID_SESSION: 'fatal', // the session is over
  ERR_HTTP2_STREAM_CANCEL: 'fatal', // the session ended before the stream began
  ERR_HTTP2_SETTINGS_CANCEL: 'fatal',
  ERR_HTTP2_MAX_PENDING_SETTINGS_ACK: 'fatal',
  ERR_HTTP2_NO_MEM: 'fatal',
  // The peer has said GOAWAY: other borrowers' streams are to finish, and `retire` sees to the rest.
  ERR_HTTP2_GOAWAY_SESSION: 'transient',
  ERR_HTTP2_PING_CANCEL: 'transient', // or the session has ended, which is reported
  ERR_HTTP2_OUT_OF_STREAMS: 'transient',
  ERR_HTTP2_INVALID_STREAM: 'transient',
  ERR_STREAM_PREMATURE_CLOSE: 'transient',
}

/** All others of Node's: the request could not be made as it was asked for, and nothing was sent. */
const MISUSE = /^ERR_(HTTP2_|INVALID_)/

/** The peer does not speak HTTP/2. */
export class NoHttp2Error extends Error {
  override readonly name = 'NoHttp2Error'
  readonly code = 'NO_HTTP2'
}

/**
 * What an error says about the session that it came over.
 *
 * @param connecting whether it is a failed connect's
 */
export function classifyHttp2Error(error: unknown, connecting: boolean): ErrorClass {
  return classifyCauses(error, connecting ? classifyAtConnect : classifyInUse)
}

/** Fatal is what the next try will meet as well: no HTTP/2 there, or certificates that don't fit. */
function classifyAtConnect(error: Error): ErrorClass | undefined {
  const { code } = error as NodeJS.ErrnoException
  if (error instanceof NoHttp2Error || code === 'ERR_HTTP2_ERROR' || isTlsMismatch(code)) return 'fatal'
  return undefined
}

function classifyInUse(error: Error): ErrorClass | undefined {
  const { code, message } = error as NodeJS.ErrnoException
  if (typeof code !== 'string') return undefined
  if (code === 'ERR_HTTP2_STREAM_ERROR') return RESETS[/NGHTTP2_(\w+)/.exec(message)?.[1] ?? ''] ?? 'transient'
  const known = CODES[code]
  if (known !== undefined) return known
  if (MISUSE.test(code)) return 'application'
  // What befalls one stream says nothing about its session, whose end is reported.
  return !code.startsWith('ERR_STREAM_') && isDeadSocket(code) ? 'fatal' : undefined
}
