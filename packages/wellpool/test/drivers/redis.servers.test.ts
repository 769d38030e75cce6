import { setTimeout as delay } from 'node:timers/promises'
import { REDIS_PROGRAM, type RedisServer, type RedisServerOptions, startRedis } from '@wellpool/servers'
import { createClient } from 'redis'
import { expect, it, vi } from 'vitest'
import { type RedisClient, redis } from '../../src/drivers/redis.ts'
import { createPool } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** One command, over a connection of its own. */
async function ask(server: RedisServer, ...command: string[]): Promise<unknown> {
  const client = createClient({ url: server.url, socket: { reconnectStrategy: false } }).on('error', () => {})
  await client.connect()
  try {
    return await client.sendCommand(command)
  } finally {
    client.destroy()
  }
}

/** A server for programs that can be told apart. */
const start = (settings: RedisServerOptions['settings'] = {}) => startRedis({ settings })

await describeWith([REDIS_PROGRAM], 'redis() with a server of its own', () => {
  it('uses TLS, checks the certificate, and leaves no socket when it is aborted on the way', async () => {
    await using server = await startRedis({ tls: { certificate: TEST_CERTIFICATE, key: TEST_KEY } })
    await using proxy = await FaultProxy.start({ port: server.port })
    const address = { host: 'localhost', port: proxy.port, password: server.password }

    const trusting = redis({ ...address, tls: { ca: TEST_CERTIFICATE } })
    const client = await trusting.connect(context())
    await client.set('key', 'over TLS')
    expect(await client.get('key')).toBe('over TLS')
    const copy = client.duplicate()
    await copy.connect()
    expect(await copy.get('key')).toBe('over TLS')
    copy.destroy()
    await proxy.until((flows) => flows.length === 1)
    const lost = vi.fn()
    trusting.watch?.(client, { lost, retire: () => {} })
    await trusting.check(client, { signal: never })
    proxy.inject({ kind: 'reset' }, 'present')
    await vi.waitUntil(() => lost.mock.calls.length > 0)
    trusting.destroy(client)
    await proxy.heal()

    const [silent, other] = [await trusting.connect(context()), await trusting.connect(context())]
    const [flow] = proxy.flows()
    proxy.inject({ kind: 'silence' }, { id: flow?.id as number })
    const request = failureOf(silent.get('key'))
    await delay(300)
    expect(trusting.mayAskAbout?.(silent)).toBe(true)
    await vi.waitUntil(async () => (await trusting.secondOpinion?.(silent, other, { signal: never, limit: 100 })) === 'gone', {
      timeout: 10_000,
    })
    trusting.destroy(silent)
    expect(trusting.classify?.(await request)).toBe('fatal')
    await trusting.close(other)
    await proxy.until((flows) => flows.every(({ clientOpen }) => !clientOpen))
    await proxy.heal()

    for (const options of [
      { ...address, tls: true },
      { ...address, host: '127.0.0.1', tls: { ca: TEST_CERTIFICATE, servername: 'db.internal' } },
    ]) {
      const suspicious = redis(options)
      const error = await failureOf(suspicious.connect(context()))
      expect(error).toMatchObject({ code: expect.stringMatching(/^(DEPTH_ZERO_SELF_SIGNED_CERT|ERR_TLS_CERT_ALTNAME_INVALID)$/) })
      expect(suspicious.classify?.(error)).toBe('fatal')
    }

    proxy.inject({ kind: 'latency', ms: 2, jitter: 2 })
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const controller = new AbortController()
        const connecting = trusting.connect(context(controller.signal)).then(
          (late) => trusting.destroy(late),
          () => 'aborted',
        )
        await delay(index * 2)
        controller.abort()
        return connecting
      }),
    )
    expect(outcomes).toContain('aborted')
    await proxy.until((flows) => flows.length === 0)
  })

  it('leaves a server that has become a replica, for the one that has taken its place', async () => {
    await using old = await start()
    await using next = await startRedis({ replicaOf: old })
    await using proxy = await FaultProxy.start(old)
    const driver = redis({ host: proxy.host, port: proxy.port, password: old.password })
    const pool = createPool(driver, { maxConnections: 2, minConnections: 2 })
    await pool.start()
    await ask(next, 'REPLICAOF', 'NO', 'ONE')
    await ask(old, 'REPLICAOF', next.host, String(next.port))
    proxy.target = next

    const failures: unknown[] = []
    for (let written = 0; written < 3; ) {
      const failure = await failureOf(pool.use((client) => client.incr('written')))
      if (failure === undefined) written++
      else failures.push(failure)
    }
    // Each connection to the old server fails one time.
    expect(failures.length).toBeLessThanOrEqual(2)
    for (const failure of failures) expect(failure).toMatchObject({ message: expect.stringMatching(/^READONLY/) })
    expect(await ask(next, 'GET', 'written')).toBe('3')
    await pool.close()
  })

  it('has the pool wait for a server that reads its data', async () => {
    await using server = await start({ 'key-load-delay': 500, 'loading-process-events-interval-bytes': 1024 })
    const client = createClient({ url: server.url }).on('error', () => {})
    await client.connect()
    await Promise.all(Array.from({ length: 1500 }, (_, index) => client.set(`key-${index}`, 'value')))
    await client.sendCommand(['SAVE'])
    client.destroy()
    await server.stop()

    const driver = redis({ port: server.port, host: server.host, password: server.password })
    const pool = createPool(driver, { maxConnections: 1, backoff: { base: 20, max: 100 } })
    const failed: string[] = []
    pool.on('connectFailed', ({ error }) => failed.push(String((error.cause as Error).message)))
    const starting = server.start()
    const value = await pool.use((session) => session.get('key-7'))
    await starting
    expect(value).toBe('value')
    expect(failed).toContainEqual(expect.stringMatching(/^LOADING/))
    await pool.close()
  })

  it('takes a replica that has lost its master for one that may be well again', async () => {
    await using master = await start()
    await using replica = await startRedis({ replicaOf: master, settings: { 'replica-serve-stale-data': 'no' } })
    const driver = redis({ host: replica.host, port: replica.port, password: replica.password })
    await vi.waitUntil(async () => String(await ask(replica, 'INFO', 'replication')).includes('master_link_status:up'), { timeout: 10_000 })
    const client = await driver.connect(context())
    await master.stop('crash')
    const error = await vi.waitUntil(() => failureOf(client.get('key')), { timeout: 10_000 })
    expect(error).toMatchObject({ message: expect.stringMatching(/^MASTERDOWN/) })
    const refused = await failureOf(driver.connect(context()))
    expect([error, refused].map((each) => driver.classify?.(each))).toEqual(['transient', 'transient'])
    driver.destroy(client)
  })

  it('takes a server that is full for one that will have room again', async () => {
    await using server = await start({ maxclients: 5 })
    const driver = redis({ host: server.host, port: server.port, password: server.password })
    const clients: RedisClient[] = []
    let error: unknown
    while (error === undefined) {
      error = await driver.connect(context()).then(
        (client) => {
          clients.push(client)
        },
        (reason: unknown) => reason,
      )
    }
    expect(error).toMatchObject({ message: expect.stringMatching(/max number of clients|closed unexpectedly|ECONNRESET/) })
    expect(driver.classify?.(error)).toBe('transient')
    for (const client of clients) driver.destroy(client)
  })

  it('hands the application what is its own: no memory, no permission', async () => {
    await using server = await start({ maxmemory: '2mb', 'maxmemory-policy': 'noeviction' })
    await ask(server, 'ACL', 'SETUSER', 'app', 'on', '>app', '~*', '+@all', '-flushall')
    const driver = redis({ host: server.host, port: server.port, username: 'app', password: 'app' })
    const client = await driver.connect(context())
    const noMemory = await failureOf(client.set('key', 'x'.repeat(4_000_000)).then(() => client.set('more', 'x')))
    expect(noMemory).toMatchObject({ message: expect.stringMatching(/^OOM/) })
    const noPermission = await failureOf(client.flushAll())
    expect(noPermission).toMatchObject({ message: expect.stringMatching(/^NOPERM/) })
    expect([noMemory, noPermission].map((error) => driver.classify?.(error))).toEqual(['application', 'application'])
    await driver.check(client, { signal: never })
    driver.destroy(client)
  })

  it('logs in with the password of the day, also after a reset', async () => {
    await using server = await start()
    let password = server.password
    const given = vi.fn(() => password)
    const driver = redis({ host: server.host, port: server.port, password: given })
    const client = await driver.connect(context())
    await client.configSet('requirepass', 'tomorrow')
    password = 'tomorrow'
    await client.select(2)
    await driver.reset?.(client)
    expect(await client.get('key')).toBeNull()
    const next = await driver.connect(context())
    expect(given).toHaveBeenCalledTimes(3)
    expect(driver.secrets?.()).toEqual(expect.arrayContaining([server.password, 'tomorrow']))

    // The reset with a password that is out of date fails, and the pool makes a new connection.
    await next.configSet('requirepass', 'the day after')
    await next.select(2)
    await expect(driver.reset?.(next)).rejects.toThrow(/^WRONGPASS/)
    for (const each of [client, next]) driver.destroy(each)
  })

  it.each(['fast', 'crash'] as const)('hears that the server stops (%s), and connects again when it is back', async (mode) => {
    await using server = await start()
    const driver = redis({ url: server.url })
    const idle = await driver.connect(context())
    const reported = new Promise((resolve) => driver.watch?.(idle, { lost: resolve, retire: () => {} }))
    const working = await driver.connect(context())
    const answer = failureOf(working.blPop('nothing', 0))
    await delay(20)
    await server.stop(mode)
    await reported
    expect(driver.classify?.(await answer)).toBe('fatal')
    const refused = await failureOf(driver.connect(context()))
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
    await server.start()
    const next = await driver.connect(context())
    await driver.check(next, { signal: never })
    await driver.close(next)
    for (const each of [idle, working]) driver.destroy(each)
  })

  it('reaches a server over a Unix socket', async () => {
    await using server = await start({ unixsocket: 'redis.sock', unixsocketperm: 777 })
    const folder = Object.values((await ask(server, 'CONFIG', 'GET', 'dir')) as object).at(-1)
    const driver = redis({ path: `${folder}/redis.sock`, password: server.password })
    const client = await driver.connect(context())
    expect(await client.ping()).toBe('PONG')
    expect(driver.mayAskAbout?.(client)).toBe(false)
    const waiting = client.blPop('nothing', 0.05)
    expect(driver.mayAskAbout?.(client)).toBe(true)
    await waiting
    await driver.close(client)
  })
})
