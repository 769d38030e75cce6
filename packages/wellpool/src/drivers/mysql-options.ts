import { isIP } from 'node:net'
import mysql, { type ConnectionOptions, type SslOptions } from 'mysql2'
import type { Connection } from 'mysql2/promise'
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
  toMs,
  wholeNumber,
} from '../shared/option-rules.ts'
import type { Password, PasswordContext } from '../shared/password.ts'

/** What mysql2 does with statements, values and results, by mysql2's own names; see its documentation. */
export type MysqlClientOptions = Partial<Pick<ConnectionOptions, Extract<keyof ConnectionOptions, MysqlClientOption>>>

/** Older versions of mysql2 have some of them only. */
type MysqlClientOption =
  | 'authPlugins'
  | 'bigNumberStrings'
  | 'compress'
  | 'connectAttributes'
  | 'dateStrings'
  | 'decimalNumbers'
  | 'disableEval'
  | 'enableCleartextPlugin'
  | 'infileStreamFactory'
  | 'jsonStrings'
  | 'maxPreparedStatements'
  | 'multipleStatements'
  | 'namedPlaceholders'
  | 'nestTables'
  | 'queryFormat'
  | 'rowsAsArray'
  | 'stringifyObjects'
  | 'supportBigNumbers'
  | 'timezone'
  | 'typeCast'

/** Where MySQL or MariaDB is and how its sessions are set up. Durations are numbers of milliseconds or texts (`'30s'`). */
export interface MysqlOptions {
  /**
   * `mysql://user:password@host:port/database?…`. Its parameters are `charset` and the names of `client`'s options,
   * their values in JSON or plain. What it says can't be said a second time beside it.
   */
  uri?: string | undefined
  /** A name or an address. Default `localhost`. */
  host?: string | undefined
  /** 1 to 65535. Default 3306. */
  port?: number | undefined
  /** The file of a Unix socket, in place of `host` and `port`. */
  socketPath?: string | undefined
  user?: string | undefined
  database?: string | undefined
  /** The password, or a function that is asked for it (or for a short-lived token) at each log-in. */
  password?: Password | undefined
  /**
   * Whether and how to use TLS: `true`, or mysql2's options for it. Certificates are checked unless
   * `rejectUnauthorized` is false, and that they are made out to `host` unless `verifyIdentity` is (mysql2 itself
   * checks that only when asked, and can't for a `host` that is an address). Default: no TLS.
   */
  ssl?: boolean | SslOptions | undefined
  /** A character set or a collation of the server, as mysql2 has it. Default `utf8mb4_unicode_ci`. */
  charset?: string | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
  /** What mysql2 does with statements, values and results. */
  client?: MysqlClientOptions | undefined
  /**
   * Sets the session up, on a client that nobody uses yet (`SET sql_mode`, `SET max_statement_time`, …). The connect
   * takes until it has settled, and fails if it rejects. It runs again whenever a reset has undone what it did.
   */
  onConnect?: ((client: Connection, context: PasswordContext) => unknown) | undefined
  /**
   * Whether the session is made anew after each use, whatever that did. Costs three round trips a use, those of
   * `onConnect`, and the prepared statements. Default false: it is made anew when something may have been left in it,
   * and nothing is sent when nothing has.
   */
  resetAlways?: boolean | undefined
  /**
   * Whether the server may be asked, over another connection, what it is doing for a client that has been silent for
   * long (`information_schema.PROCESSLIST`): a dead connection is found out then, and a long query is left alone.
   * Default true.
   */
  secondOpinion?: boolean | undefined
}

const CLIENT_RULES: OptionRules<MysqlClientOptions> = {
  authPlugins: { fits: isObject, allowed: 'an object of functions', secret: true },
  bigNumberStrings: flag,
  compress: flag,
  connectAttributes: { fits: isObject, allowed: 'an object of texts' },
  dateStrings: { fits: (value) => typeof value === 'boolean' || Array.isArray(value), allowed: 'true, false or an array of types' },
  decimalNumbers: flag,
  disableEval: flag,
  enableCleartextPlugin: flag,
  infileStreamFactory: callback,
  jsonStrings: flag,
  maxPreparedStatements: wholeNumber(1),
  multipleStatements: flag,
  namedPlaceholders: flag,
  nestTables: { fits: (value) => typeof value === 'boolean' || typeof value === 'string', allowed: 'true, false or a text' },
  queryFormat: callback,
  rowsAsArray: flag,
  stringifyObjects: flag,
  supportBigNumbers: flag,
  timezone: {
    fits: (value) => typeof value === 'string' && /^(local|Z|[+-]\d\d:\d\d)$/.test(value),
    allowed: "'local', 'Z' or an offset such as '+02:00'",
  },
  typeCast: { fits: (value) => typeof value === 'boolean' || typeof value === 'function', allowed: 'true, false or a function' },
}

