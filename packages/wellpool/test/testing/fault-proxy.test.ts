import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Fault, FaultProxy, type FaultScope, type ProxyTarget } from '../../src/testing/index.ts'

/** An echo server that keeps its sockets, to look at from the server's side. */
class Echo {
  readonly sockets: Socket[] = []
  readonly #server: Server
  readonly #prefix: string

  constructor(prefix = '') {
    this.#prefix = prefix
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.push(socket)
      socket.on('error', () => {})
      socket.on('data', (chunk) => socket.write(this.#prefix + chunk.toString()))
      socket.on('end', () => socket.end())
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** A client that remembers what it got and how it ended. */
class Client {
  readonly socket: Socket
  received = ''
  ended = false
  error: NodeJS.ErrnoException | undefined

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString()
    })
    this.socket.on('end', () => {
      this.ended = true
    })
    this.socket.on('error', (error) => {
      this.error = error
    })
  }

  async echo(text: string): Promise<string> {
    this.received = ''
    this.socket.write(text)
    while (this.received.length < text.length) await once(this.socket, 'data')
    return this.received
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve))
  }
}

describe('FaultProxy', () => {
  let echo: Echo
  let proxy: FaultProxy
  let clients: Client[]

  beforeEach(async () => {
    echo = new Echo()
    clients = []
    proxy = await FaultProxy.start({ port: await echo.listen() })
  })

  afterEach(async () => {
    for (const { socket } of clients) socket.destroy()
    await proxy.close()
    await echo.close()
  })

  const open = async (): Promise<Client> => {
    const client = new Client(proxy.port)
    clients.push(client)
    await once(client.socket, 'connect')
    return client
  }
  const openAndEcho = async (): Promise<Client> => {
    const client = await open()
    await client.echo('hello')
    return client
  }

  it('passes bytes and ends on in both directions and counts them', async () => {
    const client = await openAndEcho()
    expect(proxy.flows()).toEqual([
      {
        id: 1,
        clientPort: client.socket.localPort,
        serverSidePort: echo.sockets[0]?.remotePort,
        toServer: { received: 5, delivered: 5 },
        toClient: { received: 5, delivered: 5 },
        clientOpen: true,
        serverOpen: true,
      },
    ])
    client.socket.end()
    await client.closed()
    await proxy.until((flows) => flows.length === 0)
    expect(client.ended).toBe(true)
  })

  it('passes an RST on', async () => {
    const client = await openAndEcho()
    const failed = once(client.socket, 'error')
    echo.sockets[0]?.resetAndDestroy()
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
    await proxy.until((flows) => flows.length === 0)
  })

  it('delays by the latency, once in each direction it is for', async () => {
    const client = await openAndEcho()
    proxy.inject({ kind: 'latency', ms: 30 })
    let start = performance.now()
    await client.echo('both')
    expect(performance.now() - start).toBeGreaterThanOrEqual(60)

    await proxy.heal()
    proxy.inject({ kind: 'latency', ms: 30, direction: 'to-client' })
    start = performance.now()
    await client.echo('one')
    expect(performance.now() - start).toBeGreaterThanOrEqual(30)
  })

  it('keeps the order of bytes under jitter', async () => {
    const client = await openAndEcho()
    proxy.inject({ kind: 'latency', ms: 0, jitter: 20 })
    client.received = ''
    let sent = ''
    for (let i = 0; i < 30; i++) {
      client.socket.write(`${i},`)
      sent += `${i},`
      await delay(1)
    }
    while (client.received.length < sent.length) await once(client.socket, 'data')
    expect(client.received).toBe(sent)
  })

  it('draws each jitter anew, from the random source it is given', async () => {
    await proxy.close()
    const draws = [0, 0.5]
    const taken: number[] = []
    proxy = await FaultProxy.start(proxy.target, {
      random: () => {
        const draw = draws[taken.length % draws.length] as number
        taken.push(draw)
        return draw
      },
    })
    const client = await open()
    proxy.inject({ kind: 'latency', ms: 0, jitter: 100 })
    const start = performance.now()
    await client.echo('x')
    expect(performance.now() - start).toBeGreaterThanOrEqual(50)
    expect(taken).toEqual([0, 0.5])
  })

  it('delivers what was delayed at once when the latency is healed', async () => {
    const client = await openAndEcho()
    const fault = proxy.inject({ kind: 'latency', ms: 60_000 })
    client.received = ''
    client.socket.write('held')
    await proxy.until(([flow]) => flow?.toServer.received === 9)
    fault.heal()
    while (client.received !== 'held') await once(client.socket, 'data')
  })

  it('delivers what was delayed by the latency that is healed, while another one stays', async () => {
    const client = await openAndEcho()
    const fault = proxy.inject({ kind: 'latency', ms: 60_000 })
    proxy.inject({ kind: 'latency', ms: 1 })
    client.received = ''
    client.socket.write('held')
    await proxy.until(([flow]) => flow?.toServer.received === 9)
    client.socket.write(', and what came after it')
    fault.heal()
    while (client.received !== 'held, and what came after it') await once(client.socket, 'data')
  })

  it('falls silent without FIN or RST, and delivers what was sent meanwhile when healed', async () => {
    const client = await openAndEcho()
    client.received = ''
    const fault = proxy.inject({ kind: 'silence' })
    client.socket.write('lost?')
    echo.sockets[0]?.end('bye')
    await proxy.until(([flow]) => flow?.toServer.received === 10 && flow.toClient.received === 8)
    await delay(20)
    expect(client).toMatchObject({ received: '', ended: false, error: undefined })
    expect(proxy.flows()).toMatchObject([{ toServer: { delivered: 5 }, toClient: { delivered: 5 }, serverOpen: false, clientOpen: true }])

    fault.heal()
    await once(client.socket, 'end')
    expect(client.received).toBe('bye')
    expect(proxy.flows()).toMatchObject([{ toServer: { delivered: 10 } }])
  })

  it('notices that a client left although the flow is silent, and tells the server only when healed', async () => {
    const client = await openAndEcho()
    proxy.inject({ kind: 'silence' })
    client.socket.destroy()
    await proxy.until(([flow]) => flow?.clientOpen === false)
    expect(proxy.flows()).toMatchObject([{ clientOpen: false, serverOpen: true }])
    expect(echo.sockets[0]?.readableEnded).toBe(false)
    await proxy.heal()
    await proxy.until((flows) => flows.length === 0)
  })

  it('makes a half-open flow when only one direction is silent', async () => {
    const client = await openAndEcho()
    proxy.inject({ kind: 'silence', direction: 'to-client' })
    client.received = ''
    const arrived = once(echo.sockets[0] as Socket, 'data')
    client.socket.write('there')
    expect((await arrived).toString()).toBe('there')
    await proxy.until(([flow]) => flow?.toClient.received === 10)
    expect(client.received).toBe('')
    await proxy.heal()
    while (client.received !== 'there') await once(client.socket, 'data')
  })

  it('resets the flows that are present, and new ones while the fault lasts', async () => {
    const first = await openAndEcho()
    const fault = proxy.inject({ kind: 'reset' })
    await first.closed()
    expect(first.error?.code).toBe('ECONNRESET')
    const second = new Client(proxy.port)
    await second.closed()
    expect(second.error?.code).toBe('ECONNRESET')
    fault.heal()
    expect(await (await open()).echo('fine')).toBe('fine')
  })

  it('refuses connects and leaves present flows alone, until healed', async () => {
    const present = await openAndEcho()
    await proxy.refuse()
    const refused = new Client(proxy.port)
    await refused.closed()
    expect(refused.error?.code).toBe('ECONNREFUSED')
    expect(await present.echo('still')).toBe('still')
    await proxy.heal()
    expect(await (await open()).echo('again')).toBe('again')
  })

  it('may be told to heal, refuse and close before the call before has ended', async () => {
    await proxy.refuse()
    await Promise.all([proxy.heal(), proxy.heal()])
    expect(await (await open()).echo('again')).toBe('again')
    await Promise.all([proxy.refuse(), proxy.heal(), proxy.refuse(), proxy.heal(), proxy.close()])
    const late = new Client(proxy.port)
    await late.closed()
    expect(late.error?.code).toBe('ECONNREFUSED')
  })

  it('does not listen again when it is closed while it begins to', async () => {
    await proxy.refuse()
    await Promise.all([proxy.heal(), proxy.close()])
    const late = new Client(proxy.port)
    await late.closed()
    expect(late.error?.code).toBe('ECONNREFUSED')
  })

  it('accepts and never answers: the server is not contacted before the fault is healed', async () => {
    const fault = proxy.inject({ kind: 'unanswered' })
    const client = await open()
    client.socket.write('anybody?')
    await proxy.until(([flow]) => flow?.toServer.received === 8)
    await delay(20)
    expect(client.received).toBe('')
    expect(echo.sockets).toHaveLength(0)
    expect(proxy.flows()).toMatchObject([{ serverSidePort: undefined, serverOpen: false }])
    fault.heal()
    while (client.received !== 'anybody?') await once(client.socket, 'data')
  })

  it('lists no flow whose client has left unanswered', async () => {
    proxy.inject({ kind: 'unanswered' })
    const [patient, impatient] = [await open(), await open()]
    await proxy.until((flows) => flows.length === 2)
    impatient.socket.end('anybody?')
    await proxy.until((flows) => flows.length === 1)
    expect(proxy.flows()).toMatchObject([{ clientPort: patient.socket.localPort, clientOpen: true }])
    expect(echo.sockets).toHaveLength(0)
  })

  it('lets no more bytes through than the bandwidth allows', async () => {
    const client = await openAndEcho()
    proxy.inject({ kind: 'bandwidth', bytesPerSecond: 10_000, direction: 'to-server' })
    const text = 'x'.repeat(2000)
    const start = performance.now()
    expect(await client.echo(text)).toBe(text)
    // The last slice of 500 bytes is not waited for: 1,500 bytes at 10,000 a second.
    expect(performance.now() - start).toBeGreaterThanOrEqual(149)
  })

  it('passes on at the rate that is left when a slower one is healed', async () => {
    const client = await openAndEcho()
    client.received = ''
    const slow = proxy.inject({ kind: 'bandwidth', bytesPerSecond: 0.001 })
    client.socket.write('held')
    await proxy.until(([flow]) => flow?.toServer.delivered === 6)
    proxy.inject({ kind: 'bandwidth', bytesPerSecond: 1000 })
    slow.heal()
    while (client.received !== 'held') await once(client.socket, 'data')
  })

  it('waits for what is later than a timer can be set to', async () => {
    const warnings: Error[] = []
    const warned = (warning: Error): unknown => warnings.push(warning)
    process.on('warning', warned)
    const client = await openAndEcho()
    proxy.inject({ kind: 'bandwidth', bytesPerSecond: 1e-7 })
    client.socket.write('held')
    await proxy.until(([flow]) => flow?.toServer.delivered === 6)
    await delay(20)
    process.off('warning', warned)
    expect(warnings).toEqual([])
  })

  it('holds a bounded amount for a silent flow, and loses nothing of it', async () => {
    const client = await openAndEcho()
    client.received = ''
    proxy.inject({ kind: 'silence' })
    const text = 'y'.repeat(30_000_000)
    client.socket.write(text)
    let before = -1
    while (proxy.flows()[0]?.toServer.received !== before) {
      before = proxy.flows()[0]?.toServer.received ?? 0
      await delay(50)
    }
    expect(before).toBeLessThan(2_000_000)
    await proxy.heal()
    while (client.received.length < text.length) await once(client.socket, 'data')
  })

  describe('chooses flows', () => {
    /** Which of the clients don't get an answer. */
    const silent = async (candidates: Client[]): Promise<number[]> => {
      for (const client of candidates) {
        client.received = ''
        client.socket.write('?')
      }
      await proxy.until((flows) => flows.every(({ toServer }) => toServer.received > 5))
      await delay(30)
      return candidates.flatMap(({ received }, index) => (received === '' ? [index] : []))
    }

    it('all that are present and all that come', async () => {
      const present = await openAndEcho()
      proxy.inject({ kind: 'silence' })
      const late = await open()
      late.socket.write('hello')
      expect(await silent([present, late])).toEqual([0, 1])
    })

    it('only those present', async () => {
      const present = await openAndEcho()
      proxy.inject({ kind: 'silence' }, 'present')
      expect(await silent([present, await openAndEcho()])).toEqual([0])
    })

    it('only new ones', async () => {
      const present = await openAndEcho()
      proxy.inject({ kind: 'silence' }, 'new')
      const late = await open()
      late.socket.write('hello')
      expect(await silent([present, late])).toEqual([1])
    })

    it('one by its id', async () => {
      const all = [await openAndEcho(), await openAndEcho(), await openAndEcho()]
      proxy.inject({ kind: 'silence' }, { id: 2 })
      expect(await silent(all)).toEqual([1])
    })

    it('by a function', async () => {
      const all = [await openAndEcho(), await openAndEcho(), await openAndEcho()]
      proxy.inject({ kind: 'silence' }, ({ clientPort }) => clientPort === all[2]?.socket.localPort)
      expect(await silent(all)).toEqual([2])
    })

    it('a share of those present, exactly', async () => {
      const all = [await openAndEcho(), await openAndEcho(), await openAndEcho(), await openAndEcho()]
      proxy.inject({ kind: 'silence' }, { share: 0.5, of: 'present' })
      expect(await silent(all)).toHaveLength(2)
    })

    it('a share of new ones, by chance', async () => {
      await proxy.close()
      const draws = [0.4, 0.6]
      proxy = await FaultProxy.start(proxy.target, { random: () => draws.shift() ?? 0 })
      proxy.inject({ kind: 'unanswered' }, { share: 0.5, of: 'new' })
      const all = [await open(), await open()]
      for (const { socket } of all) socket.write('hello')
      expect(await silent(all)).toEqual([0])
    })
  })

  it('adds faults up, and heals one while another stays', async () => {
    const client = await openAndEcho()
    proxy.inject({ kind: 'latency', ms: 20 })
    const more = proxy.inject({ kind: 'latency', ms: 20 })
    let start = performance.now()
    await client.echo('x')
    expect(performance.now() - start).toBeGreaterThanOrEqual(80)
    more.heal()
    more.heal()
    // Would take longer than the test may, if healing had done nothing.
    const endless = proxy.inject({ kind: 'latency', ms: 60_000 })
    endless.heal()
    start = performance.now()
    await client.echo('x')
    expect(performance.now() - start).toBeGreaterThanOrEqual(40)
  })

  it('leads new flows to another target after a fail-over, and leaves present ones where they are', async () => {
    const other = new Echo('B')
    const present = await openAndEcho()
    proxy.target = { port: await other.listen() }
    const late = await open()
    late.socket.write('x')
    while (late.received !== 'Bx') await once(late.socket, 'data')
    expect(await present.echo('x')).toBe('x')
    await other.close()
  })

  it('resets a client whose server cannot be reached', async () => {
    await echo.close()
    const client = await open()
    await client.closed()
    expect(client.error?.code).toBe('ECONNRESET')
    await proxy.until((flows) => flows.length === 0)
    echo = new Echo()
    await echo.listen()
  })

  it('leaves nothing when it is closed with flows in every condition', async () => {
    const all = [await openAndEcho(), await openAndEcho(), await openAndEcho()]
    proxy.inject({ kind: 'latency', ms: 60_000 }, { id: 1 })
    proxy.inject({ kind: 'silence' }, { id: 2 })
    proxy.inject({ kind: 'unanswered' }, 'new')
    all.push(await open())
    for (const { socket } of all) socket.write('x')
    await proxy.until((flows) => flows.length === 4)
    const gone = echo.sockets.map((socket) => once(socket, 'close'))
    for (const socket of echo.sockets) socket.resume()
    await proxy.close()
    await proxy.close()
    await Promise.all(gone)
    expect(proxy.flows()).toEqual([])
    const late = new Client(proxy.port)
    await late.closed()
    expect(late.error?.code).toBe('ECONNREFUSED')
  })

  it('rejects with what a condition throws that it waits for', async () => {
    const waiting = proxy.until(([flow]) => {
      if (flow !== undefined) throw new Error('not as it should be')
      return false
    })
    await Promise.all([expect(waiting).rejects.toThrow('not as it should be'), open()])
  })

  it('gives up waiting for a condition when the signal is aborted', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const waiting = proxy.until((flows) => flows.length === 7, { signal: controller.signal })
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
  })

  it.each([
    [{ kind: 'latency', ms: -1 }, 'all', 'latency.ms: got -1'],
    [{ kind: 'latency', ms: '5' }, 'all', 'latency.ms: got 5'],
    [{ kind: 'latency', ms: 1, jitter: Number.NaN }, 'all', 'latency.jitter: got NaN'],
    [{ kind: 'bandwidth', bytesPerSecond: 0 }, 'all', 'bandwidth.bytesPerSecond: got 0'],
    [{ kind: 'slience' }, 'all', 'kind: got slience'],
    [undefined, 'all', 'kind: got undefined'],
    [{ kind: 'silence', direction: 'to-sever' }, 'all', 'direction: got to-sever'],
    [{ kind: 'silence' }, 'presnt', 'scope: got presnt'],
    [{ kind: 'silence' }, null, 'id: got undefined'],
    [{ kind: 'silence' }, { id: undefined }, 'id: got undefined'],
    [{ kind: 'silence' }, { share: 1.5 }, 'share: got 1.5'],
    [{ kind: 'silence' }, { share: 0.5, of: 'presnt' }, 'of: got presnt'],
  ])('refuses %j for %j', (fault, scope, message) => {
    expect(() => proxy.inject(fault as Fault, scope as FaultScope)).toThrow(message)
  })

  it.each([
    [{ port: Number.NaN }, 'target.port: got NaN'],
    [{ port: 0 }, 'target.port: got 0'],
    [{ port: '5432' }, 'target.port: got 5432'],
    [{ host: '', port: 5432 }, 'target.host: got '],
    [undefined, 'target.port: got undefined'],
  ])('refuses the target %j, at its start and later', async (target, message) => {
    await expect(FaultProxy.start(target as ProxyTarget)).rejects.toThrow(message)
    expect(() => {
      proxy.target = target as ProxyTarget
    }).toThrow(message)
  })
})
