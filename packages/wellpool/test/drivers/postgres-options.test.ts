import { inspect } from 'node:util'
import pg from 'pg'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type PostgresOptions, resolvePostgresOptions } from '../../src/drivers/postgres-options.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'

const SECRET = 'correct-horse'

/** The problems of options that must be refused. */
function problemsOf(options: unknown): readonly ConfigProblem[] {
  try {
    resolvePostgresOptions(options as PostgresOptions)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    expect(error.message).not.toContain(SECRET)
    return error.problems
  }
  throw new Error('the options were not refused')
}

describe('the options of postgres()', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it.each([
    [{ host: '' }, 'host', "''"],
    [{ port: '5432' }, 'port', "'5432'"],
    [{ port: 0 }, 'port', '0'],
    [{ port: 65_536 }, 'port', '65536'],
    [{ port: 1.5 }, 'port', '1.5'],
    [{ user: 7 }, 'user', '7'],
    [{ database: null }, 'database', 'null'],
    [{ ssl: 'require' }, 'ssl', "'require'"],
    [{ ssl: null }, 'ssl', 'null'],
    [{ applicationName: [] }, 'applicationName', 'an array'],
    [{ options: {} }, 'options', 'an object'],
    [{ statementTimeout: -1 }, 'statementTimeout', '-1'],
    [{ lockTimeout: 'soon' }, 'lockTimeout', "'soon'"],
    [{ idleInTransactionTimeout: Number.NaN }, 'idleInTransactionTimeout', 'NaN'],
    [{ queryTimeout: Number.POSITIVE_INFINITY }, 'queryTimeout', 'Infinity'],
    [{ keepAliveDelay: 10 }, 'keepAliveDelay', '10'],
    [{ types: {} }, 'types', 'an object'],
    [{ onConnect: 'SET x' }, 'onConnect', "'SET x'"],
    [{ discardAll: 1 }, 'discardAll', '1'],
    [{ max: 10 }, 'max', 'an unknown option'],
    [{ toString: 'x' }, 'toString', 'an unknown option'],
    [{ password: 12_345 }, 'password', 'a number'],
    [{ password: [SECRET] }, 'password', 'an array'],
    [{ passwort: SECRET }, 'passwort', 'an unknown option'],
    [{ connectionString: '' }, 'connectionString', 'an empty text'],
    // Quotes from an .env file, a blank before it, one slash, no protocol, another one.
    [{ connectionString: `"postgres://me:${SECRET}@h/db"` }, 'connectionString', 'a text'],
    [{ connectionString: ` postgres://me:${SECRET}@h/db` }, 'connectionString', 'a text'],
    [{ connectionString: 'postgres//h/db' }, 'connectionString', 'a text'],
    [{ connectionString: 'localhost:5432/db' }, 'connectionString', 'a text'],
    [{ connectionString: `mysql://me:${SECRET}@h/db` }, 'connectionString', 'a text'],
    [{ connectionString: { href: SECRET } }, 'connectionString', 'an object'],
    [{ connectionString: `postgres://me:${SECRET}@[::1/db` }, 'connectionString', 'what pg cannot read'],
    [{ connectionString: `postgres://me:${SECRET}%FF@host/db` }, 'connectionString', 'what pg cannot read'],
    [42, 'options', '42'],
    [null, 'options', 'null'],
  ])('refuses %j', (options, path, given) => {
    expect(problemsOf(options)).toMatchObject([{ path, given }])
  })

  it('names what the address says already together with all else that is wrong', () => {
    const paths = problemsOf({ connectionString: 'postgres://me@a:5432/db', ...{ host: 'b', port: '3307', prot: 1, toString: 1 } }).map(
      ({ path }) => path,
    )
    expect(paths).toEqual(['port', 'prot', 'toString', 'host', 'port'])
  })

  it('names every problem at once, with what is allowed', () => {
    expect(problemsOf({ port: -1, password: {}, prot: 5432, discardAll: 'yes' })).toEqual([
      { path: 'port', given: '-1', allowed: 'a whole number from 1 to 65535' },
      { path: 'password', given: 'an object', allowed: 'a text or a function' },
      { path: 'prot', given: 'an unknown option', allowed: expect.stringContaining('connectionString, host, port, user') },
      { path: 'discardAll', given: "'yes'", allowed: 'true or false' },
    ])
  })

  it('says which file of a certificate cannot be read', () => {
    const [problem] = problemsOf({ connectionString: `postgres://me:${SECRET}@host/db?sslrootcert=/no/such/file.pem` })
    expect(problem?.given).toContain('/no/such/file.pem')
  })

  it.each([
    ['host', { host: 'b' }],
    ['port', { port: 5433 }],
    ['user', { user: 'you' }],
    ['database', { database: 'other' }],
    ['password', { password: 'other' }],
    ['password', { password: () => 'other' }],
    ['ssl', { ssl: true }],
    ['applicationName', { applicationName: 'x' }],
    ['statementTimeout', { statementTimeout: 5 }],
    ['options', { options: '-c geqo=off' }],
  ])('refuses what connectionString says already: %s', (path, more) => {
    const connectionString = `postgres://me:${SECRET}@a/db?sslmode=verify-full&application_name=y&statement_timeout=9&options=-c%20geqo=on`
    expect(problemsOf({ connectionString, ...more })).toMatchObject([{ path, allowed: 'one of the two' }])
  })

  it('takes beside connectionString what it does not say', () => {
    const { config } = resolvePostgresOptions({
      connectionString: 'postgres://me@a/db',
      password: () => 'token',
      ssl: { rejectUnauthorized: true },
      applicationName: 'x',
      lockTimeout: '2s',
    })
    expect(config).toMatchObject({ ssl: { rejectUnauthorized: true }, application_name: 'x', lock_timeout: '2000' })
  })

  it.each([
    ['/var/run/postgresql orders', { user: 'me', port: 5433 }],
    ['socket:/var/run/postgresql?db=orders', { port: 5433 }],
  ])('takes beside the folder of a Unix socket what that does not say: %s', (connectionString, more) => {
    const { config } = resolvePostgresOptions({ connectionString, ...more })
    expect(new pg.Client(config)).toMatchObject({ host: '/var/run/postgresql', database: 'orders', ...more })
  })

  it.each([
    ['/var/run/postgresql', { database: 'orders' }],
    ['socket:/var/run/postgresql?db=orders', { user: 'me' }],
    ['socket:/var/run/postgresql?db=orders&port=5433', { port: 5432 }],
  ])('refuses what pg would not read beside the folder of a Unix socket: %s', (connectionString, more) => {
    expect(problemsOf({ connectionString, ...more })).toMatchObject([{ path: Object.keys(more)[0], allowed: 'one of the two' }])
  })

  it('finds the password in the connection string, decoded, or in the environment', () => {
    expect(resolvePostgresOptions({ connectionString: 'postgres://me:a%2Fb@host/db' }).foundPassword).toBe('a/b')
    expect(resolvePostgresOptions({ host: 'host' }).foundPassword).toBeUndefined()
    vi.stubEnv('PGPASSWORD', 'from outside')
    expect(resolvePostgresOptions({ host: 'host' }).foundPassword).toBe('from outside')
    expect(resolvePostgresOptions({ connectionString: 'postgres://me@host/db', password: 'own' }).foundPassword).toBe('from outside')
  })

  it('leaves an object for TLS as it is, its key visible to its owner', () => {
    const ssl = { key: 'PEM' }
    resolvePostgresOptions({ ssl })
    expect(Object.keys(ssl)).toEqual(['key'])
  })

  it('keeps no option that was not given', () => {
    expect(resolvePostgresOptions({}).config).toEqual({
      fallback_application_name: 'wellpool',
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
    })
  })
})
