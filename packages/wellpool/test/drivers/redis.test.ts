import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer } from 'node:tls'
import { inspect } from 'node:util'
import { createClient, RESP_TYPES } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type RedisClient, type RedisOptions, redis } from '../../src/drivers/redis.ts'
import type { Driver } from '../../src/engine/driver.ts'
import { createPool } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeRedis } from '../support/redis.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })
const NAME = `test-${process.pid}`

/** Waits for what has no event, such as the end of a session. The test's time-out is the limit. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(5)
}

/** What it rejects with. */
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

await describeRedis('redis()', (url) => {
  const { hostname: host, port, password: encoded } = new URL(url)
  const password = decodeURIComponent(encoded)
  const address = { host, port: Number(port), name: NAME } as const

  const admin = createClient({ url })
  let proxy: FaultProxy
  let opened: [Driver<RedisClient>, RedisClient][]

  /** A client of a driver with these options, beside the address. */
  const open = async (options: RedisOptions = {}, driver = redis({ ...address, password, ...options })) => {
    const client = await driver.connect(context())
    opened.push([driver, client])
    return { driver, client }
  }
  /** The driver for the server behind the proxy. */
  const proxied = (options: RedisOptions = {}) => redis({ ...address, host: proxy.host, port: proxy.port, password, ...options })
  /** What the server says of the client's session. */
  const infoOf = async (client: RedisClient): Promise<Record<string, string>> => {
    const info = String(await client.sendCommand(['CLIENT', 'INFO']))
    return Object.fromEntries(info.split(' ').map((field) => field.split('=', 2)))
  }
  const sessions = async (): Promise<number> => {
    const list = String(await admin.sendCommand(['CLIENT', 'LIST']))
    return list.split('\n').filter((line) => line.includes(` name=${NAME} `)).length
  }
  const kill = async (client: RedisClient) =>
    admin.sendCommand(['CLIENT', 'KILL', 'ID', String(await client.sendCommand(['CLIENT', 'ID']))])
  const watch = (driver: Driver<RedisClient>, client: RedisClient) => {
    const lost = vi.fn<(error?: unknown) => void>()
    driver.watch?.(client, { lost, retire: () => {} })
    return lost
  }

  beforeAll(async () => {
    await admin.connect()
  })

  afterAll(() => admin.destroy())

  beforeEach(async () => {
    opened = []
    proxy = await FaultProxy.start({ host, port: Number(port) })
  })

  afterEach(async () => {
    for (const [driver, client] of opened) driver.destroy(client)
    await proxy.close()
  })

  describe('options', () => {
    it('take an address', async () => {
      const { client } = await open({}, redis({ url: `${url}/3` }))
      expect(await infoOf(client)).toMatchObject({ name: 'wellpool', db: '3' })
    })

    it('set the session up', async () => {
      const { client } = await open({ username: 'default', database: 2 })
      expect(await infoOf(client)).toMatchObject({ name: NAME, db: '2', user: 'default' })
    })

    it('keep TCP alive', async () => {
      const { client } = await open({ keepAliveDelay: '12s' })
      expect(client.options.socket).toMatchObject({ keepAlive: true, keepAliveInitialDelay: 12_000 })
    })

    it('ask a server that has several certificates for that of the host, or of the name that is given', async () => {
      const asked: unknown[] = []
      const server = createServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, (socket) => {
        asked.push(socket.servername || 'nobody')
        socket.destroy()
      })
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port: ownPort } = server.address() as AddressInfo
      for (const [ownHost, given] of [
        ['localhost', {}],
        ['127.0.0.1', {}],
        ['127.0.0.1', { servername: 'localhost' }],
      ] as const) {
        const driver = redis({ host: ownHost, port: ownPort, tls: { ca: TEST_CERTIFICATE, ...given } })
        await expect(driver.connect(context())).rejects.toThrow()
      }
      expect(asked).toEqual(['localhost', 'nobody', 'localhost'])
      server.close()
    })

    it('make clients of the application’s own kind, and their type', async () => {
      const driver = redis({
        ...address,
        password,
        createClient: (options) =>
          createClient({ ...options, RESP: 2, commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } }),
      })
      const client = await driver.connect(context())
      await client.set('kind', 'own')
      const value: Buffer | null = await client.get('kind')
      expect(value).toEqual(Buffer.from('own'))
      expect(String(await client.sendCommand(['CLIENT', 'INFO']))).toContain('resp=2')
      await client.withTypeMapping({}).select(1)
      await driver.reset?.(client)
      expect(String(await client.sendCommand(['CLIENT', 'INFO']))).toContain('db=0')
      driver.destroy(client)
    })

    it('let borrowers share a client', async () => {
      const pool = createPool(proxied({ maxLeasesPerConnection: 50 }), { maxConnections: 1, minConnections: 1 })
      await pool.start()
      const leases = await Promise.all(Array.from({ length: 50 }, () => pool.acquire()))
      expect(new Set(leases.map(({ client }) => client)).size).toBe(1)
      for (const lease of leases) lease.release()
      await pool.close()
    })
  })

  describe('password', () => {
    it('is asked for at each connect when it is a function', async () => {
      const given = vi.fn(async () => password)
      const driver = redis({ ...address, password: given })
      await open({}, driver)
      await open({}, driver)
      expect(given).toHaveBeenCalledTimes(2)
    })

    it('fails the connect when the function returns none for a user, who would not be logged in', async () => {
      const driver = redis({ ...address, username: 'reader', password: () => '' })
      const error = await failureOf(driver.connect(context()))
      expect(error).toMatchObject({ code: 'INVALID_CONFIG', problems: [{ path: 'password', given: 'none beside username' }] })
      expect(driver.classify?.(error)).toBe('fatal')
    })

    it('fails the connect when the function fails, before there is a socket, and may be tried again soon', async () => {
      const failure = new Error('the vault is sealed')
      const failing = proxied({ password: () => Promise.reject(failure) })
      await expect(failing.connect(context())).rejects.toBe(failure)
      expect(failing.classify?.(failure)).toBe('transient')
      expect(proxy.flows()).toEqual([])
    })

    it('does not hold a connect that is aborted, and is told of it', async () => {
      const controller = new AbortController()
      let seen: AbortSignal | undefined
      const driver = redis({
        ...address,
        password: ({ signal }) => {
          seen = signal
          return new Promise(() => {})
        },
      })
      const connecting = driver.connect(context(controller.signal))
      const reason = new Error('given up')
      controller.abort(reason)
      await expect(connecting).rejects.toBe(reason)
      expect(seen?.aborted).toBe(true)
    })

    it('shows in no error, and every one that was used is known to be masked', async () => {
      const wrong = ['first/try', 'second']
      const driver = redis({ ...address, password: () => wrong[0] as string })
      const errors = [await failureOf(driver.connect(context()))]
      wrong.shift()
      errors.push(await failureOf(driver.connect(context())))
      expect(errors.map((error) => driver.classify?.(error))).toEqual(['fatal', 'fatal'])
      expect(inspect(errors, { depth: 9 })).not.toMatch(/first\/try|second/)
      expect(driver.secrets?.()).toEqual(['first%2Ftry', 'first/try', 'second'])
    })

    it('is known to be masked wherever it was found, as is the key of TLS', () => {
      expect(redis({ url: 'redis://me:a%40b@host' }).secrets?.()).toEqual(['a%40b', 'a@b'])
      const key = [{ pem: 'PEM1', passphrase: 'inner' }, Buffer.from('PEM2')] as never
      expect(redis({ password: 'x', tls: { key, passphrase: 'outermost' } }).secrets?.()).toEqual([
        'outermost',
        'inner',
        'PEM1',
        'PEM2',
        'x',
      ])
    })
  })

  describe('a connect', () => {
    it('that is aborted at any moment, also in onConnect, leaves no socket and no session', async () => {
      const slow = proxied({ onConnect: (client) => client.blPop('nothing', 0.2) })
      const quick = proxied()
      proxy.inject({ kind: 'latency', ms: 2, jitter: 3 })
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const controller = new AbortController()
          const driver = index % 4 === 0 ? slow : quick
          const connecting = driver.connect(context(controller.signal))
          await delay(index)
          const reason = new Error(`abort ${index}`)
          controller.abort(reason)
          // Who was quicker than the abort is closed by hand: a client that is resolved is the caller's.
          return connecting.then(
            (client) => driver.destroy(client),
            (error: unknown) => (error === reason ? 'aborted' : error),
          )
        }),
      )
      expect(outcomes.filter((outcome) => outcome !== 'aborted' && outcome !== undefined)).toEqual([])
      expect(outcomes.filter((outcome) => outcome === 'aborted').length).toBeGreaterThan(10)
      await proxy.until((flows) => flows.length === 0)
      await until(async () => (await sessions()) === 0)
    })

    it.each([
      ['a wrong password', { password: 'wrong' }, /^WRONGPASS/],
      ['no password where one is wanted', { password: undefined }, /^NOAUTH/],
      ['a user that does not exist', { username: 'nobody_here' }, /^WRONGPASS/],
      ['a database that does not exist', { database: 4711 }, /^ERR DB index/],
    ] as const)('with %s is hopeless, and leaves no socket', async (_, options, message) => {
      const driver = proxied(options)
      const error = await failureOf(driver.connect(context()))
      expect(error).toMatchObject({ message: expect.stringMatching(message) })
      expect(driver.classify?.(error)).toBe('fatal')
      await proxy.until((flows) => flows.length === 0)
    })

    it('that is refused or reset is worth another try', async () => {
      const driver = proxied()
      await proxy.refuse()
      const refused = await failureOf(driver.connect(context()))
      expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
      await proxy.heal()
      proxy.inject({ kind: 'reset' })
      const reset = await failureOf(driver.connect(context()))
      expect([refused, reset].map((error) => driver.classify?.(error))).toEqual(['transient', 'transient'])
    })
  })

  describe('onConnect', () => {
    it('sets the session up before anybody gets it, and runs again when a reset has undone what it did', async () => {
      const { driver, client } = await open({ onConnect: (session) => session.sendCommand(['CLIENT', 'TRACKING', 'ON']) })
      expect((await infoOf(client)).flags).toContain('t')
      expect(driver.reset?.(client)).toBeUndefined()
      await client.select(1)
      await driver.reset?.(client)
      expect((await infoOf(client)).flags).toContain('t')
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('runs again when a borrower has reset the client by hand', async () => {
      const { driver, client } = await open({ onConnect: (session) => session.sendCommand(['CLIENT', 'TRACKING', 'ON']) })
      await client.reset()
      expect((await infoOf(client)).flags).not.toContain('t')
      await driver.reset?.(client)
      expect((await infoOf(client)).flags).toContain('t')
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('fails the connect when it rejects or throws, and nothing is left', async () => {
      const failure = new Error('not this one')
      for (const onConnect of [
        () => Promise.reject(failure),
        () => {
          throw failure
        },
      ]) {
        await expect(proxied({ onConnect }).connect(context())).rejects.toBe(failure)
      }
      await proxy.until((flows) => flows.length === 0)
    })
  })

  describe('a client', () => {
    it('never connects again by itself, and keeps nothing to be sent later', async () => {
      const { driver, client } = await open({}, proxied())
      const failing = Promise.all([1, 2, 3].map(() => failureOf(client.get('key'))))
      proxy.inject({ kind: 'reset' }, 'present')
      expect((await failing).map((error) => driver.classify?.(error))).toEqual(['fatal', 'fatal', 'fatal'])
      await proxy.heal()
      await delay(50)
      expect(client.isOpen).toBe(false)
      expect(proxy.flows()).toEqual([])
      expect(driver.classify?.(await failureOf(client.get('key')))).toBe('fatal')
    })

    it('can be duplicated, and its copy outlives it', async () => {
      const { driver, client } = await open()
      const copy = client.duplicate()
      driver.destroy(client)
      await copy.connect()
      expect(await copy.ping()).toBe('PONG')
      copy.destroy()
    })
  })

  describe('check', () => {
    it.each([2, 3] as const)('works while the client is subscribed (RESP%i)', async (RESP) => {
      const driver = redis({ ...address, password, createClient: (options) => createClient({ ...options, RESP }) })
      const client = await driver.connect(context())
      const heard: string[] = []
      await client.subscribe('news', (message) => heard.push(message))
      await driver.check(client, { signal: never })
      await admin.publish('news', 'extra')
      await until(() => heard.length > 0)
      await driver.check(client, { signal: never })
      expect(heard).toEqual(['extra'])
      driver.destroy(client)
    })

    it('sends one ping, however often it is given up', async () => {
      const { driver, client } = await open({}, proxied())
      const sent = proxy.flows()[0]?.toServer.received ?? 0
      proxy.inject({ kind: 'silence' })
      for (let i = 0; i < 5; i++) {
        const reason = new Error(`check ${i} given up`)
        const controller = new AbortController()
        const check = driver.check(client, { signal: controller.signal })
        controller.abort(reason)
        await expect(check).rejects.toBe(reason)
      }
      await proxy.heal()
      await driver.check(client, { signal: never })
      expect(proxy.flows()[0]?.toServer.received).toBe(sent + '*1\r\n$4\r\nPING\r\n'.length)
    })
  })

  describe('reset', () => {
    it.each([
      ['nothing', async () => {}],
      ['commands', async (client: RedisClient) => client.get('key')],
      ['a failed command', async (client: RedisClient) => failureOf(client.sendCommand(['NO_SUCH_COMMAND']))],
      ['a transaction', async (client: RedisClient) => client.multi().set('key', '1').get('key').exec()],
      [
        'a transaction over keys that were watched',
        async (client: RedisClient) => client.watch('key').then(() => client.multi().get('key').exec()),
      ],
      ['a pipeline', async (client: RedisClient) => client.multi().get('key').execAsPipeline()],
      ['keys that are watched no more', async (client: RedisClient) => client.watch('key').then(() => client.unwatch())],
      ['a subscription that has ended', async (client: RedisClient) => client.subscribe('news', () => {}).then(() => client.unsubscribe())],
      ['commands that block, and are done', async (client: RedisClient) => client.blPop('nothing', 0.01)],
      ['blocking commands in a transaction', async (client: RedisClient) => client.multi().blPop('nothing', 1).wait(1, 0).exec()],
      ['blocking commands in a pipeline', async (client: RedisClient) => client.multi().blPop('nothing', 0.01).execAsPipeline()],
      ['a database that was left again', async (client: RedisClient) => client.select(1).then(() => client.select(0))],
    ])('has nothing to do after %s, and says so at once', async (_, use) => {
      const { driver, client } = await open()
      await use(client)
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it.each<[what: string, leave: (client: RedisClient) => Promise<unknown>]>([
      ['another database', (client) => client.select(3)],
      ['another database, chosen in a transaction', (client) => client.multi().select(3).exec()],
      ['another database, chosen by hand in a pipeline', (client) => client.multi().addCommand(['SELECT', '3']).execAsPipeline()],
      [
        'another database, which a transaction that failed was to leave',
        async (client) => {
          await client.select(3)
          await failureOf(client.multi().select(1).addCommand(['NO_SUCH_COMMAND']).exec())
        },
      ],
      ['a transaction that was begun by hand', (client) => client.sendCommand(['MULTI'])],
      ['keys that are watched', (client) => client.watch('key')],
      ['a subscription', (client) => client.subscribe('news', () => {})],
      ['a subscription to a pattern', (client) => client.pSubscribe('n*', () => {})],
      ['a subscription to a channel of a shard', (client) => client.sSubscribe('news', () => {})],
      ['MONITOR', (client) => client.monitor(() => {})],
      ['another name', (client) => client.clientSetName('left')],
      ['tracking', (client) => client.sendCommand(['CLIENT', 'TRACKING', 'ON'])],
      ['no eviction', (client) => client.sendCommand(['CLIENT', 'NO-EVICT', 'ON'])],
      ['another version of the protocol', (client) => client.sendCommand(['HELLO', '2'])],
      ['RESET by hand', (client) => client.sendCommand(['RESET'])],
    ])('undoes %s', async (_, leave) => {
      const { driver, client } = await open({ database: 1 })
      const clean = await infoOf(client)
      await leave(client)
      await driver.reset?.(client)
      const { name, db, flags, sub, psub, ssub, multi, user, resp } = clean
      expect(await infoOf(client)).toMatchObject({ name, db, flags, sub, psub, ssub, multi, user, resp })
      expect(driver.reset?.(client)).toBeUndefined()
      await client.set('key', 'value')
      expect(await client.get('key')).toBe('value')
      await driver.check(client, { signal: never })
      // It is the same for the client.
      expect(await client.multi().set('key', 'again').exec()).toEqual(['OK'])
    })

    it('undoes a transaction over watched keys that somebody else has spoilt', async () => {
      const { driver, client } = await open()
      await client.set('key', '1')
      await client.watch('key')
      await admin.set('key', '2')
      const error = await failureOf(client.multi().set('key', '3').exec())
      expect(driver.classify?.(error)).toBe('application')
      await driver.reset?.(client)
      expect(await client.multi().set('key', '3').exec()).toEqual(['OK'])
    })

    it('waits for commands that nobody waited for, and loses no reply', async () => {
      const { driver, client } = await open()
      await client.select(2)
      const left = client.multi().set('left', '1').get('left').exec()
      await driver.reset?.(client)
      expect(await left).toEqual(['OK', '1'])
      expect(await infoOf(client)).toMatchObject({ db: '0' })
    })

    it('throws when a command still blocks: the next borrower would wait behind it', async () => {
      const { driver, client } = await open()
      const waiting = failureOf(client.blPop('nothing', 0))
      expect(() => driver.reset?.(client)).toThrow('waits in the server for something to come')
      driver.destroy(client)
      expect(driver.classify?.(await waiting)).toBe('fatal')
    })

    it('throws when a pipeline has failed in which a command still blocks', async () => {
      const { driver, client } = await open()
      await client.del('hash')
      await client.hSet('hash', 'field', '1')
      await failureOf(client.multi().incr('hash').blPop('nothing', 0).execAsPipeline())
      expect(() => driver.reset?.(client)).toThrow('waits in the server for something to come')
    })

    it('throws when replies were turned off', async () => {
      const { driver, client } = await open()
      void failureOf(client.sendCommand(['CLIENT', 'REPLY', 'OFF']))
      expect(() => driver.reset?.(client)).toThrow('has turned replies off')
    })

    it('rejects when the borrower goes on behind it', async () => {
      const { driver, client } = await open()
      await client.select(1)
      const resetting = driver.reset?.(client)
      await Promise.resolve()
      void client.watch('key')
      await expect(resetting).rejects.toThrow('goes on using the session')
    })
  })

  describe('watch', () => {
    it('reports that a session was killed, idle or at work', async () => {
      const idle = await open()
      const working = await open()
      const reports = [watch(idle.driver, idle.client), watch(working.driver, working.client)]
      await kill(idle.client)
      const id = String(await working.client.sendCommand(['CLIENT', 'ID']))
      const waiting = failureOf(working.client.blPop('nothing', 0))
      await admin.sendCommand(['CLIENT', 'KILL', 'ID', id])
      expect(working.driver.classify?.(await waiting)).toBe('fatal')
      await until(() => reports.every((lost) => lost.mock.calls.length > 0))
      for (const lost of reports)
        expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'Socket closed unexpectedly' }))
    })

    it('reports a reset', async () => {
      const { driver, client } = await open({}, proxied())
      const lost = watch(driver, client)
      proxy.inject({ kind: 'reset' }, 'present')
      await until(() => lost.mock.calls.length > 0)
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ECONNRESET' }))
    })

    it('reports what happened before it was called', async () => {
      const { driver, client } = await open()
      await kill(client)
      await until(() => !client.isOpen)
      expect(watch(driver, client)).toHaveBeenCalledOnce()
    })

    it('does not report what the pool itself has ended', async () => {
      const closed = await open()
      const destroyed = await open()
      const reports = [watch(closed.driver, closed.client), watch(destroyed.driver, destroyed.client)]
      await closed.driver.close(closed.client)
      destroyed.driver.destroy(destroyed.client)
      await until(async () => (await sessions()) === 0)
      for (const lost of reports) expect(lost).not.toHaveBeenCalled()
    })
  })

  describe('close and destroy', () => {
    it('say goodbye, in any order and as often as one likes', async () => {
      const { driver, client } = await open({}, proxied())
      await Promise.all([driver.close(client), driver.close(client)])
      await driver.close(client)
      driver.destroy(client)
      driver.destroy(client)
      await driver.close(client)
      await proxy.until((flows) => flows.length === 0)
      await until(async () => (await sessions()) === 0)
    })

    it('wait for what is in flight, and may be cut short', async () => {
      const { driver, client } = await open({}, proxied())
      const value = client.set('last', 'word')
      await driver.close(client)
      expect(await value).toBe('OK')

      const stuck = await open({}, proxied())
      proxy.inject({ kind: 'silence' })
      const answer = failureOf(stuck.client.get('key'))
      const closing = stuck.driver.close(stuck.client)
      stuck.driver.destroy(stuck.client)
      await closing
      expect(stuck.driver.classify?.(await answer)).toBe('fatal')
      await proxy.until((flows) => flows.every(({ clientOpen }) => !clientOpen))
    })
  })

  it('refuses a client that it has not made', () => {
    expect(() => redis(address).reset?.(admin as unknown as RedisClient)).toThrow('this client was not made by this driver')
  })

  it('leaves unhandled what nobody handles: a command that fails is told of as without a pool', async () => {
    const { client } = await open()
    const listeners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    const unhandled = new Promise((resolve) => {
      process.once('unhandledRejection', (reason) => {
        for (const listener of listeners) process.on('unhandledRejection', listener)
        resolve(reason)
      })
    })
    void client.sendCommand(['NO_SUCH_COMMAND'])
    expect(await unhandled).toMatchObject({ message: expect.stringContaining('unknown command') })
  })

  it('holds the process, or lets it end', async () => {
    const { driver, client } = await open()
    const refs = [vi.spyOn(client, 'ref'), vi.spyOn(client, 'unref')] as const
    driver.unref?.(client)
    driver.ref?.(client)
    expect(refs.map((ref) => ref.mock.calls.length)).toEqual([1, 1])
    driver.unref?.(client)
    // The last reply has to get in even though nobody else holds the process.
    const closing = driver.close(client)
    expect(refs[0]).toHaveBeenCalledTimes(2)
    await closing
  })
})
