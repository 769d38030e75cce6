import { request } from 'node:https'
import { freePort, NGINX, startNginx } from '@wellpool/servers'
import { expect, onTestFinished, test } from 'vitest'
import { readPage } from '../../../wellpool/test/docs/markdown.ts'
import { describeWith } from '../../../wellpool/test/support/describe-if.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../../../wellpool/test/support/tls.ts'
import { type Scene, startScene, until } from '../support/server.ts'

/** What came through nginx, by now. */
interface Passed {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: () => string
  readonly end: () => void
}

/** Puts nginx, as its file says, in front of a server. @returns what asks it */
async function behindNginx({ url }: Scene): Promise<(method: string, route: string, headers?: object, body?: string) => Promise<Passed>> {
  const port = await freePort()
  const site = readPage('ops/nginx/wellpool.conf')
    .replace('listen 443', `listen 127.0.0.1:${port}`)
    .replace('127.0.0.1:7710', new URL(url).host)
    .replace('/etc/nginx/tls/ops.crt', 'ops.crt')
    .replace('/etc/nginx/tls/ops.key', 'ops.key')
  const nginx = await startNginx(site, port, { 'ops.crt': TEST_CERTIFICATE, 'ops.key': TEST_KEY })
  onTestFinished(() => nginx.close())
  return (method, route, headers = {}, body) =>
    new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port, method, path: route, ca: TEST_CERTIFICATE, headers: { ...headers, host: `localhost:${port}` } },
        (response) => {
          let got = ''
          response.setEncoding('utf8').on('data', (text) => {
            got += text
          })
          const passed = {
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: () => got,
            end: () => void response.destroy(),
          }
          // A stream has no end to wait for.
          if (response.headers['content-type']?.startsWith('text/event-stream')) resolve(passed)
          else response.on('end', () => resolve(passed))
        },
      )
      asked.on('error', reject)
      asked.end(body)
    })
}

await describeWith([NGINX], 'ops/nginx/wellpool.conf, on a real nginx', () => {
  test('passes requests on under its prefix, each with its token', async () => {
    const scene = await startScene({ withTokens: true })
    const ask = await behindNginx(scene)
    const authorization = `Bearer ${scene.tokens.operator}`
    expect((await ask('GET', '/wellpool/healthz')).status).toBe(200)
    expect((await ask('GET', '/wellpool/api/v1/pools')).status).toBe(401)
    const pools = await ask('GET', '/wellpool/api/v1/pools', { authorization })
    expect([pools.status, JSON.parse(pools.text()).pools.length]).toEqual([200, 2])
    const { status, headers } = await ask('GET', '/wellpool')
    expect([status, headers.location]).toEqual([301, expect.stringMatching(/^https:\/\/localhost:\d+\/wellpool\/$/)])
    expect((await ask('GET', '/healthz')).status).toBe(404)
  })

  test('passes on what a browser says of where a request comes from', async () => {
    const scene = await startScene({ withTokens: true })
    const ask = await behindNginx(scene)
    const change = (origin: string): Promise<Passed> =>
      ask(
        'POST',
        '/wellpool/api/v1/pools/orders/pause',
        { authorization: `Bearer ${scene.tokens.operator}`, 'content-type': 'application/json', origin },
        '{}',
      )
    const own = (await ask('GET', '/wellpool')).headers.location as string
    expect((await change(new URL(own).origin)).status).toBe(200)
    expect((await change('https://evil.example')).status).toBe(403)
  })

  test('shows events when they happen', async () => {
    const scene = await startScene({ withTokens: true })
    const ask = await behindNginx(scene)
    const stream = await ask('GET', '/wellpool/api/v1/events/stream', { authorization: `Bearer ${scene.tokens.viewer}` })
    await until(() => stream.text().includes('event: hello'))
    scene.pools.get('orders')?.pause()
    await until(() => stream.text().includes('"poolPaused"'))
    stream.end()
  })

  test('lets bodies of execute through that nginx would refuse by itself, and leaves larger ones to nobody', async () => {
    const scene = await startScene({ withTokens: true })
    const ask = await behindNginx(scene)
    const execute = async (bytes: number): Promise<[number, string]> => {
      const headers = { authorization: `Bearer ${scene.tokens.executor}`, 'content-type': 'application/json' }
      const passed = await ask('POST', '/wellpool/api/v1/pools/orders/execute', headers, JSON.stringify({ command: 'x'.repeat(bytes) }))
      return [passed.status, passed.text()]
    }
    // This server has no rules: what arrives is refused by it, as a problem, and not by nginx, as a page.
    expect((await execute(3_000_000))[1]).toContain('urn:wellpool:problem:')
    expect(await execute(5_000_000)).toEqual([413, expect.stringContaining('nginx')])
  })

  test('makes a server without tokens refuse, which would answer all the world without these headers', async () => {
    const scene = await startScene()
    const ask = await behindNginx(scene)
    const { status, text } = await ask('GET', '/wellpool/api/v1/pools')
    expect([status, text()]).toEqual([403, expect.stringContaining('a proxy has passed it on (x-forwarded-for)')])
  })
})
