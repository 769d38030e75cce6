import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Driver, ErrorClass } from '../../src/index.ts'
import { type ConformanceAddress, type ConformanceOptions, driverConformance } from '../../src/testing/index.ts'
import { type LineClient, LineServer, lineDriver } from './line-server.ts'

const server = new LineServer()
const figures: string[] = []
/** What is late is found out sooner. */
const IMPATIENT = { promptMs: 150, lostMs: 150, patienceMs: 1500 }

/** The suite on the line protocol, with the driver changed as given. */
const suite = (change: Sabotage = () => ({}), limits: ConformanceOptions<LineClient>['limits'] = {}) => {
  const createDriver = ({ port }: ConformanceAddress, password?: string): Driver<LineClient> => {
    const driver = lineDriver(port, password)
    return { ...driver, ...change(driver) }
  }
  return driverConformance<LineClient>({
    name: 'line',
    get target() {
      return { port: server.port }
    },
    createDriver: (address) => createDriver(address),
    createRefusedDriver: (address) => createDriver(address, 'open barley'),
    request: (client) => client.send('ping'),
    failingRequest: (client) => client.send('nonsense'),
    longRequest: (client) => client.send('work 1000'),
    kill: async (client) => server.kill(client.id),
    leaveBehind: (client) => client.send('leave a mess'),
    isClean: async (client) => (await client.send('left')) === 'nothing',
    countSessions: async () => server.sessions,
    restart: async () => {
      await server.stop()
      await server.start()
    },
    limits,
    report: (figure, ms) => figures.push(`${figure}: ${ms}`),
  })
}

type Sabotage = (driver: Driver<LineClient>) => Partial<Driver<LineClient>>

/** Never settles. */
const never = (): Promise<never> => new Promise(() => {})
const unaborted = (): AbortSignal => new AbortController().signal

const leaking: Sabotage = (driver) => ({
  connect: (context) =>
    new Promise((resolve, reject) => {
      driver.connect({ ...context, signal: unaborted() }).then(resolve, reject)
      context.signal.addEventListener('abort', () => reject(context.signal.reason))
    }),
})
const sharing: Sabotage = (driver) => {
  let shared: Promise<LineClient> | undefined
  return {
    connect: (context) => {
      shared ??= driver.connect(context)
      return shared
    },
  }
}
const deaf: Sabotage = () => ({
  watch: (client, { lost }) => {
    client.onLost = lost
  },
})
const showing: Sabotage = (driver) => ({ name: `line with ${driver.secrets?.()}` }) as Partial<Driver<LineClient>>

const unheeding: Sabotage = (driver) => ({
  connect: async (context) => {
    const connecting = driver.connect({ ...context, signal: unaborted() })
    if (!context.signal.aborted) return connecting
    connecting.catch(() => {})
    throw context.signal.reason
  },
})
const stubborn: Sabotage = (driver) => ({
  connect: async (context) => {
    try {
      return await driver.connect(context)
    } catch (error) {
      setTimeout(() => driver.connect({ ...context, signal: unaborted() }).then(driver.destroy, () => {}), 20)
      throw error
    }
  },
})
const patient: Sabotage = (driver) => ({
  connect: (context) =>
    driver.connect(context).catch((error: Error) => ((error.cause as Error)?.message === 'closed' ? never() : Promise.reject(error))),
})
const hasty: Sabotage = () => ({
  check: async (client) => {
    client.socket.write('ping\n')
    const [answer] = await once(client.socket, 'data')
    if (String(answer) !== 'pong\n') throw new Error(`no pong: ${answer}`)
  },
})

beforeAll(() => server.start())
afterAll(() => server.stop())

describe('a driver that does everything right', { timeout: 30_000 }, () => {
  for (const { name, run } of suite()) it(name, run)

  it('is measured', () => {
    expect(figures.some((figure) => figure.startsWith('killed until lost: '))).toBe(true)
  })
})

