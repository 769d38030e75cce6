import { createRequire } from 'node:module'
import { REDIS_PROGRAM, startRedis } from '@wellpool/servers'
import pg from 'pg'
import { afterAll, expect, it, onTestFinished, vi } from 'vitest'
import { createPool, type Pool } from '../../src/adapters/generic-pool.ts'
import { describeWith } from '../support/describe-if.ts'
import { describePostgres } from '../support/postgres.ts'
import { BALANCES, DEPOSIT, describeBank, WITHDRAW } from './bank.ts'

await describePostgres('clients of pg in a pool of wellpool/generic-pool', (url) => {
  describeBank(url, async (address) => {
    const pool = createPool<pg.Client>(
      {
        create: async () => {
          const client = new pg.Client(address)
          client.on('error', () => {})
          try {
            await client.connect()
          } catch (error) {
            await client.end()
            throw error
          }
          return client
        },
        destroy: (client) => client.end(),
        validate: (client) => client.query('select 1').then(Boolean, () => false),
      },
      { max: 5, testOnBorrow: true, acquireTimeoutMillis: 2000, destroyTimeoutMillis: 100 },
    )
    pool.on('factoryDestroyError', () => {})
    const query = async (text: string): Promise<pg.QueryResult> => pool.use((client) => client.query(text))
    return {
      transfer: (fail) =>
        pool.use(async (client) => {
          await client.query('begin')
          await client.query(WITHDRAW)
          if (fail === true) throw new Error('half-way')
          await client.query(DEPOSIT)
          await client.query('commit')
        }),
      balances: async () => (await query(BALANCES)).rows.map(({ balance }) => balance),
      sleep: (seconds) => query(`select pg_sleep(${seconds})`),
      close: async () => {
        await pool.drain()
        await pool.clear()
      },
    }
  })
})

/** node-redis 4, which has generic-pool for its isolated executions, with ours in its place. */
function loadRedis() {
  const require = createRequire(import.meta.url)
  const fromRedis = createRequire(require.resolve('redis-client-1'))
  const replaced = fromRedis.resolve('generic-pool')
  fromRedis(replaced)
  const pools: Pool<unknown>[] = []
  const create: typeof createPool = (factory, options) => {
    const pool = createPool(factory, options)
    pools.push(pool as Pool<unknown>)
    return pool
  }
  Object.assign(fromRedis.cache[replaced] ?? {}, { exports: { createPool: create } })
  return { pools, redis: require('redis-client-1') as typeof import('redis-client-1') }
}

await describeWith([REDIS_PROGRAM], 'node-redis 4 with its pool replaced', async () => {
  const server = await startRedis()
  afterAll(() => server.close())
  const { pools, redis } = loadRedis()

  const open = async () => {
    const client = redis.createClient({
      socket: { host: server.host, port: server.port },
      password: server.password,
      isolationPoolOptions: { max: 3 },
    })
    client.on('error', () => {})
    await client.connect()
    onTestFinished(async () => {
      if (client.isOpen) await client.disconnect()
    })
    const pool = pools.at(-1) as Pool<unknown>
    return { client, pool }
  }
  type Client = Awaited<ReturnType<typeof open>>['client']

  /** Adds one, as whoever watches a key does: again when somebody else was faster. */
  const add = (client: Client): Promise<void> =>
    client.executeIsolated(async (isolated) => {
      for (;;) {
        await isolated.watch('count')
        const count = Number(await isolated.get('count'))
        const done = await isolated
          .multi()
          .set('count', count + 1)
          .exec()
          .then(
            () => true,
            (error: Error) => (error instanceof redis.WatchError ? false : Promise.reject(error)),
          )
        if (done) return
      }
    })

  it('does transactions in isolation', async () => {
    const { client, pool } = await open()
    await client.set('count', 0)
    await Promise.all(Array.from({ length: 20 }, () => add(client)))
    expect(await client.get('count')).toBe('20')
    expect(pool.size).toBeLessThanOrEqual(3)
    expect(pool.borrowed).toBe(0)
  })

  it('recovers when the server has ended all its sessions: what has failed once is replaced', async () => {
    const { client, pool } = await open()
    await client.set('count', 0)
    await Promise.all(Array.from({ length: 5 }, () => add(client)))
    const admin = await open()
    await admin.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    // Its factory has no validate, so that nobody knows better than the first to ask.
    let failures = 0
    for (let call = 0; call < 10; call++) await add(client).catch(() => failures++)
    expect(failures).toBeLessThanOrEqual(3)
    await vi.waitFor(async () => expect(await client.get('count')).toBe(String(15 - failures)))
    expect(pool.borrowed).toBe(0)
  })

  it('leaves nothing when it is disconnected', async () => {
    const { client, pool } = await open()
    await client.set('count', 0)
    await add(client)
    await client.disconnect()
    await vi.waitFor(() => expect(pool.wellpool.stats().state).toBe('closed'))
  })
})
