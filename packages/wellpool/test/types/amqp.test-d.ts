import type { Channel, ChannelModel } from 'amqplib'
import { describe, expectTypeOf, test } from 'vitest'
import { createPool, type Driver, type Pool } from 'wellpool'
import { amqp } from 'wellpool/amqp'

describe('amqp', () => {
  test("has amqplib's connection for a client", () => {
    expectTypeOf(amqp()).toEqualTypeOf<Driver<ChannelModel>>()
    const pool = createPool(amqp({ host: 'rabbit.internal', password: async ({ signal }) => String(signal.aborted) }))
    expectTypeOf(pool).toEqualTypeOf<Pool<ChannelModel>>()
    expectTypeOf(pool.use((connection) => connection.createChannel())).toEqualTypeOf<Promise<Channel>>()
  })

  test('does not compile with a wrong option', () => {
    // @ts-expect-error: no such option
    amqp({ uri: 'amqp://localhost' })
    // @ts-expect-error: a number
    amqp({ port: '5672' })
    // @ts-expect-error: a text
    amqp({ password: () => 5 })
  })
})
