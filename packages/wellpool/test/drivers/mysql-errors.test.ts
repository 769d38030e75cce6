import { describe, expect, it } from 'vitest'
import { classifyMysqlError } from '../../src/drivers/mysql-errors.ts'

/** An error as mysql2 makes it of a server's answer. */
const server = (errno: number, sqlState = 'HY000', message = 'says the server'): Error =>
  Object.assign(new Error(message), { code: `ER_${errno}`, errno, sqlState, sqlMessage: message })
const system = (code: string, syscall = 'read'): Error => Object.assign(new Error(`${syscall} ${code}`), { code, errno: -104, syscall })
const own = (code: string, message = code): Error => Object.assign(new Error(message), { code, fatal: true })

describe('an error of a connection in use', () => {
  it.each([
    // What ends the session, or makes it useless.
    [1053, '08S01', 'fatal', 'server shutdown in progress'],
    [1077, '', 'fatal', 'normal shutdown'],
    [1080, '08S01', 'fatal', 'forced close of a thread'],
    [1152, '08S01', 'fatal', 'aborted connection'],
    [1153, '08S01', 'fatal', 'packet bigger than max_allowed_packet'],
    [1158, '08S01', 'fatal', 'network read error'],
    [1159, '08S01', 'fatal', 'network read interrupted'],
    [1160, '08S01', 'fatal', 'network write error'],
    [1161, '08S01', 'fatal', 'network write interrupted'],
    [1836, 'HY000', 'fatal', 'read-only mode'],
    [1927, '70100', 'fatal', 'connection was killed'],
    [2003, 'HY000', 'fatal', "can't connect, from a proxy"],
    [2006, 'HY000', 'fatal', 'server has gone away, from a proxy'],
    [2013, 'HY000', 'fatal', 'lost connection during query, from a proxy'],
    [3032, 'HY000', 'fatal', 'offline mode'],
    [3169, 'HY000', 'fatal', 'session was killed'],
    [4031, 'HY000', 'fatal', 'wait_timeout'],
    // What puts the session in doubt.
    [1040, '08004', 'transient', 'too many connections, from a proxy'],
    [1203, '42000', 'transient', 'max_user_connections, from a proxy'],
    [1243, 'HY000', 'transient', 'unknown prepared statement handler'],
    // What is the application's affair.
    [1044, '42000', 'application', 'access to a database denied'],
    [1045, '28000', 'application', 'access denied, of a function'],
    [1054, '42S22', 'application', 'unknown column'],
    [1062, '23000', 'application', 'duplicate entry'],
    [1064, '42000', 'application', 'syntax error'],
    [1114, 'HY000', 'application', 'table full'],
    [1146, '42S02', 'application', 'no such table'],
    [1205, 'HY000', 'application', 'lock wait time-out'],
    [1213, '40001', 'application', 'deadlock'],
    [1226, '42000', 'application', 'max_questions'],
    [1317, '70100', 'application', 'query killed'],
    [1792, '25006', 'application', 'a transaction that was begun as read-only'],
    [1969, '70100', 'application', 'max_statement_time'],
    [3024, 'HY000', 'application', 'max_execution_time'],
  ])('%i (%s) is %s: %s', (errno, state, meaning) => {
    expect(classifyMysqlError(server(errno, state), false)).toBe(meaning)
  })

  it.each([
    ['The MySQL server is running with the --read-only option so it cannot execute this statement', 'fatal'],
    ['The MariaDB server is running with the --read-only option so it cannot execute this statement', 'fatal'],
    ['The MySQL server is running with the --super-read-only option so it cannot execute this statement', 'fatal'],
    ['The MariaDB server is running with the read_only option so it cannot execute this statement', 'fatal'],
    ['The MySQL server is running with the --secure-file-priv option so it cannot execute this statement', 'application'],
    ['The MySQL server is running with the --skip-grant-tables option so it cannot execute this statement', 'application'],
  ])('1290 “%s” is %s', (message, meaning) => {
    expect(classifyMysqlError(server(1290, 'HY000', message), false)).toBe(meaning)
  })

  it.each([
    ['WSREP has not yet prepared node for application use', 'fatal'],
    ['Unknown command', 'application'],
  ])('1047 “%s” is %s', (message, meaning) => {
    expect(classifyMysqlError(server(1047, '08S01', message), false)).toBe(meaning)
  })

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ERR_STREAM_DESTROYED'])('%s is fatal', (code) => {
    expect(classifyMysqlError(system(code), false)).toBe('fatal')
  })

  it.each(['PROTOCOL_CONNECTION_LOST', 'PROTOCOL_UNEXPECTED_PACKET', 'PROTOCOL_ERROR'])('%s is fatal', (code) => {
    expect(classifyMysqlError(own(code), false)).toBe('fatal')
    // Older versions copy their errors without the mark.
    expect(classifyMysqlError(Object.assign(new Error(code), { code }), false)).toBe('fatal')
  })

  it('is fatal when mysql2 has closed the client, whatever it says', () => {
    const message = "Can't add new command when connection is in closed state"
    expect(classifyMysqlError(new Error(message), false)).toBe('fatal')
    expect(classifyMysqlError(Object.assign(new Error('in other words'), { fatal: true }), false)).toBe('fatal')
  })

  it.each([
    ["mysql2's time-out of a query", Object.assign(new Error('Query inactivity timeout'), { code: 'PROTOCOL_SEQUENCE_TIMEOUT' })],
    ["another server's refusal", Object.assign(system('ECONNREFUSED', 'connect'), { fatal: true })],
    ["the application's mistake", new TypeError('x is not a function')],
    ['a text', 'PROTOCOL_CONNECTION_LOST'],
    ['nothing', undefined],
    ['an object that is no error', { errno: 1053, sqlState: '08S01' }],
  ])('%s is transient', (_, error) => {
    expect(classifyMysqlError(error, false)).toBe('transient')
  })

  it('is found inside what a query builder wraps around it', () => {
    expect(classifyMysqlError(new Error('Failed query', { cause: server(1062, '23000') }), false)).toBe('application')
    expect(classifyMysqlError(new Error('Failed query', { cause: own('PROTOCOL_CONNECTION_LOST') }), false)).toBe('fatal')
  })
})

