import { inspect } from 'node:util'
import { createClient } from 'redis'
import { describe, expect, it } from 'vitest'
import { redis } from '../../src/drivers/redis.ts'
import { type RedisOptions, resolveRedisOptions } from '../../src/drivers/redis-options.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'

const SECRET = 'correct-horse'

/** The problems of options that must be refused. */
function problemsOf(options: unknown): readonly ConfigProblem[] {
  try {
    redis(options as RedisOptions)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    return error.problems
  }
  throw new Error('the options were not refused')
}

describe('the options of redis()', () => {
  it.each([
    [{ host: '' }, 'host', "''"],
    [{ port: '6379' }, 'port', "'6379'"],
    [{ path: 7 }, 'path', '7'],
    [{ username: null }, 'username', 'null'],
    [{ database: -1 }, 'database', '-1'],
    [{ database: '0' }, 'database', "'0'"],
    [{ name: 'two words' }, 'name', "'two words'"],
    [{ tls: 'yes' }, 'tls', "'yes'"],
    [{ keepAliveDelay: 10 }, 'keepAliveDelay', '10'],
    [{ onConnect: 'PING' }, 'onConnect', "'PING'"],
    [{ createClient: {} }, 'createClient', 'an object'],
    [{ maxLeasesPerConnection: 0 }, 'maxLeasesPerConnection', '0'],
    [{ secondOpinion: 1 }, 'secondOpinion', '1'],
    [{ socket: {} }, 'socket', 'an unknown option'],
    [{ password: 12_345 }, 'password', 'a number'],
    [{ passwort: SECRET }, 'passwort', 'an unknown option'],
    [{ url: '' }, 'url', 'an empty text'],
    [{ url: SECRET }, 'url', 'what is no address'],
    [{ url: `http://me:${SECRET}@host` }, 'url', 'an address that begins with http:'],
    [{ url: `redis://me:${SECRET}%FF@host` }, 'url', 'an address with a % that begins no character'],
    [{ url: `redis://me:${SECRET}@host/zero` }, 'url', 'an address whose database is no number'],
    [{ url: 'redis://host/0?timeout=5' }, 'url', 'an address with the parameter timeout'],
    [{ path: '/run/redis.sock', host: 'a' }, 'path', 'a value beside host or port'],
    [{ path: '/run/redis.sock', tls: true }, 'tls', 'a value beside path'],
    [{ url: 'unix:///run/redis.sock', port: 6379 }, 'path', 'a value beside host or port'],
    [{ username: 'reader' }, 'password', 'none beside username'],
    [{ username: 'reader', password: '' }, 'password', 'none beside username'],
    [{ url: 'redis://reader@host' }, 'password', 'none beside username'],
    [42, 'options', '42'],
  ])('refuses %j', (options, path, given) => {
    expect(problemsOf(options)[0]).toMatchObject({ path, given })
  })

  it('names what the address says already together with all else that is wrong', () => {
    const paths = problemsOf({ url: 'redis://me:x@a:6379/1', ...{ host: 'b', port: '3307', prot: 1, toString: 1 } }).map(({ path }) => path)
    expect(paths).toEqual(['port', 'prot', 'toString', 'host', 'port'])
  })

  it('names every problem at once, with what is allowed', () => {
    expect(problemsOf({ port: -1, password: {}, prot: 6379, database: 1.5 })).toEqual([
      { path: 'port', given: '-1', allowed: 'a whole number from 1 to 65535' },
      { path: 'password', given: 'an object', allowed: 'a text or a function' },
      { path: 'prot', given: 'an unknown option', allowed: expect.stringContaining('url, host, port') },
      { path: 'database', given: '1.5', allowed: 'a whole number from 0' },
    ])
  })

  it.each([
    ['host', { host: 'b' }],
    ['port', { port: 6380 }],
    ['username', { username: 'you' }],
    ['password', { password: () => 'other' }],
    ['database', { database: 2 }],
    ['tls', { tls: true }],
  ])('refuses what the address says already: %s', (path, more) => {
    const url = `rediss://me:${SECRET}@a:6379/1`
    expect(problemsOf({ url, ...more })).toEqual([{ path, given: 'a value beside url, which says it too', allowed: 'one of the two' }])
  })

  it('reads an address, and takes beside it what it does not say', () => {
    expect(resolveRedisOptions({ url: 'redis://m%65:a%2Fb@[::1]:6380/3', name: 'x' })).toEqual({
      host: '::1',
      port: 6380,
      username: 'me',
      password: 'a/b',
      database: 3,
      name: 'x',
    })
    expect(resolveRedisOptions({ url: 'unix:///run/my%20redis.sock?db=2' })).toEqual({ path: '/run/my redis.sock', database: 2 })
    expect(resolveRedisOptions({ url: 'redis://' })).toEqual({})
    expect(resolveRedisOptions({ url: 'redis://default@host' })).toEqual({ host: 'host', username: 'default' })
    expect(resolveRedisOptions({ url: 'rediss://host', tls: { ca: 'PEM' } })).toEqual({ host: 'host', tls: { ca: 'PEM' } })
  })

  it.each([
    ['connects by itself again', (options: object) => createClient({ ...options, socket: { reconnectStrategy: 100 } })],
    ['queues what it can’t send', (options: object) => createClient({ ...options, disableOfflineQueue: false })],
    ['ignores what it is given', () => createClient()],
    ['is none', () => undefined],
  ])('refuses a client that %s', (_, create) => {
    expect(problemsOf({ createClient: create })).toMatchObject([{ path: 'createClient', given: 'a function that makes another client' }])
  })
})