const RULES: OptionRules<MysqlOptions> = {
  uri: { ...text, allowed: 'mysql://user:password@host:port/database', secret: true },
  host: text,
  port,
  socketPath: text,
  user: text,
  database: text,
  password,
  ssl: tls,
  charset: {
    fits: (value) => typeof value === 'string' && value.toUpperCase() in mysql.Charsets,
    allowed: "a character set or a collation of the server ('utf8mb4', 'utf8mb4_bin')",
  },
  keepAliveDelay: duration(1000),
  client: { fits: isObject, allowed: 'an object' },
  onConnect: callback,
  resetAlways: flag,
  secondOpinion: flag,
}

/** The options, checked, and what stands in the address among the others. */
export type ResolvedMysqlOptions = Omit<MysqlOptions, 'uri'>

/**
 * Checks the options.
 *
 * @throws ConfigError naming every problem at once. It never shows a password.
 */
export function resolveMysqlOptions(options: MysqlOptions): ResolvedMysqlOptions {
  const problems = findProblems(options, RULES)
  if (!isObject(options)) throw new ConfigError(problems)
  if (isObject(options.client)) problems.push(...findProblems(options.client, CLIENT_RULES, 'client.'))

  const { uri, ...given } = options
  const resolved = RULES.uri.fits(uri) ? merge(readUri(uri as string, problems), given, problems) : given
  const { socketPath, host, port } = given
  const place = uri !== undefined ? 'uri' : host !== undefined || port !== undefined ? 'host or port' : undefined
  if (socketPath !== undefined && place !== undefined) {
    problems.push({ path: 'socketPath', given: `a value beside ${place}`, allowed: 'one of the two' })
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return resolved
}

/** What mysql2's `createConnection` takes, all but the password. */
export function toConnectionOptions(options: ResolvedMysqlOptions): ConnectionOptions {
  const { host, port, socketPath, user, database, charset, client } = options
  return {
    ...defined({ ...client, host, port, socketPath, user, database, charset }),
    ...(options.ssl === undefined || options.ssl === false ? {} : { ssl: toSslOptions(options) }),
    // How long a connect may take is the pool's affair.
    connectTimeout: 0,
    enableKeepAlive: true,
    keepAliveInitialDelay: toMs(options.keepAliveDelay ?? '30s') ?? 0,
  }
}

/** A copy: mysql2 completes the object that it is given, and finds its TLS sessions by it. */
function toSslOptions({ ssl, host = 'localhost' }: ResolvedMysqlOptions): SslOptions {
  return { verifyIdentity: isIP(host) === 0, ...(typeof ssl === 'object' ? ssl : {}) }
}

function readUri(uri: string, problems: ConfigProblem[]): ResolvedMysqlOptions {
  const wrong = (given: string): ResolvedMysqlOptions => {
    problems.push({ path: 'uri', given, allowed: RULES.uri.allowed })
    return {}
  }
  let url: URL
  try {
    url = new URL(uri)
  } catch {
    return wrong('what is no address')
  }
  if (url.protocol !== 'mysql:' && url.protocol !== 'mariadb:') return wrong(`an address that begins with ${url.protocol}`)
  const { hostname, port: portText, username, password: word, pathname } = url
  try {
    const client: Record<string, unknown> = {}
    const said: Record<string, unknown> = {
      host: decodeURIComponent(hostname.replace(/^\[(.*)\]$/, '$1')) || undefined,
      port: portText === '' ? undefined : Number(portText),
      user: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(word) || undefined,
      database: decodeURIComponent(pathname.slice(1)) || undefined,
    }
    for (const [name, value] of url.searchParams) {
      if (name === 'charset') said.charset = value
      else client[name] = parseValue(value)
    }
    problems.push(...findProblems(client, CLIENT_RULES, 'uri?'))
    return defined({ ...said, client: Object.keys(client).length > 0 ? client : undefined })
  } catch {
    return wrong('an address with a % that begins no character')
  }
}

/** A value of an address: JSON, or else a text. */
function parseValue(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** The address and what stands beside it; nothing may be said by both. */
function merge(said: ResolvedMysqlOptions, given: ResolvedMysqlOptions, problems: ConfigProblem[]): ResolvedMysqlOptions {
  const beside = defined(given) as Record<string, unknown>
  const client = { ...said.client, ...defined(given.client ?? {}) } as MysqlClientOptions
  const twice = [
    ...Object.keys(beside).filter((name) => name !== 'client' && Object.hasOwn(said, name)),
    ...Object.keys(defined(given.client ?? {})).flatMap((name) => (Object.hasOwn(said.client ?? {}, name) ? [`client.${name}`] : [])),
  ]
  for (const path of twice) problems.push({ path, given: 'a value beside uri, which says it too', allowed: 'one of the two' })
  return { ...said, ...beside, client }
}
