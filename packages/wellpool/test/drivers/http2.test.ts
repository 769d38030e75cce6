import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { ClientHttp2Session } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { inspect } from 'node:util'
import { type ProgramServer, startHttp2Server } from '@wellpool/servers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Http2Options, http2 } from '../../src/drivers/http2.ts'
import { createPool, type Driver } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { request } from '../support/http2.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

describe('http2()', { timeout: 60_000 }, () => {
  let server: ProgramServer
  let proxy: FaultProxy
  let opened: [Driver<ClientHttp2Session>, ClientHttp2Session][]

  const driverOf = (options: Partial<Http2Options> = {}) => http2({ url: `http://127.0.0.1:${proxy.port}`, ...options })
  const open = async (options: Partial<Http2Options> = {}, driver = driverOf(options)) => {
    const session = await driver.connect(context())
    opened.push([driver, session])
    const lost = vi.fn<(error?: unknown) => void>()
    const retire = vi.fn<(detail?: string) => void>()
    driver.watch?.(session, { lost, retire })
    return { driver, session, lost, retire, id: (await request(session, '/id')).body }
  }
  const failure = (promise: Promise<unknown> | unknown) =>
    Promise.resolve(promise).then(
      () => expect.fail('it fulfilled'),
      (error: Error & { code?: unknown }) => error,
    )

  beforeAll(async () => {
    server = await startHttp2Server()
  })

  afterAll(() => server.close())

  beforeEach(async () => {
    opened = []
    proxy = await FaultProxy.start({ port: server.port })
  })

  afterEach(async () => {
    for (const [driver, session] of opened) driver.destroy(session)
    await proxy.close()
  })

  describe('connect', () => {
    it('gives a session whose streams are answered', async () => {
      const { session } = await open()
      expect(await request(session, '/')).toEqual({ status: 200, body: 'hello' })
      expect(await request(session, '/echo', 'and back')).toEqual({ status: 200, body: 'and back' })
    })

    it('waits for an answer of the peer itself', async () => {
      const fault = proxy.inject({ kind: 'unanswered' })
      const connecting = open()
      expect(await Promise.race([connecting, delay(30, 'waiting')])).toBe('waiting')
      fault.heal()
      await connecting
    })

    it('runs onConnect, and fails with it', async () => {
      const windows: number[] = []
      await open({
        onConnect: (session) => {
          session.setLocalWindowSize(1024 * 1024)
          windows.push(session.state.effectiveLocalWindowSize ?? 0)
        },
      })
      expect(windows).toEqual([1024 * 1024])
      const failing = new Error('not this one')
      await expect(driverOf({ onConnect: () => Promise.reject(failing) }).connect(context())).rejects.toBe(failing)
      await proxy.until((flows) => flows.filter(({ clientOpen }) => clientOpen).length === 1)
    })

    it('tells the peer its settings, without server push unless asked for', async () => {
      const { session } = await open({ settings: { maxHeaderListSize: 5000 } })
      expect(session.localSettings).toMatchObject({ enablePush: false, maxHeaderListSize: 5000 })
      expect((await open({ settings: { enablePush: true } })).session.localSettings.enablePush).toBe(true)
    })

    it('keeps TCP alive', async () => {
      const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive')
      await open({ keepAliveDelay: '12s' })
      expect(keepAlive).toHaveBeenCalledWith(true, 12_000)
    })

    it('to a server of HTTP/1.1 is hopeless, and leaves nothing', async () => {
      const old = createHttpServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
      await once(old, 'listening')
      proxy.target = { port: (old.address() as AddressInfo).port }
      const driver = driverOf()
      const error = await failure(driver.connect(context()))
      expect(driver.classify?.(error)).toBe('fatal')
      await proxy.until((flows) => flows.length === 0)
      old.close()
    })

    it('to a server that closes at once is worth another try', async () => {
      const closing = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
      await once(closing, 'listening')
      proxy.target = { port: (closing.address() as AddressInfo).port }
      const driver = driverOf()
      const error = await failure(driver.connect(context()))
      expect(driver.classify?.(error)).toBe('transient')
      closing.close()
    })
  })

  describe('with TLS', () => {
    const secure = (options: Http2Options['tls'] = { ca: TEST_CERTIFICATE }, host = 'localhost') =>
      http2({ url: `https://${host}:${proxy.port}`, tls: options })

    it('agrees on HTTP/2 and checks the certificate', async () => {
      await using tlsServer = await startHttp2Server({ tls: { certificate: TEST_CERTIFICATE, key: TEST_KEY } })
      proxy.target = { port: tlsServer.port }
      const { session } = await open({}, secure())
      expect([session.alpnProtocol, session.encrypted]).toEqual(['h2', true])
      await open({}, secure({ ca: TEST_CERTIFICATE }, '127.0.0.1'))

      const suspicious = secure({})
      const error = await failure(suspicious.connect(context()))
      expect([codeOf(error), suspicious.classify?.(error)]).toEqual(['DEPTH_ZERO_SELF_SIGNED_CERT', 'fatal'])
    })

    it('is hopeless when the peer speaks HTTP/1.1 only, and leaves nothing', async () => {
      const old = createHttpsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }).listen(0, '127.0.0.1')
      await once(old, 'listening')
      proxy.target = { port: (old.address() as AddressInfo).port }
      const driver = secure()
      const error = await failure(driver.connect(context()))
      expect(driver.classify?.(error)).toBe('fatal')
      await proxy.until((flows) => flows.length === 0)
      old.close()
    })

    it('is hopeless when the peer agrees on nothing', async () => {
      const silent = createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, (socket) => socket.on('error', () => {}))
      silent.listen(0, '127.0.0.1')
      await once(silent, 'listening')
      proxy.target = { port: (silent.address() as AddressInfo).port }
      const driver = secure()
      const error = await failure(driver.connect(context()))
      expect([error.name, codeOf(error), driver.classify?.(error)]).toEqual(['NoHttp2Error', 'NO_HTTP2', 'fatal'])
      await proxy.until((flows) => flows.length === 0)
      silent.close()
    })
  })

  describe('GOAWAY', () => {
    it('wants the session replaced, and lets its streams finish', async () => {
      const { driver, session, id, retire, lost } = await open()
      const slow = request(session, '/slow?100')
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(1))
      await server.tell('goaway', id)
      await vi.waitFor(() => expect(retire).toHaveBeenCalledExactlyOnceWith('GOAWAY'))
      expect(lost).not.toHaveBeenCalled()

      const refused = await failure((async () => session.request({}))())
      expect(codeOf(refused)).toBe('ERR_HTTP2_GOAWAY_SESSION')
      // Fatal would end the stream of another borrower.
      expect(driver.classify?.(refused)).toBe('transient')
      const unasked = await failure(driver.check(session, { signal: never }))
      expect([codeOf(unasked), driver.classify?.(unasked)]).toEqual(['ERR_HTTP2_PING_CANCEL', 'transient'])
      expect(await slow).toEqual({ status: 200, body: 'slow' })
      await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce())
      expect(String(lost.mock.calls[0]?.[0])).toContain('the session has ended (GOAWAY)')
    })

    it('is reported also when it came before the driver was asked to watch', async () => {
      const { driver, session, id } = await open()
      const slow = request(session, '/slow?50')
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(1))
      const heard = once(session, 'goaway')
      await server.tell('goaway', id)
      await heard
      const retire = vi.fn<(detail?: string) => void>()
      driver.watch?.(session, { lost: () => {}, retire })
      expect(retire).toHaveBeenCalledExactlyOnceWith('GOAWAY')
      await slow
    })

    it('rebuilds a pool’s connection: what is in flight finishes on the old session, new requests go to the new one', async () => {
      await using pool = createPool(driverOf(), { minConnections: 1, maxConnections: 1 })
      const reasons: string[] = []
      pool.on('rebuildCompleted', ({ reason }) => reasons.push(reason.kind))
      const ids: string[] = []
      const use = (path: string) =>
        pool.use(async (session) => {
          ids.push((await request(session, '/id')).body)
          return (await request(session, path)).body
        })
      const slow = use('/slow?300')
      await vi.waitFor(async () => expect(await server.tell('streams', ids[0])).toBe(1))
      await server.tell('goaway', ids[0])
      await vi.waitFor(() => expect(reasons).toEqual(['retired_by_peer']))
      expect(await use('/')).toBe('hello')
      expect(ids[1]).not.toBe(ids[0])
      expect(await slow).toBe('slow')
      await vi.waitFor(() => expect(proxy.flows()).toHaveLength(1))
    })

    it('lets streams finish also while no successor can be had and the session is checked', async () => {
      await using pool = createPool(driverOf(), { maxConnections: 1, rebuildMaxSurge: 0, healthCheckInterval: 50 })
      const { body: id } = await pool.use((session) => request(session, '/id'))
      const slow = pool.use((session) => request(session, '/slow?400'))
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(1))
      await server.tell('goaway', id)
      expect(await slow).toEqual({ status: 200, body: 'slow' })
    })

    it('with an error is the end: ENHANCE_YOUR_CALM', async () => {
      const { driver, session, id, retire, lost } = await open()
      const slow = failure(request(session, '/slow?1000'))
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(1))
      await server.tell('goaway', `${id} 11`)
      const error = await slow
      expect(codeOf(error)).toBe('ERR_HTTP2_SESSION_ERROR')
      expect(driver.classify?.(error)).toBe('fatal')
      await vi.waitFor(() => expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ERR_HTTP2_SESSION_ERROR' })))
      expect(retire).not.toHaveBeenCalled()
    })
  })

  describe('a stream', () => {
    it.each([
      [0x2, 'INTERNAL_ERROR', 'application'],
      [0x7, 'REFUSED_STREAM', 'transient'],
      [0xb, 'ENHANCE_YOUR_CALM', 'transient'],
      [0x1, 'PROTOCOL_ERROR', 'transient'],
    ])('that the peer resets with %i (%s) is %s, and the session goes on', async (code, name, meaning) => {
      const { driver, session, lost } = await open()
      const error = await failure(request(session, `/reset?${code}`))
      expect(error.message).toContain(`NGHTTP2_${name}`)
      expect(driver.classify?.(error)).toBe(meaning)
      await driver.check(session, { signal: never })
      expect(await request(session, '/')).toMatchObject({ body: 'hello' })
      expect(lost).not.toHaveBeenCalled()
    })

    it('that is reset in the middle of its answer fails, and the session goes on', async () => {
      const { driver, session } = await open()
      const error = await failure(request(session, '/half'))
      expect(error.message).toContain('NGHTTP2_INTERNAL_ERROR')
      expect(driver.classify?.(error)).toBe('application')
      await driver.check(session, { signal: never })
    })

    it('that could not be asked for is the application’s affair', async () => {
      const { driver, session, lost } = await open()
      const error = await failure((async () => session.request({ ':nonsense': 'x' }))())
      expect([codeOf(error), driver.classify?.(error)]).toEqual(['ERR_HTTP2_INVALID_PSEUDOHEADER', 'application'])
      expect(lost).not.toHaveBeenCalled()
    })

    it('that is aborted leaves the session as it is', async () => {
      const { driver, session } = await open()
      const error = await failure(request(session, '/silent', undefined, AbortSignal.timeout(20)))
      expect(error.name).toBe('AbortError')
      expect(driver.classify?.(error)).toBe('transient')
      await driver.check(session, { signal: never })
    })

    it('fails with the session', async () => {
      const { driver, session, id } = await open()
      const error = failure(request(session, '/silent'))
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(1))
      proxy.inject({ kind: 'reset' })
      expect(driver.classify?.(await error)).toBe('fatal')
    })
  })

  describe('many leases', () => {
    it('share a connection, as many as the option says', async () => {
      expect(driverOf().maxLeasesPerConnection).toBe(100)
      expect(driverOf({ maxLeasesPerConnection: Number.POSITIVE_INFINITY }).maxLeasesPerConnection).toBe(Number.POSITIVE_INFINITY)
      await using pool = createPool(driverOf({ maxLeasesPerConnection: 20 }), { minConnections: 0, maxConnections: 2 })
      await pool.use((session) => request(session, '/'))
      const slow = () => pool.use(async (session) => (await request(session, '/slow?50')).body)
      expect(await Promise.all(Array.from({ length: 20 }, slow))).toEqual(Array(20).fill('slow'))
      expect(proxy.flows()).toHaveLength(1)
      expect(await Promise.all(Array.from({ length: 100 }, slow))).toEqual(Array(100).fill('slow'))
      expect(proxy.flows().length).toBeLessThanOrEqual(2)
    })

    it('may be more than the peer allows: Node holds streams back', async () => {
      await using narrow = await startHttp2Server({ maxConcurrentStreams: 2 })
      proxy.target = { port: narrow.port }
      await using pool = createPool(driverOf(), { maxConnections: 1 })
      const bodies = await Promise.all(Array.from({ length: 12 }, () => pool.use((session) => request(session, '/slow?5'))))
      expect(bodies.map(({ body }) => body)).toEqual(Array(12).fill('slow'))
    })

    it('end at once when their session is lost, all of them', async () => {
      await using pool = createPool(driverOf(), { maxConnections: 1 })
      let id = ''
      const uses = Array.from({ length: 5 }, () =>
        failure(
          pool.use(async (session) => {
            id = (await request(session, '/id')).body
            await request(session, '/silent')
          }),
        ),
      )
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(5))
      await server.tell('kill', id)
      expect((await Promise.all(uses)).map(codeOf)).toEqual(Array(5).fill('CONNECTION_LOST'))
    })
  })

  describe('check', () => {
    it('is answered beside streams, whatever they do', async () => {
      const { driver, session } = await open()
      const silent = session.request({ ':path': '/silent' })
      const echo = session.request({ ':path': '/echo', ':method': 'POST' })
      // More than the windows take: nobody reads what comes back.
      echo.write(Buffer.alloc(1024 * 1024))
      await delay(20)
      await driver.check(session, { signal: never })
      for (const stream of [silent, echo]) stream.destroy()
    })

    it('joins one that was given up', async () => {
      const { driver, session } = await open()
      proxy.inject({ kind: 'silence' })
      // Node refuses an eleventh PING that is not answered.
      for (let i = 0; i < 15; i++) {
        const reason = new Error(`check ${i} given up`)
        const controller = new AbortController()
        const check = driver.check(session, { signal: controller.signal })
        controller.abort(reason)
        await expect(check).rejects.toBe(reason)
      }
      await proxy.heal()
      await driver.check(session, { signal: never })
    })
  })

  describe('reset', () => {
    it('has nothing to do when all streams are over, and says so at once', async () => {
      const { driver, session } = await open()
      expect(driver.reset?.(session)).toBeUndefined()
      await request(session, '/')
      expect(driver.reset?.(session)).toBeUndefined()
      await request(session, '/reset?2').catch(() => {})
      expect(driver.reset?.(session)).toBeUndefined()
    })

    it('cancels streams that are open still', async () => {
      const { driver, session, id } = await open()
      const streams = ['/silent', '/slow?5000'].map((path) => session.request({ ':path': path }))
      const closed = Promise.all(streams.map((stream) => once(stream, 'close')))
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(2))
      await driver.reset?.(session)
      await closed
      expect(streams.map(({ rstCode }) => rstCode)).toEqual([8, 8])
      expect(await server.tell('streams', id)).toBe(0)
      expect(await request(session, '/')).toMatchObject({ body: 'hello' })
    })
  })

  describe('a peer that breaks the protocol', () => {
    const frame = (type: number, flags: number, payload: Buffer) =>
      Buffer.concat([Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, 0]), payload])
    /** The types of the frames in these bytes. */
    const typesOf = (bytes: Buffer): (number | undefined)[] => {
      const types: (number | undefined)[] = []
      for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3])
      return types
    }
    let peers: Socket[]
    let broken: Server

    beforeEach(async () => {
      peers = []
      // Greets with SETTINGS, and answers PINGs.
      broken = createServer((socket) => {
        peers.push(socket.on('error', () => {}))
        socket.write(frame(4, 0, Buffer.alloc(0)))
        socket.on('data', (data) => {
          const ping = data.indexOf(Buffer.from([0, 0, 8, 6, 0]))
          if (ping !== -1) socket.write(frame(6, 1, data.subarray(ping + 9, ping + 17)))
        })
      }).listen(0, '127.0.0.1')
      await once(broken, 'listening')
      proxy.target = { port: (broken.address() as AddressInfo).port }
    })

    afterEach(() => broken.close())

    it('is reported, and the error is fatal', async () => {
      const driver = driverOf()
      const session = await driver.connect(context())
      const lost = new Promise((resolve) => driver.watch?.(session, { lost: resolve, retire: () => {} }))
      // A window that grows by nothing.
      peers[0]?.write(frame(8, 0, Buffer.alloc(4)))
      const error = await lost
      expect([codeOf(error), driver.classify?.(error)]).toEqual(['ERR_HTTP2_ERROR', 'fatal'])
    })

    it('fails its check when Node has given the session up and told nobody', async () => {
      const driver = driverOf()
      const session = await driver.connect(context())
      const chunks: Buffer[] = []
      peers[0]?.on('data', (data: Buffer) => chunks.push(data))
      peers[0]?.write('HTTP/1.1 400 Bad Request\r\n\r\n')
      const GOAWAY = 7
      await vi.waitFor(() => expect(typesOf(Buffer.concat(chunks))).toContain(GOAWAY))
      expect(session.destroyed).toBe(false)
      await expect(driver.check(session, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' })
      driver.destroy(session)
      await proxy.until((flows) => flows.length === 0)
    })
  })

  describe('close and destroy', () => {
    it('let streams finish, or not', async () => {
      const { driver, session, id, lost } = await open()
      const slow = request(session, '/slow?50')
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(1))
      const closing = driver.close(session)
      expect(await slow).toMatchObject({ body: 'slow' })
      await closing
      await driver.close(session)

      const second = await open()
      const cut = failure(request(second.session, '/slow?5000'))
      second.driver.destroy(second.session)
      await cut
      await proxy.until((flows) => flows.length === 0)
      expect([lost, second.lost].flatMap(({ mock }) => mock.calls)).toEqual([])
    })

    it('let whoever reads a stream see that it was cut off', async () => {
      const { driver, session } = await open()
      const stream = session.request({ ':path': '/echo', ':method': 'POST' })
      stream.write('half')
      await once(stream, 'data')
      const closed = once(stream, 'close')
      driver.destroy(session)
      await closed
      expect(stream.rstCode).toBe(8)
    })

    it('close a session that its peer is leaving', async () => {
      const { driver, session, id } = await open()
      const slow = request(session, '/slow?50')
      await vi.waitFor(async () => expect(await server.tell('streams', id)).toBe(1))
      await server.tell('goaway', id)
      await driver.close(session)
      expect(await slow).toMatchObject({ body: 'slow' })
    })
  })

  it('knows its secrets, and does not show them', () => {
    const driver = http2({ url: 'https://localhost', tls: { key: 'PEM', passphrase: 'open sesame' } })
    expect(driver.secrets?.()).toEqual(['open%20sesame', 'open sesame', 'PEM'])
    expect(inspect(driver, { depth: 9, showHidden: true })).not.toMatch(/sesame|PEM/)
  })

  it('refuses a session that it has not made', async () => {
    const { session } = await open()
    expect(() => driverOf().reset?.(session)).toThrow('this client was not made by this driver')
  })

  it('holds the process, or lets it end', async () => {
    const unref = vi.spyOn(Socket.prototype, 'unref')
    const { driver, session } = await open()
    driver.unref?.(session)
    expect(unref).toHaveBeenCalledOnce()
    const { _handle: handle } = unref.mock.contexts[0] as unknown as { _handle: { hasRef(): boolean } }
    expect(handle.hasRef()).toBe(false)
    driver.ref?.(session)
    expect(handle.hasRef()).toBe(true)
    driver.unref?.(session)
    // A goodbye has to get out even though nobody else holds the process.
    const closing = driver.close(session)
    expect(handle.hasRef()).toBe(true)
    await closing
  })
})
