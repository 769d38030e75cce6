import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type MysqlOptions, resolveMysqlOptions, toConnectionOptions } from '../../src/drivers/mysql-options.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'

const SECRET = 'correct-horse'

/** The problems of options that must be refused. */
function problemsOf(options: unknown): readonly ConfigProblem[] {
  try {
    resolveMysqlOptions(options as MysqlOptions)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    return error.problems
  }
  throw new Error('the options were not refused')
}

describe('the options of mysql()', () => {
  it.each([
    [{ host: '' }, 'host', "''"],
    [{ port: '3306' }, 'port', "'3306'"],
    [{ port: 65_536 }, 'port', '65536'],
    [{ socketPath: 7 }, 'socketPath', '7'],
    [{ user: null }, 'user', 'null'],
    [{ database: [] }, 'database', 'an array'],
    [{ ssl: 'Amazon RDS' }, 'ssl', "'Amazon RDS'"],
    [{ charset: 'klingon' }, 'charset', "'klingon'"],
    [{ keepAliveDelay: 10 }, 'keepAliveDelay', '10'],
    [{ onConnect: 'SET x' }, 'onConnect', "'SET x'"],
    [{ resetAlways: 1 }, 'resetAlways', '1'],
    [{ secondOpinion: 'yes' }, 'secondOpinion', "'yes'"],
    [{ connectionLimit: 10 }, 'connectionLimit', 'an unknown option'],
    [{ password: 12_345 }, 'password', 'a number'],
    [{ password: [SECRET] }, 'password', 'an array'],
    [{ passwort: SECRET }, 'passwort', 'an unknown option'],
    [{ client: true }, 'client', 'true'],
    [{ client: { dateStrings: 'DATE' } }, 'client.dateStrings', "'DATE'"],
    [{ client: { timezone: 'Europe/Berlin' } }, 'client.timezone', "'Europe/Berlin'"],
    [{ client: { maxPreparedStatements: 0 } }, 'client.maxPreparedStatements', '0'],
    [{ client: { authPlugins: SECRET } }, 'client.authPlugins', 'a text'],
    [{ client: { host: 'x' } }, 'client.host', 'an unknown option'],
    [{ uri: '' }, 'uri', 'an empty text'],
    [{ uri: SECRET }, 'uri', 'what is no address'],
    [{ uri: `postgres://me:${SECRET}@host/db` }, 'uri', 'an address that begins with postgres:'],
    [{ uri: `mysql://me:${SECRET}%FF@host/db` }, 'uri', 'an address with a % that begins no character'],
    [{ uri: 'mysql://host/db?connectionLimit=5' }, 'uri?connectionLimit', 'an unknown option'],
    [{ uri: 'mysql://host/db?dateStrings=maybe' }, 'uri?dateStrings', "'maybe'"],
    [{ socketPath: '/run/mysqld.sock', host: 'a' }, 'socketPath', 'a value beside host or port'],
    [{ socketPath: '/run/mysqld.sock', uri: 'mysql://a/db' }, 'socketPath', 'a value beside uri'],
    [42, 'options', '42'],
    [null, 'options', 'null'],
  ])('refuses %j', (options, path, given) => {
    expect(problemsOf(options)[0]).toMatchObject({ path, given })
  })

  it('names what the address says already together with all else that is wrong', () => {
    const paths = problemsOf({
      uri: 'mysql://me@a:3306/db',
      ...{ host: 'b', port: '3307', prot: 1, toString: 1, client: { timezone: 'Mars' } },
    }).map(({ path }) => path)
    expect(paths).toEqual(['port', 'prot', 'toString', 'client.timezone', 'host', 'port'])
  })

  it('names every problem at once, with what is allowed', () => {
    expect(problemsOf({ port: -1, password: {}, prot: 3306, client: { rowsAsArray: 'yes' } })).toEqual([
      { path: 'port', given: '-1', allowed: 'a whole number from 1 to 65535' },
      { path: 'password', given: 'an object', allowed: 'a text or a function' },
      { path: 'prot', given: 'an unknown option', allowed: expect.stringContaining('uri, host, port') },
      { path: 'client.rowsAsArray', given: "'yes'", allowed: 'true or false' },
    ])
  })

  it.each([
    ['host', { host: 'b' }],
    ['port', { port: 3307 }],
    ['user', { user: 'you' }],
    ['database', { database: 'other' }],
    ['password', { password: () => 'other' }],
    ['charset', { charset: 'utf8mb4' }],
    ['client.rowsAsArray', { client: { rowsAsArray: false } }],
  ])('refuses what the address says already: %s', (path, more) => {
    const uri = `mysql://me:${SECRET}@a:3306/db?charset=utf8mb4_bin&rowsAsArray=true`
    expect(problemsOf({ uri, ...more })).toEqual([{ path, given: 'a value beside uri, which says it too', allowed: 'one of the two' }])
  })

  it('reads an address, and takes beside it what it does not say', () => {
    const uri = 'mysql://m%65:a%2Fb@[::1]:3307/d%20b?charset=utf8mb4_bin&timezone=Z&rowsAsArray=true'
    expect(resolveMysqlOptions({ uri, client: { dateStrings: true }, ssl: true })).toEqual({
      host: '::1',
      port: 3307,
      user: 'me',
      password: 'a/b',
      database: 'd b',
      charset: 'utf8mb4_bin',
      ssl: true,
      client: { timezone: 'Z', rowsAsArray: true, dateStrings: true },
    })
    expect(resolveMysqlOptions({ uri: 'mariadb://a', password: 'x' })).toMatchObject({ host: 'a', password: 'x' })
  })

  it('keeps no option that was not given, and leaves the time for a connect to the pool', () => {
    expect(toConnectionOptions(resolveMysqlOptions({}))).toEqual({
      connectTimeout: 0,
      enableKeepAlive: true,
      keepAliveInitialDelay: 30_000,
    })
  })

  it.each([
    [{ ssl: true, host: 'db.internal' }, { verifyIdentity: true }],
    [{ ssl: true }, { verifyIdentity: true }],
    [{ ssl: true, host: '10.0.0.1' }, { verifyIdentity: false }],
    [
      { ssl: { ca: 'PEM', verifyIdentity: false }, host: 'db.internal' },
      { ca: 'PEM', verifyIdentity: false },
    ],
    [{ ssl: false }, undefined],
  ])('has certificates checked for whom they are made out to: %j', (options, ssl) => {
    expect(toConnectionOptions(resolveMysqlOptions(options)).ssl).toEqual(ssl)
  })

  it('leaves an object for TLS as it is', () => {
    const ssl = { key: 'PEM' }
    toConnectionOptions(resolveMysqlOptions({ ssl }))
    expect(ssl).toEqual({ key: 'PEM' })
  })
})
