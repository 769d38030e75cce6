import { type ClientHttp2Session, getPackedSettings, type Settings } from 'node:http2'
import type { ConnectionOptions } from 'node:tls'
import type { Duration } from '../engine/duration.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import { findMissing } from '../shared/missing-options.ts'
import type { SocketTarget } from '../shared/open-socket.ts'
import { callback, duration, findProblems, isObject, type OptionRules, toMs } from '../shared/option-rules.ts'

/** What the functions among the options of {@link http2} are given beside the session. */
export interface Http2Context {
  /** Aborted when the connect is given up. */
  readonly signal: AbortSignal
}

/** Where an HTTP/2 server is. Durations are numbers of milliseconds or texts (`'30s'`). */
export interface Http2Options {
  /** Scheme, host and port: `https://api.internal:8443`, or `http://…` for HTTP/2 without TLS (h2c, with prior knowledge). */
  url: string
  /** Node's options for TLS (`ca`, `cert`, `key`, …), with `https:` only. */
  tls?: ConnectionOptions | undefined
  /** The settings of HTTP/2 to tell the peer. Default: Node's, without server push. */
  settings?: Settings | undefined
  /**
   * How many borrowers share a session: a whole number ≥ 1, or Infinity. Default 100. A borrower may open several
   * streams; what the peer doesn't allow at the same time waits in Node.
   */
  maxLeasesPerConnection?: number | undefined
  /** Sets the session up (`session.setLocalWindowSize(…)`). The connect takes until it has settled, and fails if it rejects. */
  onConnect?: ((session: ClientHttp2Session, context: Http2Context) => unknown) | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
}

/** What {@link Http2Options} come to. */
export interface ResolvedHttp2Options {
  /** Without path: `https://api.internal:8443`. */
  readonly origin: string
  readonly target: SocketTarget
  readonly settings: Settings
  readonly maxLeases: number
}

/** What RFC 9113 recommends a peer to allow at least. */
const DEFAULT_MAX_LEASES = 100
const DEFAULT_KEEP_ALIVE_MS = 30_000

const RULES: OptionRules<Http2Options> = {
  // Secret as long as nobody knows what it is: there may be a password in it.
  url: { fits: (value) => originOf(value) !== undefined, allowed: 'https://host:port or http://host:port, and nothing else', secret: true },
  tls: { fits: isObject, allowed: 'an object with options for TLS' },
  settings: { fits: isObject, allowed: 'an object with settings of HTTP/2' },
  maxLeasesPerConnection: {
    fits: (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= 1),
    allowed: 'a whole number from 1, or Infinity',
  },
  onConnect: callback,
  keepAliveDelay: duration(1000),
}

/** @throws ConfigError naming every problem at once. It never shows a secret. */
export function resolveHttp2Options(options: Http2Options): ResolvedHttp2Options {
  const problems: ConfigProblem[] = [...findProblems(options, RULES), ...findMissing(options, RULES, ['url'])]
  const url = isObject(options) ? originOf(options.url) : undefined
  if (url?.protocol === 'http:' && options.tls !== undefined) {
    problems.push({ path: 'tls', given: 'options for TLS beside an address without it', allowed: 'together with https: only' })
  }
  if (isObject(options) && isObject(options.settings)) problems.push(...problemsOfSettings(options.settings))
  if (problems.length > 0 || url === undefined) throw new ConfigError(problems)

  const secure = url.protocol === 'https:'
  return {
    origin: url.origin,
    target: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || (secure ? 443 : 80)),
      tls: secure ? (options.tls ?? true) : false,
      keepAliveMs: toMs(options.keepAliveDelay) ?? DEFAULT_KEEP_ALIVE_MS,
    },
    settings: { enablePush: false, ...options.settings },
    maxLeases: options.maxLeasesPerConnection ?? DEFAULT_MAX_LEASES,
  }
}

/** Node would find them at each connect, when the socket is open already, and leave that behind. */
function problemsOfSettings(settings: Settings): ConfigProblem[] {
  try {
    getPackedSettings(settings)
    return []
  } catch (error) {
    return [{ path: 'settings', given: `what Node does not take (${(error as Error).message})`, allowed: RULES.settings.allowed }]
  }
}

function originOf(value: unknown): URL | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const { protocol, hostname, username, password, pathname, search, hash } = url
  const plain = (protocol === 'https:' || protocol === 'http:') && hostname !== '' && pathname === '/'
  return plain && `${username}${password}${search}${hash}` === '' ? url : undefined
}
