import { setTimeout as delay } from 'node:timers/promises'
import { REDIS_PROGRAM, type RedisServer, startRedis } from '@wellpool/servers'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RedisClient, redis } from '../../src/drivers/redis.ts'
import { askAboutPeer, type Flow, identifyPeer, type PeerReader } from '../../src/drivers/redis-opinion.ts'
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
      await Promise.all(Array.from({ length: 4 }, () => pool.use((client) => client.blPop('nothing', 1.2))))
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
      proxy.inject({ kind: 'bandwidth', bytesPerSecond: 400_000 }, 'present')
      const value = await pool.use((client) => client.get('big'))
      expect(value).toHaveLength(600_000)
      expect(pool.stats()).toMatchObject({ rebuildsStarted: 0, secondOpinions: { gone: 0 } })
      expect(pool.stats().secondOpinions.working).toBeGreaterThanOrEqual(1)
    })

    it('a command on a server that the address does not lead to any more', async () => {
      await using other = await startRedis({ settings: { requirepass: server.password } })
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.target = other
      expect(await pool.use((client) => client.blPop('nothing', 1.2))).toBeNull()
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
      expect(pool.stats().secondOpinions).toMatchObject({ gone: 1, unknown: 0 })
    })

    it('a transaction that never arrives', async () => {
      const pool = await open({ maxConnections: 1, minConnections: 1 })
      proxy.inject({ kind: 'silence' }, 'present')
      await expect(pool.use((client) => client.multi().incr('key').exec())).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    })
  })
})

describe('askAboutPeer', () => {
  const LIMIT = 20
  const never = new AbortController().signal
  const silent: Flow = { peer: { id: 7, run: 'a' }, inFlight: 1, quietFor: 5000, bytesRead: 100 }
  const saying = (...lines: string[]): PeerReader => new Batch(async () => lines.map((line) => `${line}\n`).join(''))
  const waiting = 'id=7 addr=127.0.0.1:1 name= idle=5 flags=N qbuf=0 obl=0 oll=0 omem=0 cmd=get'
  const ask = (flow: Partial<Flow>, reader: PeerReader, { run }: { run: string | undefined } = { run: 'a' }) =>
    askAboutPeer({ ...silent, ...flow }, reader, run === undefined ? undefined : { id: 8, run }, { limit: LIMIT, signal: never })

  it.each([
    ['has nothing to do', 'gone', waiting],
    ['waits in a blocking command', 'working', waiting.replace('flags=N', 'flags=b')],
    ['waits in a blocking command while subscribed', 'working', waiting.replace('flags=N', 'flags=Pb')],
    ['is about to be ended', 'working', waiting.replace('flags=N', 'flags=A')],
    ['has had half of a command for long', 'gone', waiting.replace('qbuf=0', 'qbuf=17')],
    ['has a reply that nobody takes, for long', 'gone', waiting.replace('oll=0', 'oll=3')],
  ])('a session that %s is %s', async (_, opinion, line) => {
    expect(await ask({}, saying(waiting.replace('id=7', 'id=77'), line))).toBe(opinion)
  })

  it.each(['qbuf', 'obl', 'oll', 'omem'])('a command or a reply that is on its way in parts is given more time (%s)', async (field) => {
    expect(await ask({ quietFor: 9 * LIMIT }, saying(waiting.replace(`${field}=0`, `${field}=9`)))).toBe('working')
  })

  it('a session that is not there is gone', async () => {
    expect(await ask({}, saying())).toBe('gone')
    expect(await ask({}, saying(waiting.replace('id=7', 'id=77')))).toBe('gone')
  })

  it('what arrives at the last moment is waited for', async () => {
    const flow = { ...silent, bytesRead: 100 as number }
    const asking = askAboutPeer(flow, saying(waiting), { id: 8, run: 'a' }, { limit: LIMIT, signal: never })
    await delay(LIMIT / 4)
    flow.bytesRead = 101
    expect(await asking).toBe('working')
  })

  it('is no matter while nothing is in flight, or something was sent or answered', async () => {
    expect(await ask({ inFlight: 0 }, saying())).toBe('working')
    expect(await ask({ quietFor: 10 }, saying(waiting))).toBe('working')
  })

  it.each([
    ['its own session is not known', { peer: undefined }, 'a'],
    ['the other one is with another server, or another run of it', {}, 'b'],
    ['the other one does not know its server', {}, undefined],
    ['what comes in can’t be seen', { bytesRead: undefined }, 'a'],
  ] as const)('is unknown when %s', async (_, flow, run) => {
    expect(await ask(flow as Partial<Flow>, saying(waiting), { run })).toBe('unknown')
  })
})

describe('identifyPeer', () => {
  const info = '# Server\r\nredis_version:7.0.15\r\nrun_id:abc123\r\ntcp_port:6379\r\n'

  it('reads whose a session is', async () => {
    expect(await identifyPeer(async (name) => (name === 'CLIENT' ? 7 : info))).toEqual({ id: 7, run: 'abc123' })
  })

  it.each([
    ['may not be told', async () => Promise.reject(new Error('NOPERM'))],
    ['is not told by a proxy', async (name: string) => (name === 'CLIENT' ? 7 : 'proxy:yes')],
  ])('knows nothing where that %s', async (_, ask) => {
    expect(await identifyPeer(ask)).toBeUndefined()
  })
})
