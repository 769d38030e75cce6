import { expect, test } from 'vitest'
import { Pool as PgPool } from '../src/adapters/pg-pool.ts'
import { amqp } from '../src/drivers/amqp.ts'
import { mysql } from '../src/drivers/mysql.ts'
import { postgres } from '../src/drivers/postgres.ts'
import { redis } from '../src/drivers/redis.ts'
import { ConfigError, createPool, createPools } from '../src/index.ts'
import { createFakeDriver, FakeClock } from '../src/testing/index.ts'

const SECRET = 's3cr3t'
const ADDRESS = `postgres://me:${SECRET}@host/db` as never

test.each<[string, () => unknown]>([
  ['postgres()', () => postgres(ADDRESS)],
  ['mysql()', () => mysql(ADDRESS)],
  ['redis()', () => redis(ADDRESS)],
  ['amqp()', () => amqp(ADDRESS)],
  ['the pool in place of a driver', () => createPool(ADDRESS)],
  ['the pool in place of options', () => createPool(createFakeDriver({ clock: new FakeClock() }), ADDRESS)],
  ['a set of pools', () => createPools({ orders: { driver: ADDRESS } })],
  ['a pool of a set', () => createPools({}).add('orders', ADDRESS)],
  ['the drop-in for pg-pool', () => new PgPool(ADDRESS)],
])('the address given to %s, which wants an object, is refused and not shown', (_, make) => {
  let thrown: unknown
  try {
    make()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(ConfigError)
  const { message, stack } = thrown as ConfigError
  expect(message).toContain('got a text')
  expect(`${message}${stack}${JSON.stringify(thrown)}`).not.toContain(SECRET)
})
