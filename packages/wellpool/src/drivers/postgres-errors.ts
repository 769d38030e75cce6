import type { ErrorClass } from '../engine/driver.ts'
import { ConfigError } from '../engine/errors.ts'
import { classifyCauses, isDeadSocket, isTlsMismatch } from '../shared/network-errors.ts'

/**
 * What the errors of a PostgreSQL server mean, by the longest beginning of their SQLSTATE that stands here. All
 * others are the application's: the server has answered, and the session goes on.
 *
 * Source: PostgreSQL, appendix A, "PostgreSQL Error Codes".
 */
const IN_USE: Readonly<Record<string, ErrorClass>> = {
  '08': 'fatal', // connection exceptions, as poolers between here and the server report them
  '08P01': 'application', // protocol_violation, translated: a wrong number of parameters; one that ends the session closes the socket too
  '25006': 'fatal', // read_only_sql_transaction: the server was a primary and is none any more
  '25P03': 'fatal', // idle_in_transaction_session_timeout: the session is over
  '25P04': 'fatal', // transaction_timeout: the session is over
  '26': 'transient', // invalid_sql_statement_name: what client and server know of the session has come apart
  '57P01': 'fatal', // admin_shutdown, pg_terminate_backend
  '57P02': 'fatal', // crash_shutdown
  '57P03': 'fatal', // cannot_connect_now, as poolers report it of the server behind them
  '57P04': 'fatal', // database_dropped
  '57P05': 'fatal', // idle_session_timeout
  '58': 'transient', // system errors outside of PostgreSQL: I/O, missing files
  XX: 'transient', // internal errors: another session may not have them
}

/**
 * As connect errors `fatal` are those that the next try will meet as well, and that may lock an account. Who is
 * starting up, shutting down, or full (57P03, 57P01, 53300) will have room soon.
 */
const AT_CONNECT: Readonly<Record<string, ErrorClass>> = {
  '08P01': 'fatal', // protocol_violation: this is no server for us
  '0A': 'fatal', // feature_not_supported: the protocol, a startup parameter
  '22': 'fatal', // data exceptions: the value of a startup parameter
  '28': 'fatal', // invalid_authorization_specification, invalid_password
  '3D': 'fatal', // invalid_catalog_name: no such database
  '3F': 'fatal', // invalid_schema_name
  '42': 'fatal', // no such parameter, no permission, or a statement of onConnect that can't work
}

/**
 * PgBouncer has one code, 08P01, for nearly all that it says by itself: that it is full, or has no server behind it, and
 * these, which the next try will hear as well. A server names the routine that it speaks from, a pooler has none.
 */
const POOLER_REFUSES = /does not exist|no such user|unsupported|required|authentication failed/i

/** Of pg, which gives them no code: the client is dead, or has lost the thread of the protocol. */
const DEAD_CLIENT = /^(Connection terminated|Client has encountered a connection error|Client was closed|Received unexpected )/

/** Of Node and of pg: the certificates, or what the two sides ask of each other, don't fit. */
const NEVER_FITS = /^(SASL: |The server does not support SSL connections|Password must be a string)|certificate|altnames/i

/** What a server's error has; any other may have the same names for other things. */
type ServerError = Error & { readonly code?: unknown; readonly severity?: unknown; readonly routine?: unknown }

/**
 * What an error says about the connection that it came over.
 *
 * @param connecting whether it is a failed connect's
 */
export function classifyPostgresError(error: unknown, connecting: boolean): ErrorClass {
  return classifyCauses(error, connecting ? classifyAtConnect : classifyInUse)
}

/** Whether the server ends the session with this error. Severities are translated on some servers, codes never. */
export function endsSession(error: unknown): boolean {
  const { code, severity } = error as ServerError
  return severity === 'FATAL' || severity === 'PANIC' || (typeof code === 'string' && /^(57P|25P0[34])/.test(code))
}

function classifyInUse(error: Error): ErrorClass | undefined {
  const { code, severity, routine, message } = error as ServerError
  if (typeof severity === 'string' && typeof code === 'string') {
    if (severity === 'FATAL' || severity === 'PANIC') return 'fatal'
    // Foreign tables report their own connections so, and a wrong number of parameters is a protocol violation:
    // this session has seen an ERROR like any other and goes on.
    if (severity === 'ERROR' && code.startsWith('08')) return 'application'
    // "cached plan must not change result type": a prepared statement of this session fails from now on.
    if (routine === 'RevalidateCachedQuery') return 'transient'
    return lookUp(IN_USE, code) ?? 'application'
  }
  if (isDeadSocket(code) || DEAD_CLIENT.test(message)) return 'fatal'
  return undefined
}

function classifyAtConnect(error: Error): ErrorClass | undefined {
  if (error instanceof ConfigError) return 'fatal'
  const { code, severity, routine, message } = error as ServerError
  if (typeof severity === 'string' && typeof code === 'string') {
    if (code === '08P01' && routine === undefined) return POOLER_REFUSES.test(message) ? 'fatal' : 'transient'
    return lookUp(AT_CONNECT, code) ?? 'transient'
  }
  if (isTlsMismatch(code) || NEVER_FITS.test(message)) return 'fatal'
  return undefined
}

function lookUp(table: Readonly<Record<string, ErrorClass>>, code: string): ErrorClass | undefined {
  return table[code] ?? table[code.slice(0, 2)]
}
