import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { describe, expectTypeOf, test } from 'vitest'
import { createPool, createPools, type Driver, type Pool } from 'wellpool'
import { type Http2Options, http2 } from 'wellpool/http2'

describe('http2', () => {
  test("has Node's session for a client", () => {
    expectTypeOf(http2({ url: 'https://localhost' })).toEqualTypeOf<Driver<ClientHttp2Session>>()
    expectTypeOf(createPool(http2({ url: 'https://localhost' }))).toEqualTypeOf<Pool<ClientHttp2Session>>()
    const pools = createPools({ api: http2({ url: 'https://localhost' }) })
    expectTypeOf(pools.api.use((session) => session.request({ ':path': '/' }))).toEqualTypeOf<Promise<ClientHttp2Stream>>()
  })

  test('gives onConnect the session', () => {
    http2({
      url: 'https://localhost',
      onConnect: (session, { signal }) => {
        expectTypeOf(session).toEqualTypeOf<ClientHttp2Session>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      },
    })
  })

  test('takes options that may be undefined', () => {
    const options: Http2Options = { url: 'https://localhost', tls: undefined, maxLeasesPerConnection: undefined }
    expectTypeOf(http2(options)).toEqualTypeOf<Driver<ClientHttp2Session>>()
  })
})

describe('wrong options of http2 do not compile', () => {
  test('without url, or with one of another type', () => {
    // @ts-expect-error: url is missing
    http2({})
    // @ts-expect-error: a text
    http2({ url: new URL('https://localhost') })
  })

  test('with an unknown option, or a value of another type', () => {
    // @ts-expect-error: no such option
    http2({ url: 'https://localhost', port: 443 })
    // @ts-expect-error: an object
    http2({ url: 'https://localhost', tls: true })
    // @ts-expect-error: no such setting
    http2({ url: 'https://localhost', settings: { maxStreams: 5 } })
  })
})
