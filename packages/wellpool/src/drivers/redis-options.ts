import type { ConnectionOptions } from 'node:tls'
import type { RedisClientOptions, RedisClientType } from 'redis'
import type { Duration } from '../engine/duration.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import {
  callback,
  defined,
  duration,
  findProblems,
  flag,
  isObject,
  type OptionRules,
  password,
  port,
  text,
  tls,
  wholeNumber,
} from '../shared/option-rules.ts'
import type { Password, PasswordContext } from '../shared/password.ts'

/** A client of node-redis as its `createClient` makes it without options of its own. */
export type RedisClient = RedisClientType

/** What the driver tells node-redis: where to connect to, and to leave it to the pool to connect anew. */
export type RedisBaseOptions = Pick<RedisClientOptions, 'socket' | 'database' | 'name' | 'disableOfflineQueue'>

/** Where Redis is and how its sessions are set up. Durations are numbers of milliseconds or texts (`'30s'`). */
export interface RedisOptions<Client = RedisClient> {
  /** `redis[s]://user:password@host:port/database` or `unix:///path?db=database`. What it says can't be said a second time beside it. */
  url?: string | undefined
  /** A name or an address. Default `localhost`. */
  host?: string | undefined
  /** 1 to 65535. Default 6379. */
  port?: number | undefined
  /** The file of a Unix socket, in place of `host` and `port`. */
  path?: string | undefined
  /**
   * A user of the server's access control lists, beside a password: for one that needs none any text. Default: the
   * server's user `default`.
   */
  username?: string | undefined
  /** The password, or a function that is asked for it (or for a short-lived token) at each log-in. */
  password?: Password | undefined
  /** A whole number from 0. Default 0. */
  database?: number | undefined
  /** What `CLIENT LIST` shows, without spaces. Default `wellpool`. */
  name?: string | undefined
  /** Whether and how to use TLS: `true`, or Node's options for it. Default: no TLS. */
  tls?: boolean | ConnectionOptions | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
  /**
   * Makes the client that all others are copies of, to have scripts, functions, modules, type mappings, or another version of the protocol:
   * `(options) => createClient({ ...options, RESP: 2, scripts })`. It has to hand on what it is given, and not to
   * connect. Default: node-redis' `createClient`. Its type is what the pool's application gets.
   */
  createClient?: ((options: RedisBaseOptions) => Client) | undefined
  /**
   * Sets the session up, on a client that nobody uses yet (`CLIENT TRACKING`, `CLIENT NO-EVICT`, …). The connect takes
   * until it has settled, and fails if it rejects. It runs again whenever a reset has undone what it did.
   */
  onConnect?: ((client: Client, context: PasswordContext) => unknown) | undefined
  /**
   * How many borrowers share a client at the same time, from 1. Their commands are sent one behind the other and
   * none waits for a client, but `WATCH`, subscriptions, `SELECT` and blocking commands of one are everybody's, and
   * nothing is undone before the last of them has released it. Default 1.
   */
  maxLeasesPerConnection?: number | undefined
  /**
   * Whether the server may be asked, over another connection, what it is doing for a client that has been silent for
   * long (`CLIENT LIST`): a dead connection is found out then, and a long command is left alone. Turn it off where a
   * proxy serves many clients over few connections. Default true.
   */
  secondOpinion?: boolean | undefined
}

const RULES: OptionRules<RedisOptions> = {
  url: { ...text, allowed: 'redis[s]://user:password@host:port/database or unix:///path', secret: true },
  host: text,
  port,
  path: text,
  username: text,
  password,
  database: wholeNumber(0),
  name: { fits: (value) => typeof value === 'string' && /^[!-~]+$/.test(value), allowed: 'a text without spaces' },
  tls,
  keepAliveDelay: duration(1000),
  createClient: callback,
  onConnect: callback,
  maxLeasesPerConnection: wholeNumber(1),
  secondOpinion: flag,
}

/** The options, checked, and what stands in the address among the others. */
export type ResolvedRedisOptions<Client> = Omit<RedisOptions<Client>, 'url'>

/**
 * Checks the options.
 *
 * @throws ConfigError naming every problem at once. It never shows a password.
 */
export function resolveRedisOptions<Client>(options: RedisOptions<Client>): ResolvedRedisOptions<Client> {
  const problems = findProblems<RedisOptions>(options, RULES)
  if (!isObject(options)) throw new ConfigError(problems)

  const { url, ...given } = options
  const said: Record<string, unknown> = RULES.url.fits(url) ? readUrl(url as string, problems) : {}
  const beside = defined(given)
  for (const path of Object.keys(beside)) {
    // A rediss:// address may have options for its TLS.
    if (Object.hasOwn(said, path) && !(path === 'tls' && said.tls === true && typeof given.tls === 'object')) {
      problems.push({ path, given: 'a value beside url, which says it too', allowed: 'one of the two' })
    }
  }
  const resolved = { ...said, ...beside } as ResolvedRedisOptions<Client>
  if (resolved.path !== undefined && (resolved.host !== undefined || resolved.port !== undefined)) {
    problems.push({ path: 'path', given: 'a value beside host or port', allowed: 'one of the two' })
  }
  if (resolved.path !== undefined && resolved.tls !== undefined && resolved.tls !== false) {
    problems.push({ path: 'tls', given: 'a value beside path', allowed: 'one of the two' })
  }
  problems.push(...findMissingPassword(resolved))
  if (problems.length > 0) throw new ConfigError(problems)
  return resolved
}

/** node-redis logs in with a password only: without one the session would be that of the user `default`. */
export function findMissingPassword({ username, password }: Pick<RedisOptions, 'username' | 'password'>): ConfigProblem[] {
  if (typeof username !== 'string' || username === 'default' || (password !== undefined && password !== '')) return []
  return [{ path: 'password', given: 'none beside username', allowed: 'a text that is not empty, or a function that returns one' }]
}

function readUrl(text: string, problems: ConfigProblem[]): Record<string, unknown> {
  const wrong = (given: string): Record<string, unknown> => {
    problems.push({ path: 'url', given, allowed: RULES.url.allowed })
    return {}
  }
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return wrong('what is no address')
  }
  const { protocol, hostname, port: portText, username, password: word, pathname, searchParams } = url
  if (!['redis:', 'rediss:', 'unix:'].includes(protocol)) return wrong(`an address that begins with ${protocol}`)
  const isUnix = protocol === 'unix:'
  const databaseText = (isUnix ? searchParams.get('db') : pathname.slice(1)) ?? ''
  if (!/^\d*$/.test(databaseText)) return wrong('an address whose database is no number')
  const unknown = [...searchParams.keys()].filter((name) => !isUnix || name !== 'db')
  if (unknown.length > 0) return wrong(`an address with the parameter ${unknown[0]}`)
  try {
    return defined({
      host: isUnix ? undefined : decodeURIComponent(hostname.replace(/^\[(.*)\]$/, '$1')) || undefined,
      port: portText === '' ? undefined : Number(portText),
      path: isUnix ? decodeURIComponent(pathname) : undefined,
      username: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(word) || undefined,
      database: databaseText === '' ? undefined : Number(databaseText),
      tls: protocol === 'rediss:' ? true : undefined,
    })
  } catch {
    return wrong('an address with a % that begins no character')
  }
}
