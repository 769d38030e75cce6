import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import type { Duration } from '../engine/duration.ts'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import {
  callback,
  defined,
  duration,
  findProblems,
  flag,
  isObject,
  type OptionRule,
  password,
  port,
  text,
  tls,
  toMs,
} from '../shared/option-rules.ts'
import type { Password, PasswordContext } from '../shared/password.ts'

/**
 * Where PostgreSQL is and how its sessions are set up. What is given neither here nor in `connectionString` comes
 * from the environment variables that pg knows (`PGHOST`, `PGUSER`, …) and then from pg's defaults. Durations are
 * numbers of milliseconds or texts (`'30s'`).
 */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?…`. What it says can't be said a second time beside it. */
  connectionString?: string | undefined
  /** A name, an address, or the folder of a Unix socket. Default `localhost`. */
  host?: string | undefined
  /** 1 to 65535. Default 5432. */
  port?: number | undefined
  user?: string | undefined
  database?: string | undefined
  /** The password, or a function that is asked for it (or for a short-lived token) at each connect. */
  password?: Password | undefined
  /** Whether and how to use TLS: `true`, or Node's options for it. Default: no TLS. */
  ssl?: boolean | ConnectionOptions | undefined
  /** What `pg_stat_activity` shows. Default `wellpool`, or `PGAPPNAME`. */
  applicationName?: string | undefined
  /** Command-line options for the server's session: `'-c search_path=app'`. */
  options?: string | undefined
  /** The server cancels a statement that takes longer. 0: never. Default: the server's own setting. */
  statementTimeout?: Duration | undefined
  /** The server cancels a statement that waits longer for a lock. 0: never. Default: the server's own setting. */
  lockTimeout?: Duration | undefined
  /** The server ends a session that is idle in a transaction for longer. 0: never. Default: the server's own setting. */
  idleInTransactionTimeout?: Duration | undefined
  /** pg rejects a query that has not been answered for longer; the server works on. Checks and resets are not held to it. 0: never. Default 0. */
  queryTimeout?: Duration | undefined
  /** How long the socket is idle before TCP asks whether the peer is alive. At least 1 s. Default 30 s. */
  keepAliveDelay?: Duration | undefined
  /** How values are parsed, as pg has it. */
  types?: pg.CustomTypesConfig | undefined
  /**
   * Sets the session up, on a client that nobody uses yet (`SET search_path`, `LISTEN`, …). The connect takes until
   * it has settled, and fails if it rejects. It runs again whenever a reset has undone what it did.
   */
  onConnect?: ((client: pg.Client, context: PasswordContext) => unknown) | undefined
  /**
   * Whether each release sends `DISCARD ALL`: settings, prepared statements, temporary tables, advisory locks and
   * all else that a borrower left in the session is gone. Costs two round trips, and one more with `onConnect`.
   * Default false: only an open transaction is rolled back and `LISTEN` undone, and that costs nothing when there
   * is neither.
   */
  discardAll?: boolean | undefined
  /**
   * Whether a query that takes far longer than usual leads to a question, over another connection, what the server
   * is doing for it (`pg_stat_activity`): a dead connection is found out then, and a long query is left alone. Costs
   * one round trip at each connect. Default true.
   */
  secondOpinion?: boolean | undefined
}

interface Rule extends OptionRule {
  /** The parameters of a connection string that say the same. */
  readonly parameters?: readonly string[]
}

const alsoSaidBy = (rule: OptionRule, ...parameters: readonly string[]): Rule => ({ ...rule, parameters })

const RULES: Readonly<Record<keyof PostgresOptions, Rule>> = {
  connectionString: {
    fits: (value) => typeof value === 'string' && /^(postgres(ql)?:\/\/|socket:|\/)/.test(value),
    allowed: 'postgres://user:password@host:port/database, or the folder of a Unix socket',
    secret: true,
  },
  host: text,
  port: alsoSaidBy(port, 'port'),
  user: text,
  database: text,
  password,
  ssl: alsoSaidBy(tls, 'ssl', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'sslnegotiation'),
  applicationName: alsoSaidBy(text, 'application_name'),
  options: alsoSaidBy(text, 'options'),
  statementTimeout: alsoSaidBy(duration(0), 'statement_timeout'),
  lockTimeout: alsoSaidBy(duration(0), 'lock_timeout'),
  idleInTransactionTimeout: alsoSaidBy(duration(0), 'idle_in_transaction_session_timeout'),
  queryTimeout: alsoSaidBy(duration(0), 'query_timeout'),
  keepAliveDelay: duration(1000),
  types: { fits: (value) => isObject(value) && 'getTypeParser' in value, allowed: 'an object with the function getTypeParser' },
  onConnect: callback,
  discardAll: flag,
  secondOpinion: flag,
}

/** What an address says by its form, whatever its parameters: a Unix socket has no port, and its bare folder no user. */
function saidByForm(connectionString: string): readonly string[] {
  if (connectionString.startsWith('/')) return ['host', 'database']
  return connectionString.startsWith('socket:') ? ['host', 'user', 'database'] : ['host', 'port', 'user', 'database']
}

/**
 * Checks the options.
 *
 * @returns what pg's `Client` takes, all but the password, and the password that pg finds by itself: in the
 *   connection string or in the environment.
 * @throws ConfigError naming every problem at once. It never shows a password.
 */
export function resolvePostgresOptions(options: PostgresOptions): { config: pg.ClientConfig; foundPassword: string | undefined } {
  const problems = findProblems(options, RULES)
  if (!isObject(options)) throw new ConfigError(problems)

  const { connectionString } = options
  const hasAddress = RULES.connectionString.fits(connectionString)
  // Of options that are wrong, pg is shown the address alone.
  const config = toClientConfig(problems.length === 0 ? options : { connectionString: hasAddress ? connectionString : undefined })
  const foundPassword = tryClient(config, problems)?.password ?? undefined
  if (hasAddress) findSaidTwice(options, foundPassword, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return { config, foundPassword }
}

function toClientConfig(options: PostgresOptions): pg.ClientConfig {
  const { connectionString, host, port, user, database, ssl, options: commandLine, types } = options
  return {
    // A copy of ssl: pg hides the key in the object that it is given.
    ...defined({
      connectionString,
      host,
      port,
      user,
      database,
      ssl: typeof ssl === 'object' ? { ...ssl } : ssl,
      options: commandLine,
      types,
    }),
    ...defined({
      application_name: options.applicationName,
      statement_timeout: serverTimeout(options.statementTimeout),
      lock_timeout: serverTimeout(options.lockTimeout),
      idle_in_transaction_session_timeout: serverTimeout(options.idleInTransactionTimeout),
      query_timeout: toMs(options.queryTimeout),
    }),
    fallback_application_name: 'wellpool',
    keepAlive: true,
    keepAliveInitialDelayMillis: toMs(options.keepAliveDelay ?? '30s') ?? 0,
  }
}

/** Lets pg read the options as it will at each connect, and looks at what it makes of them. */
function tryClient(config: pg.ClientConfig, problems: ConfigProblem[]): pg.Client | undefined {
  const path = config.connectionString === undefined ? 'options' : 'connectionString'
  let client: pg.Client
  try {
    client = new pg.Client(config)
  } catch (error) {
    // Neither its cause nor its message: they may show the address, and the password in it. That a file of a
    // certificate can't be read may be said.
    const reason = error instanceof Error && 'syscall' in error ? `: ${error.message}` : ''
    problems.push({ path, given: `what pg cannot read${reason}`, allowed: RULES.connectionString.allowed })
    return undefined
  }
  // pg's other client, made of libpq, hides its socket and the state of its session.
  if (client.connection === undefined) {
    problems.push({ path: 'NODE_PG_FORCE_NATIVE', given: 'set', allowed: "unset: the driver needs pg's JavaScript client" })
  }
  return client
}

function findSaidTwice(options: PostgresOptions, foundPassword: string | undefined, problems: ConfigProblem[]): void {
  const { connectionString, ...others } = options
  if (connectionString === undefined) return
  const said = (path: string): boolean => {
    if (saidByForm(connectionString).includes(path)) return true
    if (path === 'password') return foundPassword !== undefined && foundPassword !== process.env.PGPASSWORD
    const parameters = RULES[path as keyof PostgresOptions]?.parameters ?? []
    return parameters.some((parameter) => new RegExp(`[?&]${parameter}=`).test(connectionString))
  }
  for (const [path, value] of Object.entries(others)) {
    if (value !== undefined && said(path)) {
      problems.push({ path, given: 'a value beside connectionString, which says it too', allowed: 'one of the two' })
    }
  }
}

/** As a text: pg does not send a number that is 0, and the server's own setting would stay. */
function serverTimeout(value: Duration | undefined): number | undefined {
  const ms = toMs(value)
  return ms === undefined ? undefined : (String(ms) as unknown as number)
}
