import { describe, expect, it } from 'vitest'
import { classifyPostgresError, endsSession } from '../../src/drivers/postgres-errors.ts'

/** An error as pg makes it of a server's answer. */
const server = (code: string, severity: string, message = 'says the server', more: object = {}): Error =>
  Object.assign(new Error(message), { name: 'error', code, severity, ...more })
const system = (code: string): Error => Object.assign(new Error(`read ${code}`), { code, syscall: 'read' })

describe('an error of a connection in use', () => {
  it.each([
    // What ends the session, or makes it useless.
    ['57P01', 'FATAL', 'fatal', 'admin_shutdown, pg_terminate_backend'],
    ['57P02', 'FATAL', 'fatal', 'crash_shutdown'],
    ['57P03', 'FATAL', 'fatal', 'cannot_connect_now, from a pooler'],
    ['57P04', 'FATAL', 'fatal', 'database_dropped'],
    ['57P05', 'FATAL', 'fatal', 'idle_session_timeout'],
    ['25P03', 'FATAL', 'fatal', 'idle_in_transaction_session_timeout'],
    ['25P04', 'FATAL', 'fatal', 'transaction_timeout'],
    ['25006', 'ERROR', 'fatal', 'read_only_sql_transaction after a fail-over'],
    ['08000', 'FATAL', 'fatal', 'connection_exception'],
    ['08006', 'FATAL', 'fatal', 'connection_failure'],
    ['08P01', 'FATAL', 'fatal', 'protocol_violation that ended the session'],
    ['53300', 'FATAL', 'fatal', 'too_many_connections, from a pooler'],
    ['XX000', 'PANIC', 'fatal', 'a panic'],
    // In another language the code decides.
    ['57P01', '致命的エラー', 'fatal', 'admin_shutdown, translated'],
    ['08006', 'FEHLER', 'fatal', 'connection_failure, translated'],
    ['08P01', 'FEHLER', 'application', 'a wrong number of parameters, translated'],
    // What puts the session in doubt.
    ['26000', 'ERROR', 'transient', 'invalid_sql_statement_name: a prepared statement that is not there'],
    ['58030', 'ERROR', 'transient', 'io_error'],
    ['58P01', 'ERROR', 'transient', 'undefined_file'],
    ['XX000', 'ERROR', 'transient', 'internal_error'],
    ['XX001', 'ERROR', 'transient', 'data_corrupted'],
    // What is the application's affair.
    ['08P01', 'ERROR', 'application', 'a wrong number of parameters'],
    ['08001', 'ERROR', 'application', 'a foreign server that cannot be reached'],
    ['0A000', 'ERROR', 'application', 'feature_not_supported'],
    ['22012', 'ERROR', 'application', 'division_by_zero'],
    ['23505', 'ERROR', 'application', 'unique_violation'],
    ['25P02', 'ERROR', 'application', 'in_failed_sql_transaction'],
    ['28000', 'ERROR', 'application', 'invalid_authorization_specification of a function'],
    ['3D000', 'ERROR', 'application', 'a database that DROP DATABASE does not find'],
    ['40001', 'ERROR', 'application', 'serialization_failure'],
    ['40P01', 'ERROR', 'application', 'deadlock_detected'],
    ['42601', 'ERROR', 'application', 'syntax_error'],
    ['42P01', 'ERROR', 'application', 'undefined_table'],
    ['53100', 'ERROR', 'application', 'disk_full'],
    ['53200', 'ERROR', 'application', 'out_of_memory'],
    ['55P03', 'ERROR', 'application', 'lock_not_available'],
    ['57014', 'ERROR', 'application', 'query_canceled, statement_timeout'],
    ['P0001', 'ERROR', 'application', 'raise_exception'],
    ['EPIPE', 'ERROR', 'application', 'a code of the application that looks like one of the system'],
  ])('%s (%s) is %s: %s', (code, severity, meaning) => {
    expect(classifyPostgresError(server(code, severity), false)).toBe(meaning)
  })

  it('puts the session in doubt when its cached plans no longer fit', () => {
    const error = server('0A000', 'ERROR', 'cached plan must not change result type', { routine: 'RevalidateCachedQuery' })
    expect(classifyPostgresError(error, false)).toBe('transient')
  })

  it.each([
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENETDOWN',
    'ENOTCONN',
    'ERR_SOCKET_CLOSED',
    'ERR_STREAM_DESTROYED',
    'ERR_STREAM_WRITE_AFTER_END',
  ])('%s is fatal', (code) => {
    expect(classifyPostgresError(system(code), false)).toBe('fatal')
  })

  it.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Client was closed and is not queryable',
    'Client has encountered a connection error and is not queryable',
    'Received unexpected commandComplete message from backend.',
  ])('“%s” is fatal', (message) => {
    expect(classifyPostgresError(new Error(message), false)).toBe('fatal')
  })

  it.each([
    ["the application's mistake", new TypeError('x is not a function')],
    ["pg's query time-out", new Error('Query read timeout')],
    ["another server's refusal", system('ECONNREFUSED')],
    ['a text', 'Connection terminated'],
    ['nothing', undefined],
    ['null', null],
    ['an object that is no error', { code: '57P01', severity: 'FATAL' }],
  ])('%s is transient', (_, error) => {
    expect(classifyPostgresError(error, false)).toBe('transient')
  })

  it('is found inside what a query builder wraps around it', () => {
    const wrapped = new Error('Failed query', { cause: new Error('inner', { cause: server('23505', 'ERROR') }) })
    expect(classifyPostgresError(wrapped, false)).toBe('application')
    expect(classifyPostgresError(new Error('Failed query', { cause: server('57P01', 'FATAL') }), false)).toBe('fatal')
  })

  it('is not searched for without end', () => {
    const circle = new Error('a')
    circle.cause = circle
    expect(classifyPostgresError(circle, false)).toBe('transient')
  })
})

