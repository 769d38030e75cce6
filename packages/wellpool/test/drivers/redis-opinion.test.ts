import { setTimeout as delay } from 'node:timers/promises'
import { REDIS_PROGRAM, type RedisServer, startRedis } from '@wellpool/servers'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RedisClient, redis } from '../../src/drivers/redis.ts'
import { type Flow, identifyPeer, PeerInquiry, type PeerReader } from '../../src/drivers/redis-opinion.ts'
import { createPool, type Pool, type PoolOptions } from '../../src/index.ts'
import { Batch } from '../../src/shared/batch.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'

/** A script that keeps the whole server busy. */
const BUSY = `local until_us = tonumber(redis.call('TIME')[1]) * 1000000 + tonumber(redis.call('TIME')[2]) + 600000
  while tonumber(redis.call('TIME')[1]) * 1000000 + tonumber(redis.call('TIME')[2]) < until_us do end return 1`

await describeWith([REDIS_PROGRAM], 'the second opinion on Redis', () => {
  let server: RedisServer
  let proxy: FaultProxy
  let pools: Pool<RedisClient>[]

  /** A pool whose usual command is short. */
  const open = async (options: PoolOptions = {}): Promise<Pool<RedisClient>> => {
    const driver = redis({ host: proxy.host, port: proxy.port, password: server.password })
    const pool = createPool(driver, { name: 'opinions', maxConnections: 4, minConnections: 4, ...options })
    pools.push(pool)
    await pool.start()
    for (let command = 0; command < 20; command++) await pool.use((client) => client.get('key'))
    return pool
  }
  const admin = async (...command: string[]): Promise<unknown> => {
    const client = createClient({ url: server.url })
    await client.connect()
    try {
      return await client.sendCommand(command)
    } finally {
      client.destroy()
    }
  }

  /** Until it has been asked so often what the server is doing: how soon that is depends on how busy the machine is. */
  const asked = async (pool: Pool<RedisClient>, times: number): Promise<void> => {
    while (Object.values(pool.stats().secondOpinions).reduce((sum, count) => sum + count, 0) < times) await delay(5)
  }

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())
  beforeEach(async () => {
    pools = []
    proxy = await FaultProxy.start(server)
  })
  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.close({ timeout: 0 })))
    await proxy.close()
  })

  describe('leaves alone', () => {
    it('commands that block, on all connections at once', async () => {
      const pool = await open()
      const waiting = Promise.all(Array.from({ length: 4 }, () => pool.use((client) => client.blPop('gate', 0))))
      await asked(pool, 4)
      await admin('RPUSH', 'gate', '1', '2', '3', '4')
      await waiting
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0, unknown: 0 } })
      expect(pool.stats().secondOpinions.working).toBeGreaterThanOrEqual(4)
    })

    it('a script that keeps the whole server busy', async () => {
      const pool = await open({ healthCheckTimeout: '5s' })
      expect(await pool.use((client) => client.eval(BUSY))).toBe(1)
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0 } })
    })

    it('an application that thinks between its commands', async () => {
      const pool = await open()
      await pool.use(async (client) => {
        for (let thought = 0; thought < 10; thought++) {
          await delay(120)
          await client.get('key')
        }
        await delay(700)
      })
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0 } })
    })

    it('a reply that takes its time over a slow line', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      await admin('SET', 'big', 'x'.repeat(600_000))
      const slow = proxy.inject({ kind: 'bandwidth', bytesPerSecond: 50_000 }, 'present')
      const reading = pool.use((client) => client.get('big'))
      await asked(pool, 1)
      slow.heal()
      expect(await reading).toHaveLength(600_000)
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0 } })
      expect(pool.stats().secondOpinions.working).toBeGreaterThanOrEqual(1)
    })

    it.each<[what: string, write: (client: RedisClient) => Promise<unknown>]>([
      ['a command', (client) => client.set('big', 'x'.repeat(8_000_000))],
      ['a command of many arguments', (client) => client.del(Array.from({ length: 400_000 }, (_, index) => `no-such-key-${index}`))],
      ['a transaction', (client) => client.multi().set('big', Buffer.alloc(8_000_000)).exec()],
      ['a pipeline', (client) => client.multi().set('big', Buffer.alloc(8_000_000)).execAsPipeline()],
    ])('%s that takes long to send', async (_, write) => {
      const driver = redis({ host: proxy.host, port: proxy.port, password: server.password })
      const signal = AbortSignal.timeout(30_000)
      const connect = () => driver.connect({ signal, connectionId: 'test-1', attempt: 1 })
      const client = await connect()
      proxy.inject({ kind: 'bandwidth', bytesPerSecond: 10_000_000, direction: 'to-server' }, 'present')
      const other = await connect()
      let answered = false
      const answer = write(client).finally(() => {
        answered = true
      })
      const opinions = new Set()
      while (!answered) opinions.add(await driver.secondOpinion?.(client, other, { limit: 20, signal }))
      await answer
      expect([...opinions]).toEqual(['working'])
      for (const each of [client, other]) await driver.close(each)
    })

    it('a command on a server that the address does not lead to any more', async () => {
      await using other = await startRedis({ settings: { requirepass: server.password } })
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.target = other
      const waiting = pool.use((client) => client.blPop('gate', 0))
      await asked(pool, 1)
      await admin('RPUSH', 'gate', 'open')
      expect(await waiting).toEqual({ key: 'gate', element: 'open' })
      expect(pool.stats().secondOpinions).toMatchObject({ working: 0, gone: 0 })
      expect(pool.stats().secondOpinions.unknown).toBeGreaterThanOrEqual(1)
    })
  })

  describe('finds out', () => {
    it('flows that have fallen silent under commands, and idempotent ones run elsewhere at once', async () => {
      const pool = await open()
      proxy.inject({ kind: 'silence' }, 'present')
      await Promise.all(Array.from({ length: 8 }, () => pool.use((client) => client.get('key'), { idempotent: true })))
      expect(pool.stats().secondOpinions.gone).toBe(4)
      expect(pool.stats().open).toBeLessThanOrEqual(5)
    })

    it('flows on which only the replies are lost', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.inject({ kind: 'silence', direction: 'to-client' }, 'present')
      await pool.use((client) => client.get('key'), { idempotent: true })
      expect(pool.stats().secondOpinions.gone).toBe(1)
    })

    it('a blocking command whose flow dies on the way, when the server has ended it', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      const use = pool.use((client) => client.blPop('nothing', 0.6))
      await delay(100)
      proxy.inject({ kind: 'silence' }, 'present')
      await expect(use).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
      expect(pool.stats().secondOpinions.gone).toBe(1)
    })

    it('a transaction that never arrives', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.inject({ kind: 'silence' }, 'present')
      await expect(pool.use((client) => client.multi().incr('key').exec())).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    })
  })
})

