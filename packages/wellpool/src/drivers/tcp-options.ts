import type { ConnectionOptions } from 'node:tls'
import type { ErrorClass } from '../engine/driver.ts'
import type { Duration } from '../engine/duration.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import { findMissing } from '../shared/missing-options.ts'
import type { SocketTarget } from '../shared/open-socket.ts'
import {
  callback,
  choice,
  describe,
  duration,
  findProblems,
  flag,
  isObject,
  type OptionRule,
  type OptionRules,
  port,
  text,
  tls,
  toMs,
  wholeNumber,
} from '../shared/option-rules.ts'
import type { TcpClient } from './tcp-client.ts'
import { createCoder, type Frame, type FrameCoder, type FrameOf, type LengthFraming, type LineFraming } from './tcp-framing.ts'

/** What the functions among the options of {@link tcp} are given beside the client. */
export interface TcpContext {
  /** Aborted when what was asked for is no longer wanted. */
  readonly signal: AbortSignal
}

/** The functions that know what the frames mean. */
export interface TcpHooks<F extends Frame> {
  /**
   * Asks the peer for a sign of life: `(client, { signal }) => client.request('PING', { signal })`. It has to bring
   * at least one frame, and to leave nothing unread; it fails if it rejects. Each connect ends with it.
   */
  probe: (client: TcpClient<F>, context: TcpContext) => unknown
  /** Logs in, reads a greeting, sets the session up. The connect takes until it has settled, and fails if it rejects. */
  onConnect?: ((client: TcpClient<F>, context: TcpContext) => unknown) | undefined
  /**
   * Brings the session back into the state that `onConnect` left it in, on each release. Default: nothing is sent,
   * and a session that is not in step is replaced.
   */
  onRelease?: ((client: TcpClient<F>) => unknown) | undefined
  /**
   * Gets the frames that come while nobody has asked for any (a server's own PING, notices), and may answer them with
   * `client.send`; the client is one for this alone. Default: such a frame ends the connection, since it could be taken
   * for the answer to the next request.
   */
  onUnasked?: ((frame: F, client: TcpClient<F>) => unknown) | undefined
}

/**
 * Where a peer is and how to talk to it. Durations are numbers of milliseconds or texts (`'30s'`).
 *
 * @typeParam Framing how frames are told apart; it decides what a frame is to the functions here and to borrowers.
 */
export interface TcpOptions<Framing extends LineFraming | LengthFraming = 'line'> extends TcpHooks<FrameOf<Framing>> {
  /** What metrics, events and `rebuildConnectionsByProtocol` call the protocol. Default `tcp`. */
  protocol?: string | undefined
  /** A name or an address. Default `localhost`. */
  host?: string | undefined
  /** 1 to 65535. Required unless `path` is given. */
  port?: number | undefined
  /** A Unix socket, instead of host and port. */
  path?: string | undefined
  /** Whether and how to use TLS: `true`, or Node's options for it. Default: no TLS. */
  tls?: boolean | ConnectionOptions | undefined
  /** How frames are told apart: `'line'`, `{ line: end }` or `{ length: { bytes, … } }`. */
  framing: Framing
  /**
   * The longest frame, bytes. A peer that sends a longer one is hung up on, and longer data are not sent. Default
   * 1 MiB. Of frames that nobody has read yet as much is kept; then the socket is read no further.
   */
  maxFrameSize?: number | undefined
  /** The frame to send before the socket is closed. Default: none. */
  goodbye?: string | Uint8Array | undefined
  /**
   * Says what errors of your own mean, before the driver's own table is asked; undefined: ask that. `connecting` is
   * true for the error of a failed connect, where `fatal` means that trying again soon makes it worse.
   */
  classify?: ((error: unknown, connecting: boolean) => ErrorClass | undefined) | undefined
  /** Texts (passwords, tokens) that your functions use, and that no error may show. */
  secrets?: readonly string[] | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
}

type AnyTcpOptions = TcpOptions<LineFraming | LengthFraming>

/** What {@link TcpOptions} come to. */
export interface ResolvedTcpOptions {
  readonly target: SocketTarget
  readonly coder: FrameCoder<string> | FrameCoder<Buffer>
  readonly maxFrameSize: number
}

const DEFAULT_MAX_FRAME_SIZE = 1024 * 1024
/** Longer texts than this Node can't make of bytes. */
const MAX_FRAME_SIZE = 256 * 1024 * 1024
const DEFAULT_KEEP_ALIVE_MS = 30_000

const LENGTH_RULES: OptionRules<LengthFraming['length']> = {
  bytes: wholeNumber(1, 6),
  endian: choice('big', 'little'),
  includesItself: flag,
}

const FRAMING: OptionRule = {
  fits: (value) => value === 'line' || (isObject(value) && Object.keys(value).length === 1 && ('line' in value || 'length' in value)),
  allowed: "'line', { line: text that ends a frame } or { length: { bytes, endian, includesItself } }",
}

const RULES: OptionRules<AnyTcpOptions> = {
  protocol: text,
  host: text,
  port,
  path: text,
  tls,
  framing: FRAMING,
  maxFrameSize: wholeNumber(1, MAX_FRAME_SIZE),
  probe: callback,
  onConnect: callback,
  onRelease: callback,
  onUnasked: callback,
  goodbye: {
    fits: (value) => typeof value === 'string' || value instanceof Uint8Array,
    allowed: 'one frame, as text or bytes',
    secret: true,
  },
  classify: callback,
  secrets: { fits: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'), allowed: 'texts', secret: true },
  keepAliveDelay: duration(1000),
}

/** @throws ConfigError naming every problem at once. It never shows a secret. */
export function resolveTcpOptions(options: AnyTcpOptions): ResolvedTcpOptions {
  const problems = [...findProblems(options, RULES), ...findMissing(options, RULES, ['framing', 'probe'])]
  if (isObject(options)) problems.push(...problemsOfFraming(options.framing), ...problemsOfAddress(options))
  if (problems.length > 0) throw new ConfigError(problems)

  const { host, port, path, tls, maxFrameSize = DEFAULT_MAX_FRAME_SIZE, goodbye } = options
  const coder = createCoder(options.framing, maxFrameSize)
  try {
    if (goodbye !== undefined) coder.encode(goodbye)
  } catch {
    throw new ConfigError([{ path: 'goodbye', given: 'what is not one frame', allowed: RULES.goodbye.allowed }])
  }
  const keepAliveMs = toMs(options.keepAliveDelay) ?? DEFAULT_KEEP_ALIVE_MS
  return { target: { host, port, path, tls, keepAliveMs }, coder, maxFrameSize }
}

function problemsOfFraming(framing: LineFraming | LengthFraming): ConfigProblem[] {
  if (!FRAMING.fits(framing) || framing === 'line') return []
  if ('line' in framing) {
    return text.fits(framing.line) ? [] : [{ path: 'framing.line', given: describe(framing.line), allowed: text.allowed }]
  }
  const path = 'framing.length.'
  return [...findProblems(framing.length, LENGTH_RULES, path), ...findMissing(framing.length, LENGTH_RULES, ['bytes'], path)]
}

function problemsOfAddress({ host, port, path }: AnyTcpOptions): ConfigProblem[] {
  if (path === undefined) return port === undefined ? [{ path: 'port', given: 'nothing', allowed: `${RULES.port.allowed}, or path` }] : []
  return [host === undefined ? [] : ['host'], port === undefined ? [] : ['port']]
    .flat()
    .map((each) => ({ path: each, given: 'a value beside path, which says it too', allowed: 'one of the two' }))
}