describe('an error of a connect', () => {
  it.each([
    // The next try will meet it too.
    [1044, '42000', 'fatal', 'access to the database denied'],
    [1045, '28000', 'fatal', 'access denied'],
    [1049, '42000', 'fatal', 'unknown database'],
    [1064, '42000', 'fatal', 'a statement of onConnect with a wrong syntax'],
    [1115, '42000', 'fatal', 'unknown character set'],
    [1129, 'HY000', 'fatal', 'host is blocked'],
    [1130, 'HY000', 'fatal', 'host is not allowed to connect'],
    [1193, 'HY000', 'fatal', 'unknown system variable in onConnect'],
    [1251, '08004', 'fatal', 'client does not support the authentication'],
    [1273, 'HY000', 'fatal', 'unknown collation'],
    [1524, 'HY000', 'fatal', 'plugin is not loaded'],
    [1698, '28000', 'fatal', 'access denied, no password taken'],
    [1820, 'HY000', 'fatal', 'password has to be changed first'],
    [1862, 'HY000', 'fatal', 'password has expired'],
    [3118, 'HY000', 'fatal', 'account is locked (MySQL)'],
    [3159, 'HY000', 'fatal', 'TLS required'],
    [3955, 'HY000', 'fatal', 'account is blocked after failed log-ins (MySQL)'],
    [4150, 'HY000', 'fatal', 'user is blocked after failed log-ins (MariaDB)'],
    [4151, 'HY000', 'fatal', 'account is locked (MariaDB)'],
    // It will pass.
    [1040, '08004', 'transient', 'too many connections'],
    [1040, '', 'transient', 'too many connections, before the greeting'],
    [1053, '08S01', 'transient', 'shutting down'],
    [1203, '42000', 'transient', 'max_user_connections'],
    [1226, '42000', 'transient', 'max_connections_per_hour'],
    [1290, 'HY000', 'transient', 'read-only, in onConnect'],
    [1317, '70100', 'transient', 'a statement of onConnect that was killed'],
    [2013, 'HY000', 'transient', 'a proxy that has no server'],
  ])('%i (%s) is %s: %s', (errno, state, meaning) => {
    expect(classifyMysqlError(server(errno, state), true)).toBe(meaning)
  })

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])('%s is transient', (code) => {
    expect(classifyMysqlError(Object.assign(system(code, 'connect'), { fatal: true }), true)).toBe('transient')
  })

  it('is transient when the server hangs up', () => {
    expect(classifyMysqlError(own('PROTOCOL_CONNECTION_LOST'), true)).toBe('transient')
  })

  it.each([
    ['HANDSHAKE_NO_SSL_SUPPORT', 'Server does not support secure connection'],
    ['HANDSHAKE_UNKNOWN_ERROR', 'Unexpected packet during handshake phase'],
    ['AUTH_SWITCH_PLUGIN_ERROR', 'Server requests authentication using unknown plugin'],
    ['MYSQL_CLEAR_PASSWORD_NOT_ENABLED', 'the clear password plugin is not enabled'],
    ['HANDSHAKE_SSL_ERROR', 'self-signed certificate'],
    ['HANDSHAKE_SSL_ERROR', 'certificate has expired'],
    ['HANDSHAKE_SSL_ERROR', "Hostname/IP does not match certificate's altnames"],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  ])('is fatal when the two sides cannot agree (%s: %s)', (code, message) => {
    expect(classifyMysqlError(own(code, message), true)).toBe('fatal')
  })

  it('is fatal when OpenSSL says no, and transient when the network breaks in the middle of it', () => {
    const protocol = Object.assign(own('HANDSHAKE_SSL_ERROR', 'unsupported protocol'), { library: 'SSL routines' })
    expect(classifyMysqlError(protocol, true)).toBe('fatal')
    const broken = own('HANDSHAKE_SSL_ERROR', 'Client network socket disconnected before secure TLS connection was established')
    expect(classifyMysqlError(broken, true)).toBe('transient')
  })
})