describe('an error of a connect', () => {
  it.each([
    // The next try will meet it too.
    ['28P01', 'fatal', 'invalid_password'],
    ['28000', 'fatal', 'invalid_authorization_specification: no such role, no line in pg_hba.conf'],
    ['3D000', 'fatal', 'no such database'],
    ['42501', 'fatal', 'no permission to connect'],
    ['42704', 'fatal', 'no such startup parameter'],
    ['22023', 'fatal', 'a wrong value for a startup parameter'],
    ['0A000', 'fatal', 'an unsupported protocol'],
    // It will pass.
    ['57P03', 'transient', 'starting up'],
    ['57P01', 'transient', 'shutting down'],
    ['57P02', 'transient', 'crashed'],
    ['53300', 'transient', 'too many connections'],
    ['53400', 'transient', 'configuration_limit_exceeded'],
    ['08006', 'transient', 'a pooler that has no server'],
    ['57014', 'transient', 'a time-out in onConnect'],
    ['XX000', 'transient', 'internal_error'],
  ])('%s is %s: %s', (code, meaning) => {
    expect(classifyPostgresError(server(code, 'FATAL'), true)).toBe(meaning)
  })

  it('is fatal when it is a protocol violation that the server itself speaks of', () => {
    expect(
      classifyPostgresError(server('08P01', 'FATAL', 'invalid startup packet layout', { routine: 'ProcessStartupPacket' }), true),
    ).toBe('fatal')
  })

  it.each([
    // It will pass.
    ['no more connections allowed (max_client_conn)', 'transient'],
    ['server login has been failing, try again later (server_login_retry)', 'transient'],
    ['query_wait_timeout', 'transient'],
    ['client_login_timeout', 'transient'],
    // The next try will meet it too.
    ['database "nosuchdb" does not exist', 'fatal'],
    ['no such user: me', 'fatal'],
    ['password authentication failed', 'fatal'],
    ['unsupported startup parameter: statement_timeout', 'fatal'],
    ['SSL required', 'fatal'],
  ])('“%s”, for which PgBouncer has the code of a protocol violation, is %s', (message, meaning) => {
    expect(classifyPostgresError(server('08P01', 'FATAL', message), true)).toBe(meaning)
  })

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])('%s is transient', (code) => {
    expect(classifyPostgresError(system(code), true)).toBe('transient')
  })

  it('is transient when the server hangs up', () => {
    expect(classifyPostgresError(new Error('Connection terminated unexpectedly'), true)).toBe('transient')
  })

  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
    ['CERT_HAS_EXPIRED', 'certificate has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames"],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'],
    [undefined, 'The server does not support SSL connections'],
    [undefined, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'],
  ])('is fatal when the two sides cannot agree (%s: %s)', (code, message) => {
    expect(classifyPostgresError(Object.assign(new Error(message), { code }), true)).toBe('fatal')
  })
})

describe('the end of a session', () => {
  it.each([
    ['FATAL', '57P01', true],
    ['PANIC', 'XX000', true],
    ['致命的エラー', '57P05', true],
    ['ERROR', '25P03', true],
    ['ERROR', '25006', false],
    ['ERROR', '08001', false],
    ['ERROR', '57014', false],
    ['ERROR', '23505', false],
  ])('%s %s: %s', (severity, code, ends) => {
    expect(endsSession(server(code, severity))).toBe(ends)
  })
})