describe('PeerInquiry', () => {
  const LIMIT = 20
  /** A flow on which nothing has happened for so long, ms. */
  const silent = (quietFor = 5000): { -readonly [Key in keyof Flow]: Flow[Key] } => ({
    peer: { id: 7, run: 'a' },
    inFlight: 1,
    sentBytes: 100,
    lastAt: performance.now() - quietFor,
    bytesRead: 100,
    bytesReadThen: 100,
  })
  const saying = (...lines: string[]): PeerReader => new Batch(async () => lines.map((line) => `${line}\n`).join(''))
  const waiting = 'id=7 addr=127.0.0.1:1 name= idle=5 flags=N qbuf=0 obl=0 oll=0 omem=0 cmd=get'
  const waitingSince = (seconds: number): PeerReader => saying(waiting.replace('idle=5', `idle=${seconds}`))
  const ask = (flow: Flow, reader: PeerReader, { run }: { run: string | undefined } = { run: 'a' }) =>
    new PeerInquiry(flow).ask(reader, run === undefined ? undefined : { id: 8, run }, LIMIT)

  it.each([
    ['has had nothing to do for seconds', 'gone', waiting],
    ['waits in a blocking command', 'working', waiting.replace('flags=N', 'flags=b')],
    ['waits in a blocking command while subscribed', 'working', waiting.replace('flags=N', 'flags=Pb')],
    ['is about to be ended', 'working', waiting.replace('flags=N', 'flags=A')],
  ])('a session that %s is %s', async (_, opinion, line) => {
    expect(await ask(silent(), saying(waiting.replace('id=7', 'id=77'), line))).toBe(opinion)
  })

  it.each(['qbuf', 'obl', 'oll', 'omem', 'a part of the reply'])(
    'a command or a reply that is on its way in parts is given more time (%s)',
    async (field) => {
      const flow = field.length > 4 ? { ...silent(), bytesRead: 150 } : silent()
      const inquiry = new PeerInquiry(flow)
      const again = () => inquiry.ask(saying(waiting.replace(`${field}=0`, `${field}=9`)), { id: 8, run: 'a' }, LIMIT)
      expect(await again()).toBe('working')
      await delay(3 * LIMIT)
      expect(await again()).toBe('working')
      await delay(8 * LIMIT)
      expect(await again()).toBe('gone')
    },
  )

  it('a command that is large is given the time that it takes to arrive', async () => {
    expect(await ask({ ...silent(), sentBytes: 8 << 20 }, saying(waiting))).toBe('working')
    expect(await ask({ ...silent(12_000), sentBytes: 8 << 20 }, saying(waiting))).toBe('gone')
    expect(await ask({ ...silent(), sentBytes: 8 << 20 }, saying())).toBe('gone')
  })

  it('a session that is not there is gone', async () => {
    expect(await ask(silent(), saying())).toBe('gone')
    expect(await ask(silent(), saying(waiting.replace('id=7', 'id=77')))).toBe('gone')
  })

  it.each([0, 1])('a session that has had nothing to do for %i s is gone when it is found so again, and not before', async (seconds) => {
    const inquiry = new PeerInquiry(silent(200))
    const again = () => inquiry.ask(waitingSince(seconds), { id: 8, run: 'a' }, LIMIT)
    expect(await again()).toBe('unknown')
    expect(await again()).toBe('unknown')
    await delay(LIMIT + 5)
    expect(await again()).toBe('gone')
  })

  it.each<[what: string, happen: (flow: ReturnType<typeof silent>) => void]>([
    ['another reply has come in', (flow) => Object.assign(flow, { bytesRead: 101, bytesReadThen: 101 })],
    ['another command was sent', (flow) => Object.assign(flow, { lastAt: performance.now() - 2 * LIMIT })],
  ])('begins anew when %s since', async (_, happen) => {
    const flow = silent(200)
    const inquiry = new PeerInquiry(flow)
    const again = () => inquiry.ask(waitingSince(0), { id: 8, run: 'a' }, LIMIT)
    expect(await again()).toBe('unknown')
    await delay(LIMIT + 5)
    happen(flow)
    expect(await again()).toBe('unknown')
  })

  it('what comes in with the answer counts', async () => {
    const flow = silent()
    const reader: PeerReader = new Batch(async () => {
      flow.bytesRead = 101
      return waiting
    })
    expect(await ask(flow, reader)).toBe('working')
  })

  it('is no matter while nothing is in flight, or something was sent or answered', async () => {
    expect(await ask({ ...silent(), inFlight: 0 }, saying())).toBe('working')
    expect(await ask(silent(0), saying(waiting))).toBe('working')
  })

  it.each([
    ['its own session is not known', { peer: undefined }, 'a'],
    ['the other one is with another server, or another run of it', {}, 'b'],
    ['the other one does not know its server', {}, undefined],
    ['what comes in can’t be seen', { bytesRead: undefined }, 'a'],
  ] as const)('is unknown when %s', async (_, flow, run) => {
    expect(await ask({ ...silent(), ...flow } as Flow, saying(waiting), { run })).toBe('unknown')
  })
})

describe('identifyPeer', () => {
  const info = '# Server\r\nredis_version:7.0.15\r\nrun_id:abc123\r\ntcp_port:6379\r\n'

  it.each([7, '7', Buffer.from('7')])('reads whose a session is, whatever numbers are read as', async (id) => {
    expect(await identifyPeer(async (name) => (name === 'CLIENT' ? id : info))).toEqual({ id: 7, run: 'abc123' })
  })

  it.each([
    ['may not be told', async () => Promise.reject(new Error('NOPERM'))],
    ['is not told by a proxy', async (name: string) => (name === 'CLIENT' ? 7 : 'proxy:yes')],
  ])('knows nothing where that %s', async (_, ask) => {
    expect(await identifyPeer(ask)).toBeUndefined()
  })
})
