import { Socket } from 'node:net'
import { inspect } from 'node:util'
import { RABBITMQ, startRabbitmq } from '@wellpool/servers'
import type { ChannelModel } from 'amqplib'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AmqpOptions, amqp } from '../../src/drivers/amqp.ts'
import { createPool, type Driver } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code
const failure = (promise: Promise<unknown> | unknown) =>
  Promise.resolve(promise).then(
    () => expect.fail('it fulfilled'),
    (error: Error & { code?: unknown }) => error,
  )

await describeWith([RABBITMQ], 'amqp()', async () => {
  const server = await startRabbitmq()
  let proxy: FaultProxy
  let opened: [Driver<ChannelModel>, ChannelModel][]

  const driverOf = (options: AmqpOptions = {}) => amqp({ host: proxy.host, port: proxy.port, ...options })
  const open = async (options: AmqpOptions = {}, driver = driverOf(options)) => {
    const client = await driver.connect(context())
    opened.push([driver, client])
    const lost = vi.fn<(error?: unknown) => void>()
    driver.watch?.(client, { lost, retire: () => {} })
    return { driver, client, lost }
  }

  /** A queue of a connection of its own, and what comes next in it. */
  const openQueue = async () => {
    const reader = await (await open()).client.createChannel()
    const { queue } = await reader.assertQueue('', { exclusive: true })
    const arrived = async (): Promise<string | undefined> => {
      const message = await reader.get(queue, { noAck: true })
      return message === false ? undefined : String(message.content)
    }
    return { queue, arrived }
  }

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
    it('gives a connection over which messages go and come', async () => {
      await using pool = createPool(driverOf(), { maxConnections: 2 })
      const received = await pool.use(async (connection) => {
        const channel = await connection.createConfirmChannel()
        const { queue } = await channel.assertQueue('', { exclusive: true })
        channel.sendToQueue(queue, Buffer.from('hello'))
        await channel.waitForConfirms()
        const message = await channel.get(queue, { noAck: true })
        return message === false ? undefined : String(message.content)
      })
      expect(received).toBe('hello')
    })

    it('goes where an address says', async () => {
      const { client } = await open({}, amqp({ url: `amqp://guest:guest@${proxy.host}:${proxy.port}/%2F?heartbeat=7` }))
      expect((client.connection as unknown as { heartbeat: number }).heartbeat).toBe(7)
      const nowhere = amqp({ url: `amqp://guest:guest@${proxy.host}:${proxy.port}/nowhere` })
      await failure(nowhere.connect(context()))
    })

    it('asks for the password at each connect when it is a function, and knows it to be masked', async () => {
      const driver = driverOf({ password: async () => 'guest' })
      await open({}, driver)
      expect(driver.secrets?.()).toEqual(['guest'])
      const failing = new Error('the vault is sealed')
      await expect(driverOf({ password: () => Promise.reject(failing) }).connect(context())).rejects.toBe(failing)
    })

    it.each([
      ['a wrong password', { password: 'open barley' }, 'fatal'],
      ['a user that does not exist', { user: 'nobody', password: 'x' }, 'fatal'],
      ['a vhost that does not exist', { vhost: 'nowhere' }, 'transient'],
    ] as const)('with %s fails, and leaves nothing', async (_, options, meaning) => {
      const driver = driverOf(options)
      const error = await failure(driver.connect(context()))
      expect(driver.classify?.(error)).toBe(meaning)
      await proxy.until((flows) => flows.length === 0)
    })

    it('over a limit of connections, or to nobody, is worth another try', async () => {
      await server.control('set_user_limits', 'guest', '{"max-connections": 0}')
      const driver = driverOf()
      const limited = await failure(driver.connect(context()))
      await server.control('clear_user_limits', 'guest', 'max-connections')
      await proxy.refuse()
      const refused = await failure(driver.connect(context()))
      expect([limited, refused].map((error) => driver.classify?.(error))).toEqual(['transient', 'transient'])
      expect(codeOf(refused)).toBe('ECONNREFUSED')
    })

    it('keeps TCP alive, and tells the broker its name', async () => {
      const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive')
      await open({ keepAliveDelay: '12s', connectionName: 'orders' })
      expect(keepAlive).toHaveBeenCalledWith(true, 12_000)
      expect(await server.control('list_connections', 'client_properties')).toContain('"connection_name","orders"')
    })
  })

  describe('an error of a channel', () => {
    it.each([
      ['a queue that does not exist', 404, (client: ChannelModel) => client.createChannel().then((ch) => ch.checkQueue('nowhere'))],
      [
        'a queue that is otherwise',
        406,
        async (client: ChannelModel) => {
          const channel = await client.createChannel()
          await channel.assertQueue('other', { exclusive: true, autoDelete: false })
          await channel.assertQueue('other', { exclusive: true, autoDelete: true })
        },
      ],
    ] as const)('(%s) is the application’s own, and its connection goes on', async (_, code, use) => {
      const { driver, client, lost } = await open()
      const error = await failure(use(client))
      expect([codeOf(error), driver.classify?.(error)]).toEqual([code, 'application'])
      await driver.check(client, { signal: never })
      expect(driver.reset?.(client)).toBeUndefined()
      expect(lost).not.toHaveBeenCalled()
    })

    it.each([
      [
        'a confirm that will not come',
        'channel closed',
        async (client: ChannelModel) => {
          const channel = await client.createConfirmChannel()
          channel.publish('no such exchange', 'key', Buffer.from('lost'))
          await channel.waitForConfirms()
        },
      ],
      [
        'an answer that is not sent any more',
        'Channel ended, no reply will be forthcoming',
        async (client: ChannelModel) => {
          const channel = await client.createChannel()
          channel.checkQueue('nowhere').catch(() => {})
          await channel.assertQueue('', { exclusive: true })
        },
      ],
    ] as const)('(%s) is the application’s own for those that waited behind it', async (_, message, use) => {
      const { driver, client, lost } = await open()
      const error = await failure(use(client))
      expect([error.message, driver.classify?.(error)]).toEqual([message, 'application'])
      await driver.check(client, { signal: never })
      expect(lost).not.toHaveBeenCalled()
    })

    it('that nobody waits for ends no process', async () => {
      const { driver, client } = await open()
      const channel = await client.createChannel()
      const closed = new Promise((resolve) => channel.once('close', resolve))
      channel.publish('no such exchange', 'key', Buffer.from('lost'))
      await closed
      await driver.check(client, { signal: never })
    })
  })

  describe('reset', () => {
    it('closes channels that are open still, and what was not acknowledged goes back', async () => {
      const { driver, client } = await open()
      expect(driver.reset?.(client)).toBeUndefined()
      const [first, second] = [await client.createChannel(), await client.createConfirmChannel()]
      const { queue } = await first.assertQueue('', { exclusive: true })
      first.sendToQueue(queue, Buffer.from('unread'))
      await vi.waitFor(async () => expect(await second.get(queue)).toBeTruthy())
      await driver.reset?.(client)
      expect(driver.reset?.(client)).toBeUndefined()
      const error = await failure((async () => first.checkQueue(queue))())
      expect(driver.classify?.(error)).toBe('application')
      const message = await (await client.createChannel()).get(queue)
      expect(message === false ? message : [String(message.content), message.fields.redelivered]).toEqual(['unread', true])
    })

    it('waits for a channel that its borrower is closing, and what was published on it arrives', async () => {
      const { queue, arrived } = await openQueue()
      const { driver, client } = await open()
      const channel = await client.createChannel()
      channel.sendToQueue(queue, Buffer.from('last words'))
      void channel.close()
      await driver.reset?.(client)
      expect(driver.reset?.(client)).toBeUndefined()
      await vi.waitFor(async () => expect(await arrived()).toBe('last words'))
    })
  })

  describe('close', () => {
    it('says goodbye behind what was published', async () => {
      const { queue, arrived } = await openQueue()
      const { driver, client } = await open()
      const channel = await client.createChannel()
      channel.sendToQueue(queue, Buffer.from('last words'))
      await driver.close(client)
      await vi.waitFor(async () => expect(await arrived()).toBe('last words'))
    })
  })

  describe('watch', () => {
    it('reports a broker that ends the connection, with its words', async () => {
      const { driver, client, lost } = await open()
      await server.control('close_all_connections', 'maintenance')
      await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce())
      const [error] = lost.mock.calls[0] ?? []
      expect([codeOf(error), driver.classify?.(error)]).toEqual([320, 'fatal'])
      const after = await failure((async () => client.createChannel())())
      expect(driver.classify?.(after)).toBe('fatal')
    })

    it('reports missed heartbeats', async () => {
      const { driver, lost } = await open({ heartbeat: '1s' })
      proxy.inject({ kind: 'silence' })
      await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce(), { timeout: 20_000 })
      const [error] = lost.mock.calls[0] ?? []
      expect([(error as Error).message, driver.classify?.(error)]).toEqual(['Heartbeat timeout', 'fatal'])
    })
  })

  it('fails the checks of a connection that the broker has blocked, until it is free', async () => {
    const { driver, client, lost } = await open()
    const blocked = new Promise((resolve) => client.once('blocked', resolve))
    await server.control('set_vm_memory_high_watermark', 'absolute', '1')
    const channel = await client.createChannel()
    channel.publish('', 'nowhere', Buffer.from('hello'))
    await blocked
    await expect((async () => driver.check(client, { signal: never }))()).rejects.toMatchObject({ name: 'BlockedError' })
    const free = new Promise((resolve) => client.once('unblocked', resolve))
    await server.control('set_vm_memory_high_watermark', '0.4')
    await free
    await driver.check(client, { signal: never })
    expect(lost).not.toHaveBeenCalled()
  })

  it('lets borrowers share a connection when asked to', async () => {
    expect(driverOf().maxLeasesPerConnection).toBe(1)
    await using pool = createPool(driverOf({ maxLeasesPerConnection: 10 }), { minConnections: 0, maxConnections: 2 })
    await pool.use(async () => {})
    const use = () => pool.use(async (connection) => (await connection.createChannel()).close())
    await Promise.all(Array.from({ length: 10 }, use))
    expect(proxy.flows()).toHaveLength(1)
  })

  it('does not report what the pool itself has ended, nor show its secrets', async () => {
    const [closed, destroyed] = [await open(), await open()]
    await Promise.all([closed.driver.close(closed.client), closed.driver.close(closed.client)])
    destroyed.driver.destroy(destroyed.client)
    await proxy.until((flows) => flows.length === 0)
    expect([closed.lost, destroyed.lost].flatMap(({ mock }) => mock.calls)).toEqual([])
    const driver = driverOf({ password: 'open sesame', tls: { key: 'PEM', passphrase: 'barley' } })
    expect(driver.secrets?.()).toEqual(['open%20sesame', 'open sesame', 'barley', 'PEM'])
    expect(inspect(driver, { depth: 9, showHidden: true })).not.toMatch(/sesame|barley|PEM/)
    expect(() => driverOf().reset?.(closed.client)).toThrow('this client was not made by this driver')
  })

  it('holds the process, or lets it end', async () => {
    const unref = vi.spyOn(Socket.prototype, 'unref')
    const { driver, client } = await open()
    const { heartbeater } = client.connection as unknown as { heartbeater: Record<'sendTimer' | 'recvTimer', NodeJS.Timeout> }
    driver.unref?.(client)
    const { _handle: handle } = unref.mock.contexts.at(-1) as unknown as { _handle: { hasRef(): boolean } }
    const held = () => [handle, heartbeater.sendTimer, heartbeater.recvTimer].map((each) => each.hasRef())
    expect(held()).toEqual([false, false, false])
    driver.ref?.(client)
    expect(held()).toEqual([true, true, true])
  })

  it('holds the process, or lets it end, without heartbeats too', async () => {
    const { driver, client } = await open({ heartbeat: 0 })
    driver.unref?.(client)
    driver.ref?.(client)
    await driver.check(client, { signal: never })
  })
})
