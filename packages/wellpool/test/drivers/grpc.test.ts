import { type ChildProcess, spawn } from 'node:child_process'
import { hasSubscribers, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect as openSocket, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Client, connectivityState, credentials, status } from '@grpc/grpc-js'
import { type ProgramServer, startGrpcServer } from '@wellpool/servers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GrpcConnectionError, type GrpcOptions, grpc } from '../../src/drivers/grpc.ts'
import { createPool, type Driver } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { TestClient } from '../support/grpc.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code
const certificate = Buffer.from(TEST_CERTIFICATE)

describe('grpc()', { timeout: 60_000 }, () => {
  let server: ProgramServer
  let proxy: FaultProxy
  let opened: [Driver<TestClient>, TestClient][]

  const driverOf = (options: Partial<GrpcOptions<TestClient>> = {}) =>
    grpc({
      address: `127.0.0.1:${proxy.port}`,
      credentials: credentials.createInsecure(),
      client: (...parameters) => new TestClient(...parameters),
      ...options,
    })
  const open = async (options: Partial<GrpcOptions<TestClient>> = {}, driver = driverOf(options)) => {
    const client = await driver.connect(context())
    opened.push([driver, client])
    const lost = vi.fn<(error?: unknown) => void>()
    const retire = vi.fn<(detail?: string) => void>()
    driver.watch?.(client, { lost, retire })
    return { driver, client, lost, retire, id: String(await client.ask('Id')) }
  }
  const failure = (promise: Promise<unknown> | unknown) =>
    Promise.resolve(promise).then(
      () => expect.fail('it fulfilled'),
      (error: Error & { code?: unknown }) => error,
    )
  const untilSilent = (calls: number) => vi.waitFor(async () => expect(await server.tell('silent')).toBe(calls))

  beforeAll(async () => {
    server = await startGrpcServer()
  })

  afterAll(() => server.close())

  beforeEach(async () => {
    opened = []
    proxy = await FaultProxy.start({ port: server.port })
  })

  afterEach(async () => {
    for (const [driver, client] of opened) driver.destroy(client)
    await proxy.close()
  })

  describe('connect', () => {
    it('gives a client of the application’s own, whose calls are answered', async () => {
      const { client } = await open()
      expect(client).toBeInstanceOf(TestClient)
      expect(await client.ask('Echo', { a: 1 })).toEqual({ a: 1 })
      const numbers: unknown[] = []
      for await (const number of client.count(3)) numbers.push(number)
      expect(numbers).toEqual([1, 2, 3])
    })

    it('gives each client a connection of its own', async () => {
      const clients = await Promise.all([open(), open(), open()])
      expect(new Set(clients.map(({ id }) => id)).size).toBe(3)
      expect(proxy.flows()).toHaveLength(3)
    })

    it('takes a server that does not tell about its health', async () => {
      await using silent = await startGrpcServer({ health: false })
      proxy.target = { port: silent.port }
      const { driver, client } = await open()
      await driver.check(client, { signal: never })
    })

    it('rejects when the service asked about is not serving, or not known, and leaves nothing', async () => {
      await server.tell('health', 'orders=2')
      await server.tell('health', 'billing=1')
      for (const [health, message] of [
        ['orders', 'the service orders is NOT_SERVING'],
        ['nobody', 'the service nobody is SERVICE_UNKNOWN'],
      ] as const) {
        const driver = driverOf({ health })
        const error = await failure(driver.connect(context()))
        expect([error.name, error.message, driver.classify?.(error)]).toEqual(['NotServingError', message, 'transient'])
      }
      await open({ health: 'billing' })
      expect(proxy.flows()).toHaveLength(1)
    })

    it('passes options on to the channel', async () => {
      const { client } = await open({ channelOptions: { 'grpc.max_receive_message_length': 50 } })
      expect(codeOf(await failure(client.ask('Echo', 'x'.repeat(100))))).toBe(status.RESOURCE_EXHAUSTED)
    })

    it('refuses a client that has a connection of its own, and one that cannot be made', async () => {
      const wrong = driverOf({ client: (address, given) => new TestClient(address, given, {}) })
      await expect(wrong.connect(context())).rejects.toThrow('has not passed its options on')
      const failing = new Error('no client')
      const broken = driverOf({
        client: () => {
          throw failing
        },
      })
      await expect(broken.connect(context())).rejects.toBe(failing)
      await proxy.until((flows) => flows.length === 0)
    })

    it('keeps TCP alive', async () => {
      const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive')
      await open({ keepAliveDelay: '12s' })
      expect(keepAlive).toHaveBeenCalledWith(true, 12_000)
    })

    it('follows sockets no longer than it takes', async () => {
      await open()
      await failure(driverOf({ health: 'nobody' }).connect(context()))
      expect(hasSubscribers('net.client.socket')).toBe(false)
    })

    it('that is refused, or leads nowhere, is worth another try', async () => {
      await proxy.refuse()
      for (const address of [`127.0.0.1:${proxy.port}`, 'no-such-host.invalid:1']) {
        const driver = driverOf({ address })
        const error = await failure(driver.connect(context()))
        expect([codeOf(error), driver.classify?.(error)]).toEqual([status.UNAVAILABLE, 'transient'])
      }
    })

    it('to a server of HTTP/1.1 is hopeless, and leaves nothing', async () => {
      const old = createHttpServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
      await once(old, 'listening')
      proxy.target = { port: (old.address() as AddressInfo).port }
      const driver = driverOf()
      const error = await failure(driver.connect(context()))
      expect([error.message, driver.classify?.(error)]).toEqual([expect.stringContaining('Protocol error'), 'fatal'])
      await proxy.until((flows) => flows.length === 0)
      old.close()
    })

    it('is hopeless when TLS does not fit', async () => {
      await using secure = await startGrpcServer({ tls: { certificate: TEST_CERTIFICATE, key: TEST_KEY } })
      proxy.target = { port: secure.port }
      const address = `localhost:${proxy.port}`
      await open({ address, credentials: credentials.createSsl(certificate) })
      const wrong = [
        driverOf({ address, credentials: credentials.createSsl() }),
        driverOf({
          address,
          credentials: credentials.createSsl(certificate),
          channelOptions: { 'grpc.ssl_target_name_override': 'elsewhere' },
        }),
      ]
      proxy.target = { port: server.port }
      const mistaken = driverOf({ address, credentials: credentials.createSsl(certificate) })
      const errors = [await failure(mistaken.connect(context()))]
      proxy.target = { port: secure.port }
      for (const driver of wrong) errors.push(await failure(driver.connect(context())))
      expect([mistaken, ...wrong].map((driver, index) => driver.classify?.(errors[index]))).toEqual(['fatal', 'fatal', 'fatal'])
      await proxy.until((flows) => flows.length === 1)
    })

    describe('that the system does not answer', () => {
      let stopped: ChildProcess
      let port: number
      let waiting: Socket[]

      beforeEach(async () => {
        // It listens for one connection and takes none: what comes after those that fill its queue is not answered.
        const program = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.send(server.address().port))`
        stopped = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
        port = Number((await once(stopped, 'message'))[0])
        stopped.kill('SIGSTOP')
        waiting = Array.from({ length: 4 }, () => openSocket({ host: '127.0.0.1', port }).on('error', () => {}))
        await vi.waitFor(() => expect(waiting.filter(({ connecting }) => !connecting).length).toBeGreaterThan(1))
      })

      afterEach(async () => {
        for (const socket of waiting) socket.destroy()
        stopped.kill('SIGKILL')
        await once(stopped, 'exit')
      })

      it('leaves no socket when it is aborted', async () => {
        const sockets: Socket[] = []
        const follow = (message: unknown): unknown => sockets.push((message as { readonly socket: Socket }).socket)
        subscribe('net.client.socket', follow)
        const controller = new AbortController()
        const connecting = failure(driverOf({ address: `127.0.0.1:${port}` }).connect(context(controller.signal)))
        expect(await Promise.race([connecting, delay(100, 'waiting')])).toBe('waiting')
        const [ours, ...others] = sockets.filter((socket) => socket.connecting)
        expect(others).toEqual([])
        const reason = new Error('given up')
        controller.abort(reason)
        expect(await connecting).toBe(reason)
        await vi.waitFor(() => expect(ours?.closed).toBe(true))
        unsubscribe('net.client.socket', follow)
      })
    })
  })

  describe('a connection that is lost', () => {
    it('fails the calls in flight, refuses others, and is not made anew', async () => {
      const { driver, client, id, lost, retire } = await open()
      const silent = failure(client.ask('Silent'))
      await untilSilent(1)
      await server.tell('kill', id)
      const error = await silent
      expect([codeOf(error), driver.classify?.(error)]).toEqual([status.UNAVAILABLE, 'fatal'])
      await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce())
      expect(retire).not.toHaveBeenCalled()

      const refused = await failure((async () => client.ask('Echo'))())
      expect(refused).toBeInstanceOf(GrpcConnectionError)
      expect(refused).toMatchObject({ code: status.UNAVAILABLE, reason: 'lost', details: 'the connection is lost' })
      expect(driver.classify?.(refused)).toBe('fatal')
      await delay(50)
      expect(proxy.flows()).toEqual([])
    })

    it('tells what the socket has said', async () => {
      const { lost } = await open()
      proxy.inject({ kind: 'reset' })
      await vi.waitFor(() => expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ECONNRESET' })))
    })

    it('is not made anew for who asks for its state either', async () => {
      const { client, id, lost } = await open()
      await server.tell('kill', id)
      await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce())
      expect(client.getChannel().getConnectivityState(true)).not.toBe(connectivityState.READY)
      await delay(50)
      expect(proxy.flows()).toEqual([])
    })

    it('may be one that a borrower has closed', async () => {
      const { client, lost } = await open()
      client.close()
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'a borrower has closed the client' }))
    })

    it('ends all uses of a pool that share it, at once', async () => {
      await using pool = createPool(driverOf(), { maxConnections: 1 })
      let id = ''
      const uses = Array.from({ length: 5 }, () =>
        failure(
          pool.use(async (client) => {
            id = String(await client.ask('Id'))
            await client.ask('Silent')
          }),
        ),
      )
      await untilSilent(5)
      await server.tell('kill', id)
      for (const error of await Promise.all(uses)) expect(['CONNECTION_LOST', status.UNAVAILABLE]).toContain(codeOf(error))
      expect(await pool.use((client) => client.ask('Echo', 'again'))).toBe('again')
    })
  })

  describe('GOAWAY', () => {
    it('wants the connection replaced, and lets calls finish that are in flight', async () => {
      const { driver, client, retire, lost } = await open()
      const slow = client.ask('Slow', 150)
      await client.ask('Echo')
      await server.tell('goaway')
      await vi.waitFor(() => expect(retire).toHaveBeenCalledExactlyOnceWith('GOAWAY'))
      expect(lost).not.toHaveBeenCalled()

      const refused = await failure((async () => client.ask('Echo'))())
      expect(refused).toMatchObject({ name: 'GrpcConnectionError', reason: 'leaving', code: status.UNAVAILABLE })
      // Fatal would end the calls of other borrowers.
      expect(driver.classify?.(refused)).toBe('transient')
      await expect(driver.check(client, { signal: never })).rejects.toBeInstanceOf(GrpcConnectionError)
      expect(await slow).toBe('slow')
      await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce())
      expect(proxy.flows()).toEqual([])
    })

    it('is reported also when it came before the driver was asked to watch', async () => {
      const driver = driverOf()
      const client = await driver.connect(context())
      opened.push([driver, client])
      const slow = client.ask('Slow', 150)
      await client.ask('Echo')
      await server.tell('goaway')
      await vi.waitFor(() => expect(client.getChannel().getConnectivityState(false)).not.toBe(connectivityState.READY))
      const retire = vi.fn<(detail?: string) => void>()
      driver.watch?.(client, { lost: () => {}, retire })
      await vi.waitFor(() => expect(retire).toHaveBeenCalledExactlyOnceWith('GOAWAY'))
      await slow
    })

    it('rebuilds a pool’s connection: what is in flight finishes on the old one, new calls go to the new one', async () => {
      await using pool = createPool(driverOf(), { minConnections: 1, maxConnections: 1 })
      const reasons: string[] = []
      pool.on('rebuildCompleted', ({ reason }) => reasons.push(reason.kind))
      const ids: unknown[] = []
      const use = (ms: number) =>
        pool.use(async (client) => {
          ids.push(await client.ask('Id'))
          return client.ask('Slow', ms)
        })
      const slow = use(400)
      await vi.waitFor(() => expect(ids).toHaveLength(1))
      await server.tell('goaway')
      await vi.waitFor(() => expect(reasons).toEqual(['retired_by_peer']))
      expect(await use(1)).toBe('slow')
      expect(ids[1]).not.toBe(ids[0])
      expect(await slow).toBe('slow')
      await vi.waitFor(() => expect(proxy.flows()).toHaveLength(1))
    })
  })

  describe('a call', () => {
    it.each([
      [status.UNAVAILABLE, 'transient'],
      [status.DEADLINE_EXCEEDED, 'transient'],
      [status.NOT_FOUND, 'application'],
      [status.INTERNAL, 'application'],
      [status.RESOURCE_EXHAUSTED, 'application'],
      [status.UNAUTHENTICATED, 'application'],
    ])('that the server answers with %i is %s, and the connection goes on', async (code, meaning) => {
      const { driver, client, lost } = await open()
      const error = await failure(client.ask('Fail', { code }))
      expect([codeOf(error), driver.classify?.(error)]).toEqual([code, meaning])
      await driver.check(client, { signal: never })
      expect(lost).not.toHaveBeenCalled()
    })

    it.each(['No connection established. Last error: connect ECONNREFUSED', 'Connection dropped', 'read ECONNRESET'])(
      'that the server answers with “%s”, about a peer of its own, does not end the connection',
      async (details) => {
        const { driver, client, lost } = await open()
        const error = await failure(client.ask('Fail', { code: status.UNAVAILABLE, details }))
        expect(error).toMatchObject({ code: status.UNAVAILABLE, details })
        expect(driver.classify?.(error)).toBe('transient')
        await driver.check(client, { signal: never })
        expect(lost).not.toHaveBeenCalled()
      },
    )

    it('that passes its deadline puts the connection in doubt', async () => {
      const { driver, client } = await open()
      const error = await failure(client.ask('Silent', null, { deadline: 30 }))
      expect([codeOf(error), driver.classify?.(error)]).toEqual([status.DEADLINE_EXCEEDED, 'transient'])
      await untilSilent(0)
    })
  })

  it('lets many borrowers share a connection, as many as the option says', async () => {
    expect(driverOf().maxLeasesPerConnection).toBe(100)
    await using pool = createPool(driverOf({ maxLeasesPerConnection: 20 }), { minConnections: 0, maxConnections: 2 })
    await pool.use((client) => client.ask('Echo'))
    const slow = () => pool.use((client) => client.ask('Slow', 50))
    expect(await Promise.all(Array.from({ length: 20 }, slow))).toEqual(Array(20).fill('slow'))
    expect(proxy.flows()).toHaveLength(1)
    expect(await Promise.all(Array.from({ length: 100 }, slow))).toEqual(Array(100).fill('slow'))
    expect(proxy.flows().length).toBeLessThanOrEqual(2)
  })

  describe('check', () => {
    it('asks about the service, beside calls', async () => {
      await server.tell('health', 'orders=1')
      const { driver, client } = await open({ health: 'orders' })
      const silent = client.ask('Silent').catch(() => {})
      await untilSilent(1)
      await driver.check(client, { signal: never })
      for (const [serving, message] of [
        [2, 'the service orders is NOT_SERVING'],
        [0, 'the service orders is UNKNOWN'],
        [9, 'the service orders is in status 9'],
      ] as const) {
        await server.tell('health', `orders=${serving}`)
        await expect(driver.check(client, { signal: never })).rejects.toThrow(message)
      }
      driver.destroy(client)
      await silent
      await untilSilent(0)
    })

    it('knows the longest names of services', async () => {
      const health = 'x'.repeat(300)
      await expect(driverOf({ health }).connect(context())).rejects.toThrow('is SERVICE_UNKNOWN')
    })
  })

  describe('reset', () => {
    it('has nothing to do when all calls are over, and says so at once', async () => {
      const { driver, client } = await open()
      await client.ask('Echo')
      await client.ask('Fail', { code: 5 }).catch(() => {})
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('cancels calls that are in flight still', async () => {
      const { driver, client } = await open()
      const calls = [client.ask('Silent'), client.ask('Silent')].map(failure)
      await untilSilent(2)
      await driver.reset?.(client)
      expect((await Promise.all(calls)).map(codeOf)).toEqual([status.CANCELLED, status.CANCELLED])
      await untilSilent(0)
      expect(await client.ask('Echo', 'on')).toBe('on')
    })
  })

  describe('close and destroy', () => {
    it('let calls finish, or not', async () => {
      const { driver, client, lost } = await open()
      const slow = client.ask('Slow', 50)
      await client.ask('Echo')
      const closing = driver.close(client)
      expect(await slow).toBe('slow')
      await closing
      await driver.close(client)

      const second = await open()
      const cut = failure(second.client.ask('Silent'))
      await untilSilent(1)
      second.driver.destroy(second.client)
      expect(second.driver.classify?.(await cut)).toBe('fatal')
      await proxy.until((flows) => flows.length === 0)
      expect([lost, second.lost].flatMap(({ mock }) => mock.calls)).toEqual([])
    })
  })

  it('knows its secrets, and does not show them', () => {
    const driver = driverOf({ secrets: ['open sesame'] })
    expect(driver.secrets?.()).toEqual(['open%20sesame', 'open sesame'])
    expect(inspect(driver, { depth: 9, showHidden: true })).not.toMatch(/sesame/)
  })

  it('refuses a client that it has not made', () => {
    const foreign = new TestClient('127.0.0.1:1', credentials.createInsecure(), {})
    expect(() => driverOf().reset?.(foreign)).toThrow('this client was not made by this driver')
    foreign.close()
  })

  it('takes what is no client of grpc-js, if it uses the channel', async () => {
    const driver = grpc({
      address: `127.0.0.1:${proxy.port}`,
      credentials: credentials.createInsecure(),
      client: (address, given, options) => ({ inner: new Client(address, given, options) }),
    })
    const client = await driver.connect(context())
    expect(client.inner.getChannel().getConnectivityState(false)).toBe(connectivityState.READY)
    driver.destroy(client)
  })

  it('holds the process, or lets it end', async () => {
    const unref = vi.spyOn(Socket.prototype, 'unref')
    const { driver, client } = await open()
    unref.mockClear()
    driver.unref?.(client)
    expect(unref).toHaveBeenCalledOnce()
    const { _handle: handle } = unref.mock.contexts[0] as unknown as { _handle: { hasRef(): boolean } }
    expect(handle.hasRef()).toBe(false)
    driver.ref?.(client)
    expect(handle.hasRef()).toBe(true)
    driver.unref?.(client)
    // A goodbye has to get out even though nobody else holds the process.
    const closing = driver.close(client)
    expect(handle.hasRef()).toBe(true)
    await closing
  })
})
