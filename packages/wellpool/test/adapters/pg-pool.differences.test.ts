import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Pool } from '../../src/adapters/pg-pool.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describePostgres } from '../support/postgres.ts'
import { DIFFERENCES } from './pg-pool.differences.ts'

await describePostgres('differences', (url) => {
  const { hostname: host, port, username: user, password, pathname } = new URL(url)
  const address = { host, port: Number(port), user, password, database: pathname.slice(1) }
  const admin = new pg.Client(url)
  let proxy: FaultProxy
  let pools: pg.Pool[] = []

  beforeAll(async () => {
    await admin.connect()
    proxy = await FaultProxy.start({ host, port: Number(port) })
  })

  afterAll(async () => {
    await admin.end()
    await proxy.close()
  })

  afterEach(async () => {
    proxy.heal()
    await Promise.all(pools.map((pool) => pool.ending || pool.end()))
    pools = []
  })

  describe.each(DIFFERENCES)('$title', ({ run, pgPool, wellpool }) => {
    it.each([
      ['with pg-pool', pg.Pool, pgPool],
      ['with wellpool/pg-pool', Pool as unknown as typeof pg.Pool, wellpool],
    ] as const)('%s', async (_, PoolClass, expected) => {
      const open = (options?: pg.PoolConfig): pg.Pool => {
        const pool = new PoolClass({ ...address, ...options })
        pools.push(pool)
        return pool
      }
      expect(await run({ open, admin, proxy })).toEqual(expected)
    })
  })
})
