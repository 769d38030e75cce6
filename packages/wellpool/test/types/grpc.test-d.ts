import { Client, credentials } from '@grpc/grpc-js'
import { describe, expectTypeOf, test } from 'vitest'
import { createPool, createPools, type Driver, type Pool } from 'wellpool'
import { type GrpcClientOptions, grpc } from 'wellpool/grpc'

declare class OrdersClient extends Client {
  find(id: number): Promise<{ readonly total: number }>
}

const address = 'orders.internal:50051'
const insecure = credentials.createInsecure()
const orders = grpc({ address, credentials: insecure, client: (...parameters) => new OrdersClient(...parameters) })

describe('grpc', () => {
  test('infers the client from the function that makes it', () => {
    expectTypeOf(orders).toEqualTypeOf<Driver<OrdersClient>>()
    expectTypeOf(createPool(orders)).toEqualTypeOf<Pool<OrdersClient>>()
    const pools = createPools({ orders })
    expectTypeOf(pools.orders.use((client) => client.find(5))).toEqualTypeOf<Promise<{ readonly total: number }>>()
  })

  test('gives that function what a generated client takes', () => {
    grpc({
      address,
      credentials: insecure,
      client: (target, given, options) => {
        expectTypeOf(target).toEqualTypeOf<string>()
        expectTypeOf(given).toEqualTypeOf(insecure)
        expectTypeOf(options).toEqualTypeOf<GrpcClientOptions>()
        return new Client(target, given, options)
      },
    })
  })
})

describe('wrong options of grpc do not compile', () => {
  const client = (...parameters: ConstructorParameters<typeof Client>) => new OrdersClient(...parameters)

  test('without address, credentials or client', () => {
    // @ts-expect-error: address is missing
    grpc({ credentials: insecure, client })
    // @ts-expect-error: credentials are missing
    grpc({ address, client })
    // @ts-expect-error: client is missing
    grpc({ address, credentials: insecure })
  })

  test('with an unknown option, or a value of another type', () => {
    // @ts-expect-error: no such option
    grpc({ address, credentials: insecure, client, deadline: 5 })
    // @ts-expect-error: credentials of grpc-js
    grpc({ address, credentials: 'insecure', client })
    // @ts-expect-error: a client is an object
    grpc({ address, credentials: insecure, client: () => 5 })
  })
})
