import type { Connection, RowDataPacket } from 'mysql2/promise'
import { describe, expectTypeOf, test } from 'vitest'
import { createPool, createPools, type Driver, type Pool } from 'wellpool'
import { type MysqlOptions, mysql } from 'wellpool/mysql'

interface Order extends RowDataPacket {
  id: number
}

describe('mysql()', () => {
  test('gives a pool of connections of mysql2/promise', async () => {
    const driver = mysql({ uri: 'mysql://app@localhost/orders' })
    expectTypeOf(driver).toEqualTypeOf<Driver<Connection>>()
    const pool = createPool(driver)
    expectTypeOf(pool).toEqualTypeOf<Pool<Connection>>()
    const pools = createPools({ orders: driver })
    expectTypeOf(pools.orders.use(async (client) => (await client.query<Order[]>('select * from orders'))[0])).resolves.toEqualTypeOf<
      Order[]
    >()
  })

  test('takes a password as a text or as a function, of either kind', () => {
    mysql({ password: 'x' })
    mysql({ password: () => 'x' })
    mysql({ password: async ({ signal }) => String(signal.aborted) })
  })

  test('hands onConnect the client', () => {
    mysql({
      onConnect: (client, { signal }) => {
        expectTypeOf(client).toEqualTypeOf<Connection>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      },
    })
  })

  test('takes undefined for what is not given', () => {
    expectTypeOf<{ user: string | undefined }>().toExtend<MysqlOptions>()
  })
})

describe('a wrong option of mysql() does not compile', () => {
  test('by its name', () => {
    // @ts-expect-error: of mysql2's own pool
    mysql({ connectionLimit: 10 })
    // @ts-expect-error: where to connect to is said elsewhere
    mysql({ client: { host: 'db' } })
  })

  test('by its type', () => {
    // @ts-expect-error: a number
    mysql({ port: '3306' })
    // @ts-expect-error: a function that returns a text
    mysql({ password: () => 42 })
    // @ts-expect-error: a flag
    mysql({ resetAlways: 'yes' })
    // @ts-expect-error: a flag
    mysql({ client: { rowsAsArray: 'yes' } })
  })
})
