import type { ConnectionOptions } from 'node:tls'
import type { Duration } from '../engine/duration.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import { defined, duration, findProblems, isObject, type OptionRules, password, port, text, tls, toMs } from '../shared/option-rules.ts'
import type { Password } from '../shared/password.ts'

/** Where a broker is and who logs in. Durations are numbers of milliseconds or texts (`'30s'`). */
export interface AmqpOptions {
  /** `amqp[s]://user:password@host:port/vhost?heartbeat=10`. What it says can't be said a second time beside it. */
  url?: string | undefined
  /** A name or an address. Default `localhost`. */
  host?: string | undefined
  /** 1 to 65535. Default 5672, with TLS 5671. */
  port?: number | undefined
  /** Default `/`. */
  vhost?: string | undefined
  /** Default `guest`, whom RabbitMQ lets in from its own machine only. */
  user?: string | undefined
  /** The password, or a function that is asked for it (or for a short-lived token) at each connect. Default `guest`. */
  password?: Password | undefined
  /** Whether and how to use TLS: `true`, or Node's options for it. Default: no TLS. */
  tls?: boolean | ConnectionOptions | undefined
  /** What the broker's lists show. Default `wellpool`. */
  connectionName?: string | undefined
  /**
   * How often either side says that it is alive: whole seconds, from 1 s; the broker may ask for less. A side that is
   * silent for two to three times as long is held for dead. 0: never. Default 10 s.
   */
  heartbeat?: Duration | undefined
  /** How many borrowers share a connection: a whole number ≥ 1, or Infinity. Default 1. */
  maxLeasesPerConnection?: number | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
}

/** What {@link AmqpOptions} come to, for `amqplib.connect`. The password is asked for at each connect. */
export interface ResolvedAmqpOptions {
  readonly password: Password | undefined
  readonly tls: AmqpOptions['tls']
  readonly url: {
    readonly protocol: 'amqp' | 'amqps'
    readonly hostname: string
    readonly port: number
    readonly vhost: string
    readonly username: string
    readonly heartbeat: number
  }
  readonly socket: { readonly noDelay: true; readonly [option: string]: unknown }
  readonly maxLeases: number
}

const MAX_HEARTBEAT_MS = 65_535_000
const DEFAULT_HEARTBEAT_MS = 10_000
const DEFAULT_KEEP_ALIVE_MS = 30_000

const isHeartbeat = (value: unknown): boolean => {
  const ms = toMs(value)
  return ms !== undefined && ms >= 0 && ms <= MAX_HEARTBEAT_MS && ms % 1000 === 0
}

const RULES: OptionRules<AmqpOptions> = {
  url: { ...text, allowed: 'amqp[s]://user:password@host:port/vhost', secret: true },
  host: text,
  port,
  vhost: text,
  user: text,
  password,
  tls,
  connectionName: text,
  heartbeat: { fits: isHeartbeat, allowed: 'whole seconds, 0 to 65535 s' },
  maxLeasesPerConnection: {
    fits: (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= 1),
    allowed: 'a whole number from 1, or Infinity',
  },
  keepAliveDelay: duration(1000),
}

/** @throws ConfigError naming every problem at once. It never shows a password. */
export function resolveAmqpOptions(options: AmqpOptions): ResolvedAmqpOptions {
  const problems = findProblems(options, RULES)
  if (!isObject(options)) throw new ConfigError(problems)
  const all = withUrl(options, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  const { host = 'localhost', vhost = '/', user = 'guest', tls: secure, connectionName = 'wellpool' } = all
  const isSecure = secure !== undefined && secure !== false
  return {
    password: all.password,
    tls: secure,
    url: {
      protocol: isSecure ? 'amqps' : 'amqp',
      hostname: host,
      port: all.port ?? (isSecure ? 5671 : 5672),
      // amqplib takes it as it stands in an address.
      vhost: encodeURIComponent(vhost),
      username: user,
      heartbeat: (toMs(all.heartbeat) ?? DEFAULT_HEARTBEAT_MS) / 1000,
    },
    socket: {
      ...(typeof secure === 'object' ? secure : {}),
      noDelay: true,
      keepAlive: true,
      keepAliveDelay: toMs(all.keepAliveDelay) ?? DEFAULT_KEEP_ALIVE_MS,
      clientProperties: { connection_name: connectionName },
    },
    maxLeases: all.maxLeasesPerConnection ?? 1,
  }
}

/** The options with what stands in the address among them. */
function withUrl({ url, ...given }: AmqpOptions, problems: ConfigProblem[]): Omit<AmqpOptions, 'url'> {
  if (!RULES.url.fits(url)) return given
  const said: Record<string, unknown> = readUrl(url as string, problems)
  const beside = defined(given)
  for (const path of Object.keys(beside)) {
    // An amqps:// address may have options for its TLS.
    if (Object.hasOwn(said, path) && !(path === 'tls' && typeof given.tls === 'object')) {
      problems.push({ path, given: 'a value beside url, which says it too', allowed: 'one of the two' })
    }
  }
  return { ...said, ...beside }
}

function readUrl(text: string, problems: ConfigProblem[]): Omit<AmqpOptions, 'url'> {
  const wrong = (given: string): Omit<AmqpOptions, 'url'> => {
    problems.push({ path: 'url', given, allowed: RULES.url.allowed })
    return {}
  }
  if (!URL.canParse(text)) return wrong('what is no address')
  const { protocol, hostname, port: portText, username, password: word, pathname, searchParams } = new URL(text)
  if (protocol !== 'amqp:' && protocol !== 'amqps:') return wrong(`an address that begins with ${protocol}`)
  const vhost = pathname.slice(1)
  if (vhost.includes('/')) return wrong('an address whose vhost has a slash, which is written as %2F')
  const unknown = [...searchParams.keys()].find((name) => name !== 'heartbeat')
  if (unknown !== undefined) return wrong(`an address with the parameter ${unknown}`)
  const heartbeat = searchParams.get('heartbeat') ?? undefined
  if (heartbeat !== undefined && !(/^\d{1,5}$/.test(heartbeat) && isHeartbeat(Number(heartbeat) * 1000))) {
    return wrong('an address whose heartbeat is no number of seconds up to 65535')
  }
  try {
    return defined({
      host: decodeURIComponent(hostname.replace(/^\[(.*)\]$/, '$1')) || undefined,
      port: portText === '' ? undefined : Number(portText),
      vhost: decodeURIComponent(vhost) || undefined,
      user: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(word) || undefined,
      heartbeat: heartbeat === undefined ? undefined : Number(heartbeat) * 1000,
      tls: protocol === 'amqps:' ? true : undefined,
    })
  } catch {
    return wrong('an address with a % that begins no character')
  }
}
