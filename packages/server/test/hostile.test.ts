import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connect as connectTls } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { TEST_CERTIFICATE, TEST_KEY } from '../../wellpool/test/support/tls.ts'
import { startScene, until } from './support/server.ts'

/** Sends bytes and reads what comes until the server hangs up. */
function raw(url: string, text: string, { end = false, within = 30_000 } = {}): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connectTcp(Number(port), hostname, () => (end ? socket.end(text) : socket.write(text)))
    let got = ''
    socket.setTimeout(within, () => socket.destroy(new Error(`the server says nothing more, after: ${got}`)))
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1')
    })
    socket.on('close', (hadError) => (hadError ? reject(new Error('broken')) : resolve(got)))
    socket.on('error', reject)
  })
}

const statusOf = (answer: string): string => answer.split('\r\n')[0] ?? ''

describe('bad input', () => {
  it.each<[string, string, string, number, string]>([
    ['JSON that breaks off', 'pools/orders/pause', '{ "failWaiting": ', 400, 'INVALID_REQUEST'],
    ['JSON that is no object', 'pools/orders/pause', '[1]', 400, 'INVALID_REQUEST'],
    ['a text for a truth value', 'pools/orders/pause', '{ "failWaiting": "true" }', 400, 'INVALID_REQUEST'],
    ['a number for a truth value', 'pools/orders/pause', '{ "failWaiting": 1 }', 400, 'INVALID_REQUEST'],
    ['a name that there is not', 'pools/orders/pause', '{ "failWaitng": true }', 400, 'INVALID_REQUEST'],
    ['a prototype', 'pools/orders/pause', '{ "__proto__": { "failWaiting": true } }', 400, 'INVALID_REQUEST'],
    ['a constructor', 'pools/orders/pause', '{ "constructor": { "prototype": {} } }', 400, 'INVALID_REQUEST'],
    ['no duration', 'rebuild', '{ "timeout": "soon" }', 400, 'INVALID_CONFIG'],
    ['a duration below 0', 'rebuild', '{ "timeout": -1 }', 400, 'INVALID_CONFIG'],
    ['a duration of another type', 'rebuild', '{ "timeout": {} }', 400, 'INVALID_REQUEST'],
    ['a duration as long as a novel', 'rebuild', JSON.stringify({ timeout: '1s'.repeat(1_000) }), 400, 'INVALID_REQUEST'],
    ['a number that is no number', 'rebuild', '{ "timeout": NaN }', 400, 'INVALID_REQUEST'],
    ['JSON with a mark of its byte order, cut off', 'rebuild', '\ufeff{', 400, 'INVALID_REQUEST'],
    ['JSON with something behind it', 'rebuild', '{} {}', 400, 'INVALID_REQUEST'],
    ['a name with a NUL in it', 'rebuild', '{ "all\\u0000": true }', 400, 'INVALID_REQUEST'],
    ['a huge body', 'rebuild', JSON.stringify({ timeout: 'x'.repeat(100_000) }), 413, 'BODY_TOO_LARGE'],
    ['deep nesting', 'rebuild', '['.repeat(30_000) + ']'.repeat(30_000), 400, 'INVALID_REQUEST'],
  ])('%s is refused', async (_, route, body, status, code) => {
    const { call, pools } = await startScene()
    const answer = await call('POST', route, body)
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(answer.body).toMatchObject({ type: expect.stringMatching(/^urn:wellpool:problem:/), title: expect.any(String), status })
    expect(pools.get('orders')?.stats().state).toBe('running')
    expect(({} as { failWaiting?: boolean }).failWaiting).toBeUndefined()
  })

  it.each([
    ['an address that can’t be decoded', 'GET /api/v1/pools/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['a name that is longer than any', `GET /api/v1/pools/${'x'.repeat(300)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 414, 'NAME_TOO_LONG'],
    [
      'headers that are longer than is read',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['what is no HTTP', 'hello\r\n\r\n', 400, 'INVALID_REQUEST'],
  ])('%s is a problem like all others', async (_, text, status, code) => {
    const { url } = await startScene()
    const answer = await raw(url, text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(statusOf(head)).toContain(`HTTP/1.1 ${status} `)
    expect(head.toLowerCase()).toContain('content-type: application/problem+json')
    expect(JSON.parse(body)).toMatchObject({ type: expect.stringMatching(/^urn:wellpool:problem:/), status, code })
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/json-evil',
  ])('a body of type %s is refused', async (type) => {
    const { call } = await startScene()
    const { status, body } = await call('POST', 'pools/orders/pause', '{}', { 'content-type': type })
    expect([status, body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  it.each([
    ['connections?state=sleeping', 400],
    ['connections?marked=maybe', 400],
    ['connections?unknown=1', 400],
    ['events?limit=0', 400],
    ['events?limit=1e9', 400],
    ['events?after=-1', 400],
    ['events?names=rebuildMarked&names=poolClosed', 400],
    ['pools/orders/timeline?seconds=601', 400],
    [`pools/${'x'.repeat(300)}`, 414],
    ['pools/%00', 404],
    ['pools/%FF', 400],
    ['pools/..%2f..%2fetc', 404],
    ['pools/__proto__', 404],
    ['pools/constructor', 404],
    ['pools/stats', 404],
    ['nothing', 404],
  ])('%s is answered with %s', async (route, status) => {
    const { call } = await startScene()
    expect((await call('GET', route)).status).toBe(status)
  })

  it.each([
    'pools/orders/pause',
    'pools/orders/evict',
    'pools/orders/rebuild',
    'protocols/memory/rebuild',
    'rebuild',
    'pools/orders/resume',
  ])('the word null is as good as no body for %s', async (route) => {
    const { call } = await startScene()
    expect((await call('POST', route, 'null')).status).toBe(200)
  })

  it('that is compressed is not taken for what it may be', async () => {
    const { url } = await startScene()
    const response = await fetch(`${url}/api/v1/rebuild`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('{}'),
    })
    expect(response.status).toBe(400)
  })

  it('of a method that there is not is refused', async () => {
    const { call } = await startScene()
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) expect((await call(method, 'pools')).status).toBe(404)
  })

  it('names what is wrong and where', async () => {
    const { call } = await startScene()
    const { body } = await call('POST', 'pools/orders/evict', { interruptInUse: 'yes' })
    expect(body).toMatchObject({
      detail: 'body.interruptInUse must be boolean',
      problems: [{ path: 'body.interruptInUse', allowed: 'must be boolean' }],
    })
  })

  it('of the server’s own faults tells nothing but that there was one', async () => {
    const { call, pools } = await startScene()
    Object.assign(pools, { stats: undefined })
    const pool = pools.get('orders')
    Object.assign(pool ?? {}, {
      stats: () => {
        throw new Error('at /secret/path with password sesame')
      },
    })
    const { status, body } = await call('GET', 'pools')
    expect([status, body]).toEqual([500, expect.objectContaining({ code: 'INTERNAL', detail: 'see the log of the server' })])
    Reflect.deleteProperty(pool ?? {}, 'stats')
    Reflect.deleteProperty(pools, 'stats')
  })
})

describe('on the wire', () => {
  it.each([
    ['two lengths', 'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    [
      'a length and chunks',
      'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['chunks by another name', 'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    [
      'a coding that nobody undoes',
      'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
    ['chunks in another coding', 'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n'],
    ['a space before the colon', 'GET /api/v1/pools HTTP/1.1\r\nHost : localhost\r\n\r\n'],
    ['a header over two lines', 'GET /api/v1/pools HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n'],
    ['no Host', 'GET /api/v1/pools HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /api/v1/pools HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'],
    ['nonsense', 'HELLO\r\n\r\n'],
    ['a proxy’s address', 'GET http://evil.example/api/v1/pools HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a length that is none', 'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}'],
    ['a length below 0', 'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{}'],
    ['a NUL in a header', 'GET /api/v1/pools HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n'],
    ['HTTP/0.9', 'GET /api/v1/pools\r\n\r\n'],
    ['another HTTP', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['headers without end', `GET /api/v1/pools HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(10_000)}\r\n`],
  ])('%s is refused', async (_, request) => {
    const { url } = await startScene()
    const answer = await raw(url, request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    expect(statusOf(answer)).toMatch(/^HTTP\/1\.1 4\d\d/)
  })

  it('what can’t be read is answered where that answer can be told from others, and hung up on otherwise', async () => {
    const { url, server, orders, billing } = await startScene()
    const { hostname, port } = new URL(url)
    /** Sends the one and, when that has come to what it says, the other: what is answered until the server hangs up. */
    const ask = async (first: string, ready: (got: string) => unknown, second: string): Promise<string[]> => {
      const socket: Socket = connectTcp(Number(port), hostname)
      let got = ''
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1')
      })
      const closed = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve))
      socket.write(first)
      await until(() => ready(got))
      socket.write(second)
      await closed
      return [...got.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status)
    }
    const nonsense = 'nonsense\r\n\r\n'
    const get = (route: string): string => `GET ${route} HTTP/1.1\r\nHost: localhost\r\n\r\n`
    const post = (pool: string, more: string): string => `POST /api/v1/pools/${pool}/rebuild HTTP/1.1\r\nHost: localhost\r\n${more}\r\n\r\n`
    const chunked = post('orders', 'Content-Type: application/json\r\nTransfer-Encoding: chunked')
    expect(await ask(get('/healthz'), (got) => got.includes('ok'), nonsense)).toEqual(['200', '400'])
    expect(await ask(chunked, () => true, nonsense)).toEqual(['400'])
    const stream = get('/api/v1/events/stream')
    expect(await ask(stream, () => server.parts.observation.stream.clients === 1, nonsense)).toEqual(['200'])
    for (const [pool, driver, behind] of [
      ['orders', orders, nonsense],
      ['billing', billing, chunked + nonsense],
    ] as const) {
      const [release, made] = [driver.holdChecks(), driver.made()]
      const rebuild = `${post(pool, 'Content-Type: application/json\r\nContent-Length: 12')}{"all":true}`
      expect(await ask(rebuild, () => driver.made() > made, behind)).toEqual([])
      release()
    }
  })

  it('a second request hidden in the body of the first is not answered', async () => {
    const { url, pools } = await startScene()
    const hidden = 'POST /api/v1/pools/orders/pause HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const answer = await raw(
      url,
      `GET /api/v1/pools HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${hidden.length}\r\nConnection: close\r\n\r\n${hidden}`,
    )
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(pools.get('orders')?.stats().state).toBe('running')
  })

  it('changes that come at once, one behind the other, are made and written down in their order', async () => {
    const { url, call, pools } = await startScene()
    const change = (action: string, connection: string): string =>
      `POST /api/v1/pools/orders/${action} HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\n\r\n`
    const answer = await raw(url, change('pause', 'keep-alive') + change('resume', 'keep-alive') + change('pause', 'close'))
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(3)
    expect(pools.get('orders')?.stats().state).toBe('paused')
    const { entries } = (await call('GET', 'audit')).body
    expect(entries.map(({ action }: { action: string }) => action)).toEqual(['pause', 'resume', 'pause'])
  })

  it('a body without end is refused as soon as it is too long, and not read on', async () => {
    const { url } = await startScene()
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`
    const head = 'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    const answer = await raw(url, head + chunk.repeat(5))
    expect(statusOf(answer)).toBe('HTTP/1.1 413 Payload Too Large')
    expect(answer).toContain('"code":"BODY_TOO_LARGE"')
  })

  it('a wish for another protocol is not heard', async () => {
    const { url } = await startScene()
    for (const protocol of ['websocket', 'h2c']) {
      const answer = await raw(
        url,
        `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Key: x\r\n\r\n`,
      )
      expect(statusOf(answer)).toBe('HTTP/1.1 200 OK')
    }
    await expect(raw(url, 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n')).resolves.not.toContain(' 200 ')
  })

  it('the head of the stream alone is not to be had: it would hold a place for nothing', async () => {
    const { url, server } = await startScene({ maxEventClients: 1 })
    const head = async (route: string): Promise<number> => (await fetch(`${url}/api/v1/${route}`, { method: 'HEAD' })).status
    expect(await head('events/stream')).toBe(404)
    expect(server.parts.observation.stream.clients).toBe(0)
    expect(await head('pools')).toBe(200)
  })

  it('requests behind a stream that never ends fill no memory', async () => {
    const { url, server } = await startScene()
    const head = 'Host: localhost\r\n\r\n'
    const request = `GET /api/v1/config HTTP/1.1\r\n${head}`
    const { hostname, port } = new URL(url)
    const socket: Socket = connectTcp(Number(port), hostname)
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    socket.write(`GET /api/v1/events/stream HTTP/1.1\r\n${head}`)
    await until(() => server.parts.observation.stream.clients === 1)
    // What the server does not read fills the buffers in between, and then nothing more is taken.
    const taken = (): Promise<boolean> =>
      new Promise((resolve) => {
        if (socket.write(request.repeat(1_000))) resolve(true)
        else socket.once('drain', () => resolve(true)).setTimeout(500, () => resolve(false))
      })
    let rounds = 0
    while ((await taken()) && rounds < 2_000) rounds++
    expect(rounds).toBeLessThan(2_000)
  })

  it('a client that says nothing, or has stopped in the middle, does not keep the server from closing', async () => {
    const { url, server, call } = await startScene()
    const { hostname, port } = new URL(url)
    const sockets = ['', 'GET /api/v1/po', 'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'].map((text) => {
      const socket = connectTcp(Number(port), hostname)
      socket.on('error', () => {}).write(text)
      return new Promise((resolve) => socket.on('close', resolve).resume())
    })
    // One that came after them has been answered: they have been taken.
    expect((await call('GET', 'pools')).status).toBe(200)
    await server.close()
    await Promise.all(sockets)
  })

  it('a client that sends its head or its body drop by drop, or takes nothing of an answer, is hung up on', {
    timeout: 60_000,
  }, async () => {
    const { url, server } = await startScene()
    const text = 'x'.repeat(200_000)
    for (let n = 0; n < 100; n++) {
      server.parts.observation.feed.tell('rebuildMarked', Object.assign({ timestamp: 0, pool: 'orders', protocol: 'memory' }, { text }))
    }
    // One of its own, to see the server's end of the connection.
    const own = createHttpServer(server.handler).listen(0, '127.0.0.1')
    onTestFinished(() => void own.close())
    await once(own, 'listening')
    const deaf = connectTcp((own.address() as AddressInfo).port, '127.0.0.1', () => {
      deaf.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    })
    onTestFinished(() => void deaf.destroy())
    deaf.on('error', () => {})
    const [ofServer] = (await once(own, 'connection')) as [Socket]
    const hungUp = once(ofServer, 'close')
    const [head, body] = await Promise.all([
      raw(url, 'GET /api/v1/pools HTTP/1.1\r\nHost: local'),
      raw(url, 'POST /api/v1/rebuild HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{'),
    ])
    expect(statusOf(head)).toBe('HTTP/1.1 408 Request Timeout')
    expect(head).toContain('"code":"REQUEST_TIMEOUT"')
    expect(statusOf(body)).toMatch(/^HTTP\/1\.1 408/)
    await hungUp
    // What was on its way arrives; the rest of the 20 MB is gone.
    let taken = 0
    deaf.on('data', (bytes) => {
      taken += bytes.length
    })
    await once(deaf, 'close')
    expect(taken).toBeLessThan(15e6)
  })

  it('a request that comes while the server ends is refused with a problem', async () => {
    const { server, url, orders } = await startScene()
    const release = orders.holdChecks()
    const made = orders.made()
    const body = '{"all":true}'
    const head = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const socket = connectTcp(Number(new URL(url).port), '127.0.0.1')
    let got = ''
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1')
    })
    const closed = once(socket, 'close')
    socket.write(`POST /api/v1/pools/orders/rebuild HTTP/1.1\r\n${head}`)
    await until(() => orders.made() > made)
    const ended = server.close()
    socket.write('GET /api/v1/pools HTTP/1.1\r\nHost: localhost\r\n\r\n')
    setTimeout(release, 100)
    await closed
    await ended
    const [, first = '', second = ''] = got.split('HTTP/1.1 ')
    expect(first).toMatch(/^200 /)
    expect(second).toMatch(/^503 [\s\S]*\r\ncontent-type: application\/problem\+json[\s\S]*"code":"SERVER_ENDING"/i)
    expect(second).toMatch(/^connection: close\r$/im)
  })

  it('a client that says nothing, or not all, does not keep the server from ending', async () => {
    const { url, server, call } = await startScene()
    const ended = ['', 'GET /healthz HTTP/1.1\r\nHost: local'].map((text) => raw(url, text).catch(() => 'broken'))
    // Connections are taken one after the other: with this answer the others are there.
    expect((await call('GET', '/healthz')).status).toBe(200)
    await server.close()
    expect(await Promise.all(ended)).toEqual(['', ''])
  })
})

describe('the dashboard', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'wellpool-dashboard-'))
    mkdirSync(path.join(folder, 'public', 'assets'), { recursive: true })
    writeFileSync(path.join(folder, 'public', 'index.html'), '<!doctype html><title>Wellpool</title>')
    writeFileSync(path.join(folder, 'public', 'assets', 'main-1a2b.js'), 'export {}')
    writeFileSync(path.join(folder, 'secret.txt'), 'secret')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('is served from its folder, without a token, to be kept as long as it does not change', async () => {
    const { call } = await startScene({ withTokens: true, dashboard: path.join(folder, 'public') })
    const page = await call('GET', '/')
    expect([page.status, page.headers.get('cache-control'), page.body]).toEqual([200, 'no-cache', expect.stringContaining('Wellpool')])
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    const script = await call('GET', '/assets/main-1a2b.js')
    expect([script.status, script.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect((await call('GET', 'pools')).status).toBe(401)
  })

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/..\\..\\secret.txt',
    '//secret.txt',
    '/.%00./secret.txt',
  ])('lets nobody out of its folder by %s', async (route) => {
    const { url } = await startScene({ dashboard: path.join(folder, 'public') })
    const answer = await raw(url, `GET ${route} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    expect(statusOf(answer)).toMatch(/ 40\d /)
    expect(answer).not.toContain('\r\n\r\nsecret')
  })
})

describe('TLS', () => {
  it('speaks nothing else, and nothing older than 1.2', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wellpool-tls-'))
    const [certFile, keyFile] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')]
    writeFileSync(certFile, TEST_CERTIFICATE)
    writeFileSync(keyFile, TEST_KEY)
    const { url, server } = await startScene({ tls: { certFile, keyFile } })
    const { port } = new URL(url)
    expect(url).toMatch(/^https:/)
    const protocol = (options: object): Promise<string | null> =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ port: Number(port), host: '127.0.0.1', ca: TEST_CERTIFICATE, ...options }, () => {
          resolve(socket.getProtocol())
          socket.destroy()
        })
        socket.on('error', reject)
      })
    expect(await protocol({})).toBe('TLSv1.3')
    server.renewCertificate()
    expect(await protocol({})).toBe('TLSv1.3')
    await expect(protocol({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).rejects.toThrow()
    await expect(raw(url.replace('https', 'http'), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).resolves.not.toContain('200 OK')
    rmSync(folder, { recursive: true })
  })
})
