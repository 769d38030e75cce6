import { describe, expectTypeOf, test } from 'vitest'
import { createPool, createPools, type Driver, type Pool } from 'wellpool'
import { type TcpClient, type TcpOptions, tcp } from 'wellpool/tcp'

const lines = tcp({ port: 7, framing: 'line', probe: (client) => client.request('PING') })
const lengths = tcp({ port: 7, framing: { length: { bytes: 4, endian: 'little' } }, probe: (client) => client.request('PING') })

describe('tcp', () => {
  test('infers from the framing what a frame is', () => {
    expectTypeOf(lines).toEqualTypeOf<Driver<TcpClient<string>>>()
    expectTypeOf(lengths).toEqualTypeOf<Driver<TcpClient<Buffer>>>()
    expectTypeOf(tcp({ port: 7, framing: { line: '\r\n' }, probe: (client) => client.request('PING') })).toEqualTypeOf<
      Driver<TcpClient<string>>
    >()
    expectTypeOf(createPool(lines)).toEqualTypeOf<Pool<TcpClient<string>>>()
  })

  test('gives its functions the client and the frames', () => {
    tcp({
      port: 7,
      framing: { length: { bytes: 2 } },
      probe: (client, { signal }) => {
        expectTypeOf(client).toEqualTypeOf<TcpClient<Buffer>>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        expectTypeOf(client.request('PING')).toEqualTypeOf<Promise<Buffer>>()
      },
      onConnect: (client) => expectTypeOf(client).toEqualTypeOf<TcpClient<Buffer>>(),
      onRelease: (client) => expectTypeOf(client).toEqualTypeOf<TcpClient<Buffer>>(),
      onUnasked: (frame, client) => {
        expectTypeOf(frame).toEqualTypeOf<Buffer>()
        expectTypeOf(client).toEqualTypeOf<TcpClient<Buffer>>()
      },
      classify: (error, connecting) => {
        expectTypeOf(error).toBeUnknown()
        expectTypeOf(connecting).toEqualTypeOf<boolean>()
        return connecting ? 'fatal' : undefined
      },
    })
  })

  test('gives borrowers frames as they come', async () => {
    const pools = createPools({ echo: lines, bytes: lengths })
    expectTypeOf(pools.echo.use((client) => client.request('hello'))).toEqualTypeOf<Promise<string>>()
    expectTypeOf(pools.bytes.use((client) => client.receive({ timeout: '1s' }))).toEqualTypeOf<Promise<Buffer>>()
    await pools.echo.use(async (client) => {
      for await (const frame of client) expectTypeOf(frame).toEqualTypeOf<string>()
    })
  })

  test('takes options that were made elsewhere', () => {
    const options: TcpOptions<'line'> = { port: 7, framing: 'line', probe: (client) => client.request('PING') }
    expectTypeOf(tcp(options)).toEqualTypeOf<Driver<TcpClient<string>>>()
  })
})

describe('wrong options of tcp do not compile', () => {
  const probe = (client: TcpClient): Promise<string> => client.request('PING')

  test('without framing, or without a probe', () => {
    // @ts-expect-error: framing is missing
    tcp({ port: 7, probe })
    // @ts-expect-error: probe is missing
    tcp({ port: 7, framing: 'line' })
  })

  test('with a framing that does not exist', () => {
    // @ts-expect-error: no such framing
    tcp({ port: 7, framing: 'json', probe })
    // @ts-expect-error: no such number of bytes
    tcp({ port: 7, framing: { length: { bytes: 8 } }, probe: () => {} })
    // @ts-expect-error: no such order of bytes
    tcp({ port: 7, framing: { length: { bytes: 4, endian: 'middle' } }, probe: () => {} })
  })

  test('with a probe for other frames', () => {
    // @ts-expect-error: frames are bytes here
    tcp({ port: 7, framing: { length: { bytes: 4 } }, probe })
  })

  test('with an unknown option, or a value of another type', () => {
    // @ts-expect-error: no such option
    tcp({ port: 7, framing: 'line', probe, timeout: 5 })
    // @ts-expect-error: a port is a number
    tcp({ port: '7', framing: 'line', probe })
    // @ts-expect-error: no such class of errors
    tcp({ port: 7, framing: 'line', probe, classify: () => 'severe' })
  })

  test('with a client that was made by hand', () => {
    // @ts-expect-error: only the driver makes clients
    new TcpClient()
  })
})
