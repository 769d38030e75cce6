import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
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
    [{ url: `amqp://me:${SECRET}@localhost` }, 'url', 'an unknown option'],
    [null, 'options', 'null'],
  ])('refuses %j', (options, path, given) => {
    expect(problemsOf(options)).toMatchObject([{ path, given }])
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
})
