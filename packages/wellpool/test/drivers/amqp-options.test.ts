import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { amqp } from '../../src/drivers/amqp.ts'
import { type AmqpOptions, resolveAmqpOptions } from '../../src/drivers/amqp-options.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'

const SECRET = 'correct-horse'

/** The problems of options that must be refused. */
function problemsOf(options: unknown): readonly ConfigProblem[] {
  try {
    resolveAmqpOptions(options as AmqpOptions)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET)
    return error.problems
  }
  throw new Error('the options were not refused')
}

describe('the options of amqp()', () => {
  it.each([
    [{ host: '' }, 'host', "''"],
    [{ port: 0 }, 'port', '0'],
    [{ vhost: 5 }, 'vhost', '5'],
    [{ user: null }, 'user', 'null'],
    [{ password: [SECRET] }, 'password', 'an array'],
    [{ tls: 'yes' }, 'tls', "'yes'"],
    [{ connectionName: '' }, 'connectionName', "''"],
    [{ heartbeat: 500 }, 'heartbeat', '500'],
    [{ heartbeat: '20h' }, 'heartbeat', "'20h'"],
    [{ maxLeasesPerConnection: 0 }, 'maxLeasesPerConnection', '0'],
    [{ keepAliveDelay: 1 }, 'keepAliveDelay', '1'],
    [{ uri: `amqp://me:${SECRET}@localhost` }, 'uri', 'an unknown option'],
    [{ url: `${SECRET}` }, 'url', 'what is no address'],
    [{ url: '' }, 'url', 'an empty text'],
    [{ url: `http://me:${SECRET}@localhost` }, 'url', 'an address that begins with http:'],
    [{ url: `amqp://me:${SECRET}@localhost/a/b` }, 'url', 'an address whose vhost has a slash, which is written as %2F'],
    [{ url: `amqp://me:${SECRET}@localhost/%zz` }, 'url', 'an address with a % that begins no character'],
    [{ url: `amqp://me:${SECRET}@localhost?frame_max=1` }, 'url', 'an address with the parameter frame_max'],
    [{ url: `amqp://me:${SECRET}@localhost?heartbeat=soon` }, 'url', 'an address whose heartbeat is no number of seconds up to 65535'],
    [{ url: `amqp://me:${SECRET}@localhost?heartbeat=65536` }, 'url', 'an address whose heartbeat is no number of seconds up to 65535'],
    [{ url: `amqp://me:${SECRET}@localhost`, user: 'me' }, 'user', 'a value beside url, which says it too'],
    [{ url: `amqps://me:${SECRET}@localhost`, tls: false }, 'tls', 'a value beside url, which says it too'],
    [null, 'options', 'null'],
  ])('refuses %j', (options, path, given) => {
    expect(problemsOf(options)).toMatchObject([{ path, given }])
  })

  it('names what the address says already together with all else that is wrong', () => {
    const paths = problemsOf({ url: 'amqp://me@a:5672/b', ...{ host: 'b', port: '3307', prot: 1, toString: 1 } }).map(({ path }) => path)
    expect(paths).toEqual(['port', 'prot', 'toString', 'host', 'port'])
  })

  it('names every problem at once', () => {
    expect(problemsOf({ port: -1, heartbeat: 'soon' }).map(({ path }) => path)).toEqual(['port', 'heartbeat'])
  })

  it('has the defaults of AMQP', () => {
    expect(resolveAmqpOptions({})).toMatchObject({
      url: { protocol: 'amqp', hostname: 'localhost', port: 5672, vhost: '%2F', username: 'guest', heartbeat: 10 },
      socket: { noDelay: true, keepAlive: true, keepAliveDelay: 30_000, clientProperties: { connection_name: 'wellpool' } },
      maxLeases: 1,
    })
    expect(resolveAmqpOptions({ tls: { ca: 'PEM' }, heartbeat: 0, vhost: 'a/b' })).toMatchObject({
      url: { protocol: 'amqps', port: 5671, vhost: 'a%2Fb', heartbeat: 0 },
      socket: { ca: 'PEM' },
    })
  })

  it('takes an address, with what it does not say beside it', () => {
    const url = 'amqps://m%40e:p%2Fw@[::1]:5673/a%2Fb?heartbeat=5'
    expect(resolveAmqpOptions({ url, tls: { ca: 'PEM' }, connectionName: 'orders' })).toMatchObject({
      password: 'p/w',
      url: { protocol: 'amqps', hostname: '::1', port: 5673, vhost: 'a%2Fb', username: 'm@e', heartbeat: 5 },
      socket: { ca: 'PEM', clientProperties: { connection_name: 'orders' } },
    })
    for (const bare of ['amqp://', 'amqp://localhost', 'amqp://localhost/']) {
      expect(resolveAmqpOptions({ url: bare })).toEqual(resolveAmqpOptions({}))
    }
    const password = (): string => 'fresh'
    expect(resolveAmqpOptions({ url: 'amqp://me@rabbit', password })).toMatchObject({ password, url: { hostname: 'rabbit', port: 5672 } })
  })

  it('keeps the password of an address secret', () => {
    expect(amqp({ url: 'amqp://me:p%2Fw@rabbit' }).secrets?.()).toEqual(['p%2Fw', 'p/w'])
  })
})
