import { inspect } from 'node:util'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { postgres, postgresFrom } from '../../src/drivers/postgres.ts'
import { ConfigError, ConnectError, createPool } from '../../src/index.ts'
import { describePostgres } from '../support/postgres.ts'

const context = () => ({ signal: new AbortController().signal, connectionId: 'test-1', attempt: 1 })

await describePostgres('postgresFrom()', (url) => {
  const open = async (driver: ReturnType<typeof postgresFrom>) => {
    const client = await driver.connect(context())
    onTestFinished(() => driver.destroy(client))
    return client
  }

  it('connects the clients that it is given, one for each connect, and sets them up', async () => {
    class Named extends pg.Client {
      readonly title = 'mine'
    }
    const createClient = vi.fn(() => new Named(url))
    const driver = postgresFrom(createClient, { onConnect: (client) => client.query("set application_name = 'mine'") })
    await using pool = createPool(driver, { maxConnections: 2, minConnections: 2 })
    await pool.start()
    const { rows } = await pool.use((client) => {
      expect((client as Named).title).toBe('mine')
      return client.query('show application_name')
    })
    expect(rows).toEqual([{ application_name: 'mine' }])
    expect(createClient).toHaveBeenCalledTimes(2)
  })

  it('does for them what it does for its own', async () => {
    const driver = postgresFrom(() => new pg.Client(url))
    expect(Object.keys(driver).sort()).toEqual(Object.keys(postgres()).sort())
    const client = await open(driver)
    await client.query('begin')
    await driver.reset?.(client)
    expect(client.getTransactionStatus()).toBe('I')
    await expect(driver.check(client, context())).resolves.toBeUndefined()
    await driver.close(client)
    await expect(driver.check(client, context())).rejects.toThrow()
  })

  it('calls their connect and end with a callback, as pg’s pool does', async () => {
    const calls: string[] = []
    class Old extends pg.Client {
      override connect(done?: unknown): Promise<pg.Client> {
        calls.push('connect')
        return super.connect((error: Error | null) => (done as (error: Error | null) => void)(error)) as never
      }
      override end(done?: unknown): Promise<void> {
        calls.push('end')
        return super.end(() => (done as () => void)()) as never
      }
    }
    const driver = postgresFrom(() => new Old(url))
    await driver.close(await driver.connect(context()))
    expect(calls).toEqual(['connect', 'end'])
  })

  it('knows their passwords and the keys of their TLS, that which a function gives as well', async () => {
    const { hostname: host, port, username: user, password, pathname } = new URL(url)
    const address = { host, port: Number(port), user, database: pathname.slice(1) }
    const driver = postgresFrom(() => new pg.Client({ ...address, password: async () => 'a wrong one' }))
    const error = await driver.connect(context()).catch((reason: unknown) => reason)
    expect(driver.classify?.(error)).toBe('fatal')
    expect(driver.secrets?.()).toContain('a wrong one')
    expect(inspect(error, { depth: 9 })).not.toContain('a wrong one')

    const known = postgresFrom(() => new pg.Client({ ...address, password, ssl: { key: 'a key', passphrase: 'a phrase' } }))
    await known.connect(context()).catch(() => {})
    expect(known.secrets?.()).toEqual(expect.arrayContaining([password, 'a key', 'a phrase']))
  })

  it('refuses what makes no clients that it can work with, and does not try it again soon', async () => {
    expect(() => postgresFrom(undefined as unknown as () => pg.Client)).toThrow(ConfigError)
    const driver = postgresFrom(() => ({}) as pg.Client)
    await using pool = createPool(driver)
    const error = await pool.acquire().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConnectError)
    expect(error).toMatchObject({ retryable: false, message: expect.stringContaining('a client without a connection') })
  })
})
