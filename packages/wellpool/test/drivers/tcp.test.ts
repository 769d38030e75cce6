import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { type ProgramServer, startTcpServer } from '@wellpool/servers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type TcpClient, type TcpOptions, tcp } from '../../src/drivers/tcp.ts'
import { createPool, type Driver } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code
const ping = async (client: TcpClient, { signal }: { signal: AbortSignal }) => {
  const answer = await client.request('ping', { signal })
  if (answer !== 'pong') throw new Error(`not an answer to a ping: ${answer}`)
}

describe('tcp()', { timeout: 60_000 }, () => {
  let server: ProgramServer
  let proxy: FaultProxy
  let opened: [Driver<TcpClient>, TcpClient][]

  const driverOf = (options: Partial<TcpOptions> = {}) => tcp({ port: server.port, framing: 'line', probe: ping, ...options })
  const proxied = (options: Partial<TcpOptions> = {}) => driverOf({ port: proxy.port, ...options })
  /** A client of a driver with these options. */
  const open = async (options: Partial<TcpOptions> = {}, driver = proxied(options)) => {
    const client = await driver.connect(context())
    opened.push([driver, client])
    const lost = vi.fn<(error?: unknown) => void>()
    driver.watch?.(client, { lost, retire: () => {} })
    return { driver, client, lost }
  }
  const failure = (promise: Promise<unknown> | unknown) =>
    Promise.resolve(promise).then(
      () => expect.fail('it fulfilled'),
      (error: Error & { code?: unknown }) => error,
    )

  beforeAll(async () => {
    server = await startTcpServer({ framing: 'line' })
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

  describe('request', () => {
    it('resolves with the frame that answers it, many at a time', async () => {
      const { client } = await open()
      const words = Array.from({ length: 500 }, (_, index) => `word ${index} é`)
      expect(await Promise.all(words.map((word) => client.request(`echo ${word}`)))).toEqual(words)
    })

    it('resolves with a frame that comes in two parts', async () => {
      const { client } = await open()
      expect(await client.request('split 20 here it is')).toBe('here it is')
    })

    it('rejects after its time-out, and its answer goes to nobody else', async () => {
      const { driver, client } = await open()
      const error = await failure(client.request('slow 60 late', { timeout: 20 }))
      expect(error).toMatchObject({ name: 'TcpError', code: 'TIMEOUT', message: 'no answer within 20 ms' })
      expect(driver.classify?.(error)).toBe('transient')
      expect(await client.request('echo next')).toBe('next')
    })

    it('rejects with the reason of its signal, before or while it is under way', async () => {
      const { client } = await open()
      const reason = new Error('no longer wanted')
      await expect(client.request('ping', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      const controller = new AbortController()
      const request = client.request('slow 30 late', { signal: controller.signal })
      controller.abort(reason)
      await expect(request).rejects.toBe(reason)
      expect(await client.request('echo next', { timeout: '1m' })).toBe('next')
    })

    it('rejects at once with a time-out of 0, never with none, and refuses one that makes no sense', async () => {
      const { client } = await open()
      await expect(client.request('nothing', { timeout: 0 })).rejects.toMatchObject({ code: 'TIMEOUT' })
      expect(await failure(client.request('ping', { timeout: 'soon' }))).toMatchObject({ name: 'ConfigError' })
      expect(await failure(client.request('ping', { timeout: -1 }))).toMatchObject({ name: 'ConfigError' })
      const waiting = client.request('nothing', { timeout: Number.POSITIVE_INFINITY })
      expect(await Promise.race([waiting, delay(20, 'waiting')])).toBe('waiting')
      const ended = failure(waiting)
      proxy.inject({ kind: 'reset' })
      expect(await ended).toMatchObject({ code: 'CLOSED', cause: { code: 'ECONNRESET' } })
    })

    it('sends nothing when the data are not one frame, and the connection is as good as before', async () => {
      const { driver, client } = await open({ maxFrameSize: 100 })
      for (const data of ['ping\nping', 'x'.repeat(101)]) {
        const error = await failure(client.request(data))
        expect(error).toMatchObject({ code: 'BAD_DATA' })
        expect(driver.classify?.(error)).toBe('application')
      }
      expect(driver.reset?.(client)).toBeUndefined()
      expect(await client.request('echo next')).toBe('next')
    })

    it('rejects when the connection ends, in the middle of its answer or before it', async () => {
      const { client, lost, driver } = await open()
      const id = await client.request('id')
      const requests = [client.request('half of it'), client.request('nothing')].map(failure)
      await vi.waitFor(() => expect(proxy.flows()[0]?.toClient.delivered).toBeGreaterThan(10))
      await server.tell('kill', id)
      const errors = await Promise.all(requests)
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'CLOSED', message: expect.stringContaining('in the middle of a frame') })
        expect(driver.classify?.(error)).toBe('fatal')
      }
      expect(lost).toHaveBeenCalledOnce()
      await expect(client.request('ping')).rejects.toMatchObject({ code: 'CLOSED' })
      await expect(client.send('ping')).rejects.toMatchObject({ code: 'CLOSED' })
      await expect(client.receive()).rejects.toMatchObject({ code: 'CLOSED' })
    })
  })

  describe('send, receive, and iteration', () => {
    it('are for answers of several frames', async () => {
      const { client } = await open()
      await client.send('count 3')
      expect([await client.receive(), await client.receive(), await client.receive()]).toEqual(['1', '2', '3'])
      await client.send('count 5')
      const frames: string[] = []
      for await (const frame of client) {
        frames.push(frame)
        if (frame === '5') break
      }
      expect(frames).toEqual(['1', '2', '3', '4', '5'])
      expect(await client.request('echo and on')).toBe('and on')
    })

    it('give frames to those who wait in their order, and keep the others', async () => {
      const { client } = await open()
      const waiting = [client.receive(), client.receive()]
      await client.send('count 3')
      expect(await Promise.all(waiting)).toEqual(['1', '2'])
      expect(await client.receive()).toBe('3')
    })

    it('lose no frame to a call that was given up', async () => {
      const { client } = await open()
      await expect(client.receive({ timeout: 5 })).rejects.toMatchObject({ code: 'TIMEOUT', message: 'no frame within 5 ms' })
      const reason = new Error('no longer wanted')
      await expect(client.receive({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ name: 'TimeoutError' })
      await expect(client.receive({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await client.send('count 1')
      expect(await client.receive()).toBe('1')
    })

    it('leave frames that nobody reads with the peer', async () => {
      const { client } = await open({ maxFrameSize: 10_000 })
      await client.send('count 20000')
      await delay(50)
      const numbers: number[] = []
      for await (const frame of client) {
        numbers.push(Number(frame))
        if (numbers.length === 20_000) break
      }
      expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, index) => index + 1))
    })

    it('end with the connection', async () => {
      const { client } = await open()
      const id = await client.request('id')
      const loop = failure(
        (async () => {
          for await (const frame of client) expect.fail(`a frame: ${frame}`)
        })(),
      )
      await server.tell('kill', id)
      expect(await loop).toMatchObject({ code: 'CLOSED' })
    })

    it('may be too much for the system, and be given up', async () => {
      const { client } = await open()
      proxy.inject({ kind: 'silence' })
      const large = 'x'.repeat(1024 * 1024)
      const sends = Array.from({ length: 20 }, () => client.send(large, { timeout: 200 }))
      const outcomes = await Promise.allSettled(sends)
      expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'TIMEOUT' } })
    })
  })

  describe('connect', () => {
    it('waits for the peer itself, not for its kernel', async () => {
      const fault = proxy.inject({ kind: 'unanswered' })
      const driver = proxied()
      const connecting = driver.connect(context())
      expect(await Promise.race([connecting, delay(30, 'waiting')])).toBe('waiting')
      fault.heal()
      await driver.close(await connecting)
    })

    it('reads a greeting before anybody else does', async () => {
      await using greeter = await startTcpServer({ framing: 'line', greeting: 'welcome' })
      const greetings: string[] = []
      const driver = driverOf({
        port: greeter.port,
        onConnect: async (client, { signal }) => {
          greetings.push(await client.receive({ signal }))
        },
      })
      const client = await driver.connect(context())
      expect(greetings).toEqual(['welcome'])
      expect(await client.request('echo hello')).toBe('hello')
      driver.destroy(client)
    })

    it('does not take a greeting that nobody reads for an answer', async () => {
      await using greeter = await startTcpServer({ framing: 'line', greeting: 'welcome' })
      const error = await failure(driverOf({ port: greeter.port }).connect(context()))
      // It comes before the probe, or as its answer.
      expect(error.message).toMatch(/frames that nobody has read|not an answer to a ping: welcome/)
    })

    it('fails when onConnect or the probe rejects or throws, and leaves nothing', async () => {
      const failing = new Error('not this one')
      for (const hook of ['onConnect', 'probe'] as const) {
        for (const run of [
          () => Promise.reject(failing),
          () => {
            throw failing
          },
        ]) {
          const driver = proxied({ [hook]: run })
          await expect(driver.connect(context())).rejects.toBe(failing)
          expect(driver.classify?.(failing)).toBe('transient')
        }
      }
      await proxy.until((flows) => flows.length === 0)
    })

    it('fails when the probe brings no frame', async () => {
      await expect(proxied({ probe: () => true }).connect(context())).rejects.toThrow('which proves nothing')
      await expect(proxied({ probe: (client) => client.send('ping') }).connect(context())).rejects.toThrow('which proves nothing')
      await proxy.until((flows) => flows.length === 0)
    })

    it('asks classify first, and knows its own failures', async () => {
      const denied = new Error('denied')
      const classify = vi.fn((error: unknown, connecting: boolean) => (error === denied && connecting ? ('fatal' as const) : undefined))
      const driver = proxied({ onConnect: () => Promise.reject(denied), classify })
      expect(driver.classify?.(denied)).toBe('transient')
      await driver.connect(context()).catch(() => {})
      expect(driver.classify?.(denied)).toBe('fatal')
      await proxy.refuse()
      const refused = await failure(driver.connect(context()))
      expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
      expect(driver.classify?.(refused)).toBe('transient')
    })

    it('reaches a Unix socket', async () => {
      const path = join(server.folder, 'socket')
      await using local = await startTcpServer({ framing: 'line', path })
      const driver = tcp({ path, framing: 'line', probe: ping })
      const client = await driver.connect(context())
      expect(await client.request('echo here')).toBe('here')
      await driver.close(client)
      await local.stop()
      const error = await failure(driver.connect(context()))
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
      expect(driver.classify?.(error)).toBe('transient')
      const nowhere = tcp({ path: join(server.folder, 'no-such-socket'), framing: 'line', probe: ping })
      expect(await failure(nowhere.connect(context()))).toMatchObject({ code: 'ENOENT' })
    })

    it('uses TLS, and is hopeless when the certificate does not fit', async () => {
      await using secure = await startTcpServer({ framing: 'line', tls: { certificate: TEST_CERTIFICATE, key: TEST_KEY } })
      const trusting = driverOf({ host: 'localhost', port: secure.port, tls: { ca: TEST_CERTIFICATE } })
      const client = await trusting.connect(context())
      expect(await client.request('echo secret')).toBe('secret')
      await trusting.close(client)

      const suspicious = driverOf({ port: secure.port, tls: true })
      const error = await failure(suspicious.connect(context()))
      expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
      expect(suspicious.classify?.(error)).toBe('fatal')

      const mistaken = driverOf({ port: secure.port, tls: { ca: TEST_CERTIFICATE, servername: 'elsewhere' } })
      expect(await failure(mistaken.connect(context()))).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    })

    it.each([
      ['a key that is none', { cert: TEST_CERTIFICATE, key: 'no key' }],
      ['a certificate that is none', { cert: 'no certificate', key: TEST_KEY }],
    ])('is hopeless with %s of its own', async (_, own) => {
      const driver = driverOf({ tls: own })
      const error = await failure(driver.connect(context()))
      expect([codeOf(error), driver.classify?.(error)]).toEqual([expect.stringMatching(/^ERR_OSSL_/), 'fatal'])
    })

    it('is hopeless when TLS is asked of a peer that has none, and leaves nothing', async () => {
      const driver = proxied({ tls: true })
      const error = await failure(driver.connect(context()))
      expect(driver.classify?.(error)).toBe('fatal')
      await proxy.until((flows) => flows.length === 0)
    })

    it('keeps TCP alive', async () => {
      const keepAlive = vi.spyOn((await import('node:net')).Socket.prototype, 'setKeepAlive')
      await open({ keepAliveDelay: '12s' })
      expect(keepAlive).toHaveBeenCalledWith(true, 12_000)
    })
  })

  describe('check', () => {
    it('joins one that was given up, and the answers stay in step', async () => {
      const asked = vi.fn(ping)
      const { driver, client } = await open({ probe: asked })
      asked.mockClear()
      proxy.inject({ kind: 'silence' })
      for (let i = 0; i < 5; i++) {
        const reason = new Error(`check ${i} given up`)
        const controller = new AbortController()
        const check = driver.check(client, { signal: controller.signal })
        controller.abort(reason)
        await expect(check).rejects.toBe(reason)
      }
      expect(asked).toHaveBeenCalledOnce()
      await proxy.heal()
      await driver.check(client, { signal: never })
      expect(await client.request('echo next')).toBe('next')
    })

    it('tells its probe when the connection is over', async () => {
      let told: AbortSignal | undefined
      const { driver, client } = await open({
        probe: (session, { signal }) => {
          told = signal
          return session.request('ping')
        },
      })
      driver.destroy(client)
      expect(told?.aborted).toBe(true)
    })
  })

  describe('reset', () => {
    it('has nothing to do after requests, and says so at once', async () => {
      const { driver, client } = await open()
      expect(driver.reset?.(client)).toBeUndefined()
      await client.request('ping')
      await client.request('nonsense')
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('waits for answers to requests that were given up, and drops them', async () => {
      const { driver, client } = await open()
      void client.request('slow 30 one')
      await client.request('slow 30 two', { timeout: 5 }).catch(() => {})
      await driver.reset?.(client)
      expect(driver.reset?.(client)).toBeUndefined()
      expect(await client.request('echo next')).toBe('next')
    })

    it('asks the peer for a sign once more when somebody has talked to it, so that nothing of that comes later', async () => {
      const { driver, client } = await open()
      const received = () => proxy.flows()[0]?.toServer.received ?? 0
      await client.send('count 1')
      expect(await client.receive()).toBe('1')
      const before = received()
      await driver.reset?.(client)
      expect(received()).toBe(before + 'ping\n'.length)
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it.each(['count 3', 'slow 20 late', 'split 20 late', 'half of it'])(
      'refuses a client that has sent “%s” and not read it',
      async (words) => {
        const { driver, client } = await open()
        await client.send(words)
        const resetting = failure(driver.reset?.(client))
        const killed = words.startsWith('half') ? delay(50).then(() => driver.destroy(client)) : undefined
        expect((await resetting).message).toMatch(/not an answer to a ping|frames that nobody has read|a part of a frame|destroyed/)
        await killed
      },
    )

    it('does not wait for answers behind frames that nobody reads', async () => {
      const { driver, client } = await open({ maxFrameSize: 100 })
      await client.send('count 1000')
      void client.request('echo far behind').catch(() => {})
      await vi.waitFor(() => expect(proxy.flows()[0]?.toClient.delivered).toBeGreaterThan(1000))
      expect(await failure(driver.reset?.(client))).toMatchObject({ code: 'OUT_OF_STEP' })
    })

    it('ends loops that go on behind the release', async () => {
      const { driver, client } = await open()
      const left = failure(client.receive())
      await driver.reset?.(client)
      expect(await left).toMatchObject({ code: 'RELEASED' })
      expect(await client.request('echo mine')).toBe('mine')
    })

    it('does what onRelease says, each time, and fails with it', async () => {
      const { driver, client } = await open({ onRelease: (session) => session.request('leave nothing') })
      await client.request('leave a mess')
      await driver.reset?.(client)
      expect(await client.request('left')).toBe('nothing')
      const failing = new Error('no way back')
      const stuck = await open({ onRelease: () => Promise.reject(failing) })
      await expect(stuck.driver.reset?.(stuck.client)).rejects.toBe(failing)
    })
  })

  describe('a frame that nobody has asked for', () => {
    /** With an onUnasked that answers, what it has heard, and by which name the server knows the connection. */
    const openAnswering = async () => {
      const heard: string[] = []
      const opened = await open({
        onUnasked: async (frame, session) => {
          heard.push(frame)
          await session.send('nothing')
        },
      })
      return { ...opened, heard, id: await opened.client.request('id') }
    }

    it('ends an idle connection: it could be taken for the next answer', async () => {
      const { driver, client, lost } = await open()
      const id = await client.request('id')
      driver.reset?.(client)
      await server.tell('push', `${id} hello`)
      await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce())
      expect(lost.mock.calls[0]?.[0]).toMatchObject({ code: 'UNASKED_FRAME' })
      expect(driver.classify?.(lost.mock.calls[0]?.[0])).toBe('fatal')
      await expect(client.request('ping')).rejects.toMatchObject({ code: 'UNASKED_FRAME' })
      await proxy.until((flows) => flows.length === 0)
    })

    it('goes to onUnasked, which may answer it, and the connection goes on', async () => {
      const { driver, client, lost, heard, id } = await openAnswering()
      driver.reset?.(client)
      await server.tell('push', `${id} are you there`)
      await vi.waitFor(() => expect(heard).toEqual(['are you there']))
      expect(await client.request('echo yes')).toBe('yes')
      expect(lost).not.toHaveBeenCalled()
    })

    it('goes to onUnasked also when that has answered the one before', async () => {
      const { driver, client, lost, heard, id } = await openAnswering()
      for (const word of ['one', 'two']) {
        await server.tell('push', `${id} ${word}`)
        await vi.waitFor(() => expect(heard.at(-1)).toBe(word))
      }
      expect(driver.reset?.(client)).toBeUndefined()
      expect(lost).not.toHaveBeenCalled()
    })

    it.each([
      ['rejects', () => Promise.reject(new Error('not understood'))],
      [
        'throws',
        () => {
          throw new Error('not understood')
        },
      ],
    ])('ends the connection when onUnasked %s', async (_, onUnasked) => {
      const { driver, client, lost } = await open({ onUnasked })
      const id = await client.request('id')
      driver.reset?.(client)
      await server.tell('push', `${id} hello`)
      await vi.waitFor(() => expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'not understood' })))
    })
  })

  it('hangs up on a peer that sends a frame that is too long', async () => {
    const { driver, client, lost } = await open({ maxFrameSize: 1000 })
    expect(await client.request('large 1000')).toHaveLength(1000)
    const error = await failure(client.request('large 5000'))
    expect(error).toMatchObject({ code: 'BAD_FRAME', message: 'the peer has sent a frame of more than 1000 bytes' })
    expect(driver.classify?.(error)).toBe('fatal')
    expect(lost).toHaveBeenCalledOnce()
    await proxy.until((flows) => flows.length === 0)
  })

  describe('close and destroy', () => {
    it('say goodbye, and do not report what the pool itself has ended', async () => {
      const { driver, client, lost } = await open({ goodbye: 'bye' })
      await Promise.all([driver.close(client), driver.close(client)])
      driver.destroy(client)
      const second = await open()
      second.driver.destroy(second.client)
      await proxy.until((flows) => flows.length === 0)
      await delay(5)
      expect([lost, second.lost].flatMap(({ mock }) => mock.calls)).toEqual([])
    })

    it('come to an end although frames are left that nobody reads', async () => {
      const { driver, client } = await open({ maxFrameSize: 100 })
      await client.send('count 10000')
      await delay(20)
      await driver.close(client)
      await proxy.until((flows) => flows.length === 0)
    })

    it('end what is under way', async () => {
      const { driver, client } = await open()
      const request = failure(client.request('nothing'))
      driver.destroy(client)
      const error = await request
      expect(error).toMatchObject({ code: 'CLOSED', message: 'the connection was destroyed' })
      expect(driver.classify?.(error)).toBe('fatal')
    })
  })

  it('has its name, and secrets that are known to be masked', () => {
    const driver = tcp({
      port: 1,
      framing: 'line',
      probe: ping,
      protocol: 'shout',
      secrets: ['open sesame'],
      tls: { passphrase: 'barley' },
    })
    expect(driver.protocol).toBe('shout')
    expect(driver.secrets?.()).toEqual(['open%20sesame', 'open sesame', 'barley'])
    expect(inspect(driver, { depth: 9, showHidden: true })).not.toMatch(/sesame|barley/)
  })

  it('refuses a client that it has not made', async () => {
    const { client } = await open()
    expect(() => driverOf().reset?.(client)).toThrow('this client was not made by this driver')
  })

  it('holds the process, or lets it end', async () => {
    const socket = vi.spyOn((await import('node:net')).Socket.prototype, 'unref')
    const { driver, client } = await open()
    driver.unref?.(client)
    expect(socket).toHaveBeenCalledOnce()
    const { _handle: handle } = socket.mock.contexts[0] as unknown as { _handle: { hasRef(): boolean } }
    expect(handle.hasRef()).toBe(false)
    driver.ref?.(client)
    expect(handle.hasRef()).toBe(true)
    driver.unref?.(client)
    // A goodbye has to get out even though nobody else holds the process.
    const closing = driver.close(client)
    expect(handle.hasRef()).toBe(true)
    await closing
  })

  it('never gives one borrower of a pool what another has asked for', async () => {
    await using pool = createPool(proxied(), { maxConnections: 4 })
    const words = Array.from({ length: 400 }, (_, index) => `word${index}`)
    const answers = await Promise.all(
      words.map((word, index) =>
        pool.use(async (client) => {
          // Some give up, some leave a part of a frame, some leave frames.
          if (index % 7 === 0) return client.request(`slow 20 ${word}`, { timeout: 5 }).catch(() => word)
          if (index % 11 === 0) await client.send(`split 5 ${word}`)
          if (index % 13 === 0) await client.send('count 2')
          if (index % 11 === 0 || index % 13 === 0) return word
          return client.request(`echo ${word}`)
        }),
      ),
    )
    expect(answers).toEqual(words)
  })
})
