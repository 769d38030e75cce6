import { createClient, RESP_TYPES, type RedisClientType } from 'redis'
import { describe, expectTypeOf, test } from 'vitest'
import { createPool, createPools, type Driver, type Pool } from 'wellpool'
import { type RedisBaseOptions, type RedisClient, redis } from 'wellpool/redis'

describe('redis()', () => {
  test('gives a pool of clients of node-redis', () => {
    const driver = redis({ url: 'redis://localhost' })
    expectTypeOf(driver).toEqualTypeOf<Driver<RedisClient>>()
    expectTypeOf<RedisClient>().toEqualTypeOf<RedisClientType>()
    const pool = createPool(driver)
    expectTypeOf(pool).toEqualTypeOf<Pool<RedisClient>>()
    expectTypeOf(createPool(redis())).toEqualTypeOf<Pool<RedisClient>>()
    const pools = createPools({ cache: driver })
    expectTypeOf(pools.cache.use((client) => client.get('key'))).resolves.toEqualTypeOf<string | null>()
  })

  test('gives a pool of the application’s own clients', () => {
    const driver = redis({
      createClient: (options) => {
        expectTypeOf(options).toEqualTypeOf<RedisBaseOptions>()
        return createClient({ ...options, RESP: 2, commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } })
      },
    })
    expectTypeOf(createPool(driver).use((client) => client.get('key'))).resolves.toEqualTypeOf<Buffer | null>()
  })

  test('hands onConnect the client', () => {
    redis({
      onConnect: (client, { signal }) => {
        expectTypeOf(client).toEqualTypeOf<RedisClient>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      },
    })
  })
})

describe('a wrong option of redis() does not compile', () => {
  test('by its name', () => {
    // @ts-expect-error: that is the pool's part
    redis({ socket: { reconnectStrategy: false } })
    // @ts-expect-error: misspelt
    redis({ databse: 1 })
  })

  test('by its type', () => {
    // @ts-expect-error: a number
    redis({ database: '1' })
    // @ts-expect-error: a function that returns a text
    redis({ password: () => 42 })
    // @ts-expect-error: a client of node-redis
    redis({ createClient: () => 'client' })
    // @ts-expect-error: a number
    redis({ maxLeasesPerConnection: 'many' })
  })
})
