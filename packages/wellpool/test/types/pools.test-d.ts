import { describe, expectTypeOf, test } from 'vitest'
import { createPools, type Driver, type Pool, type PoolStats } from 'wellpool'

interface Query {
  query(text: string): Promise<unknown[]>
}
interface Shell {
  exec(command: string): Promise<string>
}

declare const database: Driver<Query>
declare const device: Driver<Shell>

const pools = createPools(
  { orders: database, billing: { driver: database, maxConnections: 4 }, 'router-17': { driver: device, rebuildMaxSurge: 0 } },
  { acquireTimeout: '5s' },
)

describe('createPools', () => {
  test('gives each pool its name and its client, with options or without', () => {
    expectTypeOf(pools.orders).toEqualTypeOf<Pool<Query>>()
    expectTypeOf(pools.billing).toEqualTypeOf<Pool<Query>>()
    expectTypeOf(pools['router-17']).toEqualTypeOf<Pool<Shell>>()
    expectTypeOf(pools.orders.use((client) => client.query('select 1'))).toEqualTypeOf<Promise<unknown[]>>()
    expectTypeOf(pools['router-17'].use((client) => client.exec('show version'))).toEqualTypeOf<Promise<string>>()
  })

  test('has no other names', () => {
    // @ts-expect-error: no such pool
    pools.shipping
    // @ts-expect-error: no such pool
    pools['router-18']
  })

  test('does not let a pool be replaced', () => {
    // @ts-expect-error: read-only
    pools.orders = pools.billing
  })

  test('refuses what is neither a driver nor a spec', () => {
    // @ts-expect-error: no driver
    createPools({ orders: { maxConnections: 5 } })
    // @ts-expect-error: no driver
    createPools({ orders: 'postgres://' })
    // @ts-expect-error: no such option
    createPools({ orders: { driver: database, max: 5 } })
    // @ts-expect-error: of the wrong type
    createPools({ orders: { driver: database, maxConnections: '5' } })
  })

  test('takes no name: a pool is called what its key says', () => {
    // @ts-expect-error: the key is the name
    createPools({ orders: { driver: database, name: 'other' } })
    // @ts-expect-error: of all pools at once
    createPools({ orders: database }, { name: 'other' })
  })
})

describe('a set of pools', () => {
  test('that grows knows the client of the pool that was added', () => {
    expectTypeOf(pools.add('shipping', database)).toEqualTypeOf<Pool<Query>>()
    expectTypeOf(pools.add('router-18', device, { maxConnections: 1 })).toEqualTypeOf<Pool<Shell>>()
    // @ts-expect-error: of the wrong type
    pools.add('shipping', database, { maxConnections: true })
  })

  test('has figures by name and one life cycle', () => {
    expectTypeOf(pools.stats()).toEqualTypeOf<Record<string, PoolStats>>()
    expectTypeOf(pools.start()).toEqualTypeOf<Promise<void>>()
    expectTypeOf(pools.drain({ timeout: '10s' })).toEqualTypeOf<Promise<void>>()
    expectTypeOf(pools).toExtend<AsyncDisposable>()
  })

  test('can be made of drivers whose names are not known beforehand', () => {
    const some: Record<string, Driver<Query>> = {}
    expectTypeOf(createPools(some).orders).toEqualTypeOf<Pool<Query> | undefined>()
  })

  test('is empty when it is made from nothing', () => {
    const none = createPools({})
    // @ts-expect-error: there is none
    none.orders
  })
})