describe('a driver that does not', { timeout: 30_000 }, () => {
  it.each<[string, Sabotage, string]>([
    [
      'ignores the signal of its connect',
      (driver) => ({ connect: (context) => driver.connect({ ...context, signal: unaborted() }) }),
      'rejects at once when its connect to a peer that never answers',
    ],
    ['makes a socket although it is aborted before', unheeding, 'aborted before it begins'],
    ['tries again when it has been aborted', stubborn, 'rejects at once when its connect to a peer that never answers'],
    ['waits for a peer that has ended the connect', patient, 'that the peer ends without a word'],
    ['takes a piece for an answer', hasty, 'arrives in pieces'],
    [
      "takes a stranger's error for its own",
      (driver) => ({
        classify: (error) => (error instanceof Error && !('code' in error) ? 'fatal' : driver.classify?.(error)) as ErrorClass,
      }),
      'what a borrower has thrown',
    ],
    [
      'can classify nothing but errors',
      () => ({ classify: (error) => ((error as Error).message === '' ? 'fatal' : 'transient') }),
      'what a borrower has thrown',
    ],
    [
      'ignores the signal of a second opinion',
      (driver) => ({
        secondOpinion: async (client, other, context) =>
          driver.secondOpinion?.(client, other, { ...context, signal: unaborted() }) ?? 'unknown',
      }),
      'gives up a second opinion',
    ],
    ['keeps the socket of an aborted connect', leaking, 'wherever its connect is aborted'],
    [
      'connects although it is aborted before',
      (driver) => ({ connect: (context) => driver.connect({ ...context, signal: unaborted() }) }),
      'aborted before it begins',
    ],
    ['calls a refusal hopeless', () => ({ classify: () => 'fatal' }), 'connect that is refused'],
    ['calls wrong credentials a passing trouble', () => ({ classify: () => 'transient' }), 'wrong credentials as fatal'],
    ['calls every error its own', () => ({ classify: () => 'fatal' }), "the application's own"],
    ['calls no error fatal', () => ({ classify: () => 'transient' }), 'flow is reset'],
    ['checks without asking the peer', () => ({ check: () => Promise.resolve() }), 'full round trip'],
    ['checks a dead client successfully', () => ({ check: () => Promise.resolve() }), 'after destroy and after close'],
    [
      'ignores the signal of its check',
      (driver) => ({ check: (client) => driver.check(client, { signal: unaborted() }) }),
      'peer being silent in both directions',
    ],
    ['does not destroy', () => ({ destroy: () => {} }), 'socket at once on destroy'],
    ['never ends its goodbye', () => ({ close: never }), 'says goodbye'],
    ['forgets its goodbye', () => ({ close: () => {} }), 'says goodbye'],
    ['watches nothing', () => ({ watch: () => {} }), 'server ends its session'],
    ['hears only what comes after watch', deaf, 'lost before it was watched'],
    ['resets nothing', () => ({ reset: () => undefined }), 'undoes on reset'],
    ['leaves its pool a dirty client', () => ({ reset: () => undefined }), 'every borrower of its pool'],
    ['does not notice a restart', () => ({ watch: () => {} }), 'server restarts'],
    ['makes one client for all', sharing, 'clients at once'],
    ['takes every silence for death', () => ({ secondOpinion: async () => 'gone' }), 'leaves a request alone'],
    ['takes a client without a request for dead', () => ({ secondOpinion: async () => 'gone' }), 'without a request'],
    ['has no opinion', () => ({ secondOpinion: async () => 'unknown' }), 'its flow being silent in both directions'],
    ['sees nothing to ask about', () => ({ mayAskAbout: () => false }), 'its flow being silent in one direction'],
    ['believes in a session that was ended', () => ({ secondOpinion: async () => 'working' }), 'session of a request was ended'],
    ['does not name its secrets', () => ({ secrets: () => [] }), 'lets no secret be seen'],
    ['shows its password', showing, 'lets no secret be seen'],
    ['is silent about the end of its connections', () => ({ watch: () => {} }), 'pool replace a connection that the server has ended'],
    ['checks nothing while its pool relies on it', () => ({ check: () => Promise.resolve() }), 'connection that has fallen silent'],
  ])('%s is found out', async (_, change, fragment) => {
    const [found, ...others] = suite(change, IMPATIENT).filter(({ name }) => name.includes(fragment))
    expect(others).toEqual([])
    await expect(found?.run()).rejects.toThrow()
  })

  it('leaves nothing behind that holds the process, and is told what was wrong first', async () => {
    const ports: number[] = []
    const cases = driverConformance<LineClient>({
      name: 'line',
      target: { port: server.port },
      createDriver: ({ port }) => {
        ports.push(port)
        const destroy = (): void => assert.fail('destroy has failed')
        return { ...lineDriver(port), destroy, check: () => Promise.reject(new Error('check has failed')) }
      },
      request: (client) => client.send('ping'),
    })
    await expect(cases.find(({ name }) => name.includes('full round trip'))?.run()).rejects.toThrow('check has failed')
    const late = connect({ host: '127.0.0.1', port: ports.at(-1) as number })
    await expect(once(late, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it.each([
    [{ limits: { promptMs: Number.NaN } }, 'limits.promptMs'],
    [{ limits: { patienceMs: -1 } }, 'limits.patienceMs'],
    [{ limits: { patience: 5 } }, 'limits.patience'],
    [{ request: undefined }, 'request'],
    [{ createDriver: 5 }, 'createDriver'],
    [{ isClean: async () => true }, 'leaveBehind'],
    [{ leaveBehind: () => {} }, 'isClean'],
  ])('has wrong options refused: %j', (wrong, path) => {
    const options = { name: 'line', target: { port: 1 }, createDriver: () => lineDriver(1), request: () => {}, ...wrong }
    expect(() => driverConformance(options as ConformanceOptions<LineClient>)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG', problems: [expect.objectContaining({ path })] }),
    )
  })

  it('is not asked for what its options leave out', () => {
    const full = suite().map(({ name }) => name)
    const bare = driverConformance<LineClient>({
      name: 'line',
      target: { port: 1 },
      createDriver: ({ port }) => lineDriver(port),
      request: () => {},
    })
    expect(full).toEqual(expect.arrayContaining(bare.map(({ name }) => name)))
    expect(full.length - bare.length).toBe(11)
    expect(new Set(full).size).toBe(full.length)
  })
})
