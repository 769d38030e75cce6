import type { ErrorClass } from '../engine/driver.ts'
import { ConfigError } from '../engine/errors.ts'
import { classifyCauses, isDeadSocket, isTlsMismatch } from '../shared/network-errors.ts'

/**
 * What the errors of a MySQL or MariaDB server mean, by their number. All others are the application's: the server
 * has answered, and the session goes on (1205 lock wait time-out, 1213 deadlock, 1317 query killed, 1969 and 3024
 * statement time-out, …).
 *
 * Sources: MySQL, "Server Error Message Reference"; MariaDB, "MariaDB Error Code Reference".
 */
export const MYSQL_ERRORS: Readonly<Record<number, ErrorClass>> = {
  1040: 'transient', // too many connections: a proxy says so of the server behind it
  1077: 'fatal', // normal shutdown
  1153: 'fatal', // packet bigger than max_allowed_packet: the server hangs up, for it has lost its place
  1203: 'transient', // max_user_connections, from a proxy
  1243: 'transient', // unknown prepared statement handler: what client and server know of the session has come apart
  1836: 'fatal', // read-only mode: the server was a primary and is none any more
  1927: 'fatal', // connection was killed (MariaDB)
  2003: 'fatal', // can't connect, as proxies report it of the server behind them
  2006: 'fatal', // server has gone away, likewise
  2013: 'fatal', // lost connection during query, likewise
  3032: 'fatal', // the server is in offline mode: it ends the sessions of all but administrators
  3169: 'fatal', // session was killed (MySQL)
  4031: 'fatal', // the client was idle for longer than wait_timeout (MySQL's last word; MariaDB hangs up without one)
}

/**
 * As connect errors `fatal` are those that the next try will meet as well, and that may lock an account. Who is full
 * (1040, 1203), shutting down (1053) or in need of rest (1226) will have room again.
 */
export const MYSQL_CONNECT_ERRORS: Readonly<Record<number, ErrorClass>> = {
  1040: 'transient', // too many connections
  1115: 'fatal', // unknown character set
  1129: 'fatal', // the host is blocked after many errors, until somebody flushes the list
  1130: 'fatal', // the host is not allowed to connect
  1193: 'fatal', // unknown system variable: a statement of onConnect that can't work
  1203: 'transient', // max_user_connections
  1226: 'transient', // max_connections_per_hour and the like
  1251: 'fatal', // the client does not know the method of authentication
  1273: 'fatal', // unknown collation
  1524: 'fatal', // the server has no plugin for the account's method of authentication
  1698: 'fatal', // access denied: the account takes no password
  1820: 'fatal', // the password has expired: MariaDB lets one in all the same, for a new password and nothing else
  1862: 'fatal', // the password has expired
  3118: 'fatal', // the account is locked (MySQL)
  3159: 'fatal', // the server takes TLS only
  3955: 'fatal', // the account is blocked after too many failed log-ins (MySQL)
  4150: 'fatal', // the user is blocked after too many failed log-ins (MariaDB)
  4151: 'fatal', // the account is locked (MariaDB)
}

/** By the beginning of SQLSTATE: authorization (1045 access denied), and what the statement or the database's name is wrong with. */
const AT_CONNECT_STATES: Readonly<Record<string, ErrorClass>> = { '28': 'fatal', '3D': 'fatal', '42': 'fatal' }

/** Of mysql2 at a connect: the two sides can't agree, and won't at the next try. */
const NEVER_FITS = /^(HANDSHAKE_NO_SSL_SUPPORT|HANDSHAKE_UNKNOWN_ERROR|AUTH_SWITCH_PLUGIN_ERROR|MYSQL_CLEAR_PASSWORD_NOT_ENABLED)$/

/** Of mysql2: the connection is over, or has lost the thread of the protocol. Not all versions mark such errors as fatal. */
const DEAD_CONNECTION = /^PROTOCOL_(CONNECTION_LOST|UNEXPECTED_PACKET|ERROR)$/
const CLOSED = /^Can't (add new command when connection is in|write in) closed state/

/** What a server's error and one of mysql2 have; any other may have the same names for other things. */
type MysqlError = Error & {
  readonly code?: unknown
  readonly errno?: unknown
  readonly sqlState?: unknown
  readonly fatal?: unknown
  /** Of OpenSSL, in place of a code that mysql2 has overwritten. */
  readonly library?: unknown
}

/**
 * What an error says about the connection that it came over.
 *
 * @param connecting whether it is a failed connect's
 */
export function classifyMysqlError(error: unknown, connecting: boolean): ErrorClass {
  return classifyCauses(error, connecting ? classifyAtConnect : classifyInUse)
}

function classifyInUse(error: Error): ErrorClass | undefined {
  const { code, errno, sqlState, fatal, message } = error as MysqlError
  if (typeof errno === 'number' && typeof sqlState === 'string') {
    // 1290 is about many options. With read_only the server was a primary and is none any more.
    if (errno === 1290) return /read[-_]only/i.test(message) ? 'fatal' : 'application'
    // 1047 is an unknown command, unless a node of a Galera cluster says that it has been left alone.
    if (errno === 1047) return /WSREP/i.test(message) ? 'fatal' : 'application'
    // 08: connection exceptions (1053 shutdown, 1080 forced close, 1152 aborted, 1158 to 1161 network).
    return MYSQL_ERRORS[errno] ?? (sqlState.startsWith('08') ? 'fatal' : 'application')
  }
  if (isDeadSocket(code) || (typeof code === 'string' && DEAD_CONNECTION.test(code)) || CLOSED.test(message)) return 'fatal'
  // mysql2's own time-out of a query: the server is still at work on it, and what is sent now waits behind it.
  if (code === 'PROTOCOL_SEQUENCE_TIMEOUT') return 'transient'
  // mysql2 has given the connection up. Connects that fail get the same mark, and they are no concern of this one.
  if (fatal === true && !('syscall' in error)) return 'fatal'
  return undefined
}

function classifyAtConnect(error: Error): ErrorClass | undefined {
  if (error instanceof ConfigError) return 'fatal'
  const { code, errno, sqlState, library, message } = error as MysqlError
  if (typeof errno === 'number' && typeof sqlState === 'string') {
    return MYSQL_CONNECT_ERRORS[errno] ?? AT_CONNECT_STATES[sqlState.slice(0, 2)] ?? 'transient'
  }
  if (typeof code === 'string' && (NEVER_FITS.test(code) || isTlsMismatch(code))) return 'fatal'
  // mysql2 gives every failure of a TLS handshake this code, also that of a network which broke on the way.
  if (code === 'HANDSHAKE_SSL_ERROR') return library !== undefined || /certificate|altnames/i.test(message) ? 'fatal' : 'transient'
  return undefined
}
