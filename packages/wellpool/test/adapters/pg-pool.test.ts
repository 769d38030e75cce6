import { inspect } from 'node:util'
import type pg from 'pg'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type PgPoolOptions, Pool } from '../../src/adapters/pg-pool.ts'
import { ConfigError } from '../../src/index.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { runSnippet } from '../docs/snippets.ts'
import { describePostgres } from '../support/postgres.ts'

/** What a pool with these options is refused for, by their names. */
function refused(options: object): string[] {
  try {
    new Pool(options as PgPoolOptions)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).problems.map(({ path }) => path)
  }
}

describe('options', () => {
  it('that are no numbers where numbers belong are refused, all at once', () => {
    expect(
      refused({ max: 'many', min: -1, maxUses: 1.5, idleTimeoutMillis: {}, connectionTimeoutMillis: -1, maxLifetimeSeconds: 3e6 }),
    ).toEqual(['max', 'min', 'maxUses', 'connectionTimeoutMillis', 'idleTimeoutMillis', 'maxLifetimeSeconds'])
    expect(refused({ max: 2, min: 3 })).toEqual(['min'])
  })

  it('may be numbers written as texts, or not there', () => {
    expect(refused({ max: '5', min: '1', idleTimeoutMillis: '1000', connectionTimeoutMillis: undefined, maxUses: '7' })).toEqual([])
    expect(refused({ max: 0, min: null, idleTimeoutMillis: null, maxUses: 0, maxLifetimeSeconds: 0 })).toEqual([])
    expect(new Pool({ max: '5' } as never).wellpool.options.maxConnections).toBe(5)
  })

  it('may be null, as those of pg-pool', () => {
    expect(new Pool(null as never).options.max).toBe(10)
  })

  it('become those of the pool underneath', () => {
    const { options } = new Pool({
      max: 7,
      min: 2,
      idleTimeoutMillis: 5000,
      connectionTimeoutMillis: 3000,
      maxLifetimeSeconds: 60,
      maxUses: 100,
      allowExitOnIdle: true,
    }).wellpool
    expect(options).toMatchObject({
      maxConnections: 7,
      minConnections: 2,
      idleTimeout: 5000,
      acquireTimeout: 3000,
      connectTimeout: 3000,
      maxLifetime: 60_000,
      maxUses: 100,
      allowExitOnIdle: true,
      failFast: true,
    })
    // Without a time-out borrowers wait for ever, and a connect has the time that every pool gives it.
    const unhurried = new Pool().wellpool.options
    expect([unhurried.acquireTimeout, unhurried.connectTimeout, unhurried.maxLifetime]).toEqual([0, undefined, 0])
  })

  it('of the pool underneath win, and are refused like those of every pool', () => {
    const pool = new Pool({ max: 7, wellpool: { name: 'orders', maxConnections: 9, failFast: false } })
    expect(pool.wellpool.name).toBe('orders')
    expect(pool.wellpool.options).toMatchObject({ maxConnections: 9, failFast: false })
    expect(refused({ wellpool: { maxConections: 9 } })).toEqual(['maxConections'])
  })

  it('have decisions written to log, without a secret', async () => {
    const log = vi.fn()
    const pool = new Pool({ host: '127.0.0.1', port: 1, user: 'me', password: 'open sesame', log })
    await expect(pool.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await pool.end()
    expect(log).toHaveBeenCalledWith('breakerOpened', expect.objectContaining({ protocol: 'postgres' }))
    expect(inspect([log.mock.calls, pool, pool.options], { depth: 9 })).not.toContain('open sesame')
  })
})

await describePostgres('Pool', (url) => {
  const { hostname: host, port, username: user, password, pathname } = new URL(url)
  const address = { host, port: Number(port), user, password, database: pathname.slice(1) }

  /** A pool whose server is behind a proxy. */
  const proxied = async (options: PgPoolOptions = {}) => {
    const proxy = await FaultProxy.start({ host, port: Number(port) })
    const pool = new Pool({ ...address, host: proxy.host, port: proxy.port, ...options })
    onTestFinished(async () => {
      proxy.heal()
      await pool.end()
      await proxy.close()
    })
    return { pool, proxy }
  }

  it('has the pool underneath at hand', async () => {
    const { pool } = await proxied({ wellpool: { name: 'orders' } })
    await pool.query('select 1')
    expect(pool.wellpool.stats()).toMatchObject({ name: 'orders', protocol: 'postgres', idle: 1 })
    const [connection] = pool.wellpool.connections()
    expect(connection).toMatchObject({ health: 'healthy', requests: 1 })
    expect(await pool.wellpool.rebuildConnectionById(connection?.id ?? '')).toMatchObject({ success: true, newGeneration: 2 })
  })

  it('fails whoever comes while the server is down, and serves whoever comes when it is back', async () => {
    const { pool, proxy } = await proxied()
    await proxy.refuse()
    for (let attempt = 0; attempt < 3; attempt++) await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    proxy.heal()
    await vi.waitFor(() => pool.query('select 1'), { timeout: 30_000, interval: 10 })
  })

  it('rides out an outage with failFast false', async () => {
    const { pool, proxy } = await proxied({ connectionTimeoutMillis: 30_000, wellpool: { failFast: false } })
    await proxy.refuse()
    const asked = pool.query('select 1 as one')
    pool.wellpool.on('connectFailed', ({ attempt }) => attempt === 2 && proxy.heal())
    expect((await asked).rows).toEqual([{ one: 1 }])
  })

  it('says that all clients are in use also where the pool underneath has fewer than max', async () => {
    const { pool } = await proxied({ connectionTimeoutMillis: 1000, wellpool: { maxConnections: 1 } })
    const client = await pool.connect()
    await expect(pool.connect()).rejects.toThrow('timeout exceeded when trying to connect')
    client.release()
  })

  it('tells a borrower whose client is dead before any time-out', async () => {
    const { pool, proxy } = await proxied()
    for (let query = 0; query < 10; query++) await pool.query('select 1')
    const client = await pool.connect()
    proxy.inject({ kind: 'silence' }, 'present')
    // Asked over another connection, the server says that it waits for a command.
    await expect(client.query('select 1')).rejects.toThrow('Connection terminated')
    client.release()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('makes the others prove themselves when one was lost in use', async () => {
    const { pool, proxy } = await proxied({ max: 3 })
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    clients[1].release()
    clients[2].release()
    proxy.inject({ kind: 'silence' }, 'present')
    clients[0].release(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('refuses clients that it can’t look into', async () => {
    const pool = new Pool({ ...address, Client: class {} as never })
    await expect(pool.connect()).rejects.toBeInstanceOf(ConfigError)
    await pool.end()
  })

  it.each([
    ['pg-pool', "import pg from 'pg'\nconst { Pool } = pg"],
    ['wellpool/pg-pool', "import { Pool } from 'wellpool/pg-pool'"],
  ])('%s lets the process end with allowExitOnIdle, and not otherwise', { timeout: 60_000 }, async (_, head) => {
    const program = (options: string): string => `${head}
      const pool = new Pool({ connectionString: process.env.DATABASE_URL, idleTimeoutMillis: 0, ${options} })
      await pool.query('select 1')
      const client = await pool.connect()
      console.log((await client.query("select 'answered' as word from pg_sleep(0.05)")).rows[0].word)
      client.release()
      process.on('exit', () => console.log('exit'))`
    const run = (options: string, within: number) =>
      runSnippet({ title: 'exit.md:1', code: program(options), fragment: false }, url, within)
    expect(await run('allowExitOnIdle: true', 30_000)).toBe('answered\nexit\n')
    await expect(run('', 3000)).rejects.toThrow('does not end')
  })

  it('is a pg.Pool to TypeScript', () => {
    const pool: pg.Pool = new Pool(address)
    expect(pool).toBeInstanceOf(Pool)
  })
})
