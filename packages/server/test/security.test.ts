import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ConfigError, createPools } from 'wellpool'
import { attach, createServer, createToken } from '../src/index.ts'
import { LoginLimiter } from '../src/security/login-limiter.ts'
import { hostName, isLoopback, listensOnLoopback } from '../src/security/loopback.ts'
import { may, type Role } from '../src/security/roles.ts'
import { crossSiteRefusal, foreignRefusal } from '../src/security/same-site.ts'
import { changeTokens, readTokens, TokenFileSource, writeTokens } from '../src/security/token-file.ts'
import { identify, tokenId } from '../src/security/tokens.ts'
import { memoryDriver } from './support/memory-driver.ts'
import { startScene, until } from './support/server.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wellpool-security-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

describe('tokens', () => {
  const now = new Date('2026-01-01T00:00:00Z')

  it('are kept as hashes from which they cannot be read', () => {
    const { text, record } = createToken('alice', ['viewer'], now)
    expect(text).toMatch(/^wellpool_[0-9a-z]{10}_[A-Za-z0-9_-]{43}$/)
    expect(JSON.stringify(record)).not.toContain(text.split('_')[2])
    expect(record).toMatchObject({ id: tokenId(text), name: 'alice', roles: ['viewer'], createdAt: now.toISOString() })
    expect(createToken('alice', ['viewer'], now).text).not.toBe(text)
  })

  it('tell who somebody is until they expire, and nothing when any part of them is wrong', () => {
    const { text, record } = createToken('alice', ['operator'], now, new Date('2026-02-01T00:00:00Z'))
    expect(identify(text, [record], now)).toEqual({ name: 'alice', tokenId: record.id, roles: ['operator'] })
    expect(identify(text, [record], new Date('2026-02-01T00:00:00Z'))).toBeUndefined()
    expect(identify(`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`, [record], now)).toBeUndefined()
    expect(identify(text, [], now)).toBeUndefined()
    expect(identify(record.hash, [record], now)).toBeUndefined()
    expect(identify('', [record], now)).toBeUndefined()
  })

  it.each<[Role, Role, boolean]>([
    ['viewer', 'viewer', true],
    ['viewer', 'operator', false],
    ['viewer', 'executor', false],
    ['operator', 'viewer', true],
    ['operator', 'operator', true],
    ['operator', 'executor', false],
    ['executor', 'executor', true],
    ['executor', 'viewer', false],
    ['executor', 'operator', false],
  ])('a %s may do what needs a %s: %s', (own, needed, allowed) => {
    expect(may({ name: 'x', tokenId: 'x', roles: [own] }, needed)).toBe(allowed)
  })

  it('are written so that their owner alone can read them, and read again when they change', async () => {
    const file = path.join(folder, 'tokens.json')
    const [alice, bob] = [createToken('alice', ['viewer'], now).record, createToken('bob', ['executor'], now).record]
    writeTokens(file, [alice])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const source = new TokenFileSource(file, () => {})
    expect(source.get()).toEqual([alice])
    writeTokens(file, [bob])
    await until(() => source.get()[0]?.name === 'bob')
    expect(readTokens(path.join(folder, 'none.json'))).toEqual([])
  })

  it('stay readable to those who could read them when their file is changed', async () => {
    const file = path.join(folder, 'kept.json')
    writeTokens(file, [])
    // Only root can give a file away.
    const root = process.getuid?.() === 0
    if (root) chownSync(file, 4711, 4712)
    chmodSync(file, 0o644)
    await changeTokens(file, () => [createToken('alice', ['viewer'], now).record])
    const { mode, uid, gid } = statSync(file)
    expect(readTokens(file)).toHaveLength(1)
    // As it was, but for everybody else.
    expect(mode & 0o777).toBe(0o640)
    if (root) expect([uid, gid]).toEqual([4711, 4712])
    expect(readdirSync(folder).filter((name) => name.startsWith('kept.json'))).toEqual(['kept.json'])
  })

  it('let nobody in while their file is broken, and say so', async () => {
    const file = path.join(folder, 'broken.json')
    writeTokens(file, [createToken('alice', ['viewer'], now).record])
    const reported: unknown[] = []
    const source = new TokenFileSource(file, (error) => reported.push(error))
    writeFileSync(file, '{ "version": 1, "tokens": [{ "id": "x" }] }')
    await until(() => source.get().length === 0)
    expect(reported).toEqual([expect.objectContaining({ message: expect.stringContaining('is no file of tokens') })])
    expect(() => new TokenFileSource(file, () => {})).toThrow('is no file of tokens')
  })
})

describe('a server with tokens', () => {
  it('answers 401 without a token and with a wrong one', async () => {
    const { call } = await startScene({ withTokens: true })
    for (const headers of [
      {},
      { authorization: 'Basic eDp5' },
      { authorization: 'Bearer' },
      bearer('x'),
      bearer(createToken('x', ['viewer'], new Date()).text),
    ]) {
      const answer = await call('GET', 'pools', undefined, headers)
      expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHORIZED'])
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    }
    expect((await call('GET', '/metrics')).status).toBe(401)
    expect((await call('GET', '/healthz')).status).toBe(200)
    expect((await call('GET', '/readyz')).status).toBe(200)
  })

  it.each<[string, string, Role[]]>([
    ['GET', 'pools', ['viewer', 'operator']],
    ['GET', 'connections', ['viewer', 'operator']],
    ['GET', 'events', ['viewer', 'operator']],
    ['GET', 'config', ['viewer', 'operator']],
    ['GET', 'jobs', ['viewer', 'operator']],
    ['GET', '/metrics', ['viewer', 'operator']],
    ['GET', 'pools/orders', ['viewer', 'operator', 'executor']],
    ['GET', 'session', ['viewer', 'operator', 'executor']],
    ['GET', 'openapi.json', ['viewer', 'operator', 'executor']],
    ['GET', 'audit', ['operator']],
    ['POST', 'rebuild', ['operator']],
    ['POST', 'pools/orders/rebuild', ['operator']],
    ['POST', 'protocols/memory/rebuild', ['operator']],
    ['POST', 'pools/orders/pause', ['operator']],
    ['POST', 'pools/orders/resume', ['operator']],
    ['POST', 'pools/orders/evict', ['operator']],
    ['POST', 'config/reload', ['operator']],
    ['DELETE', 'jobs/x', ['operator']],
    ['POST', 'pools/orders/execute', ['executor']],
  ])('lets %s %s be called by %j alone', async (method, route, allowed) => {
    const { call, tokens } = await startScene({ withTokens: true })
    for (const role of ['viewer', 'operator', 'executor'] as const) {
      const { status, body } = await call(method, route, undefined, bearer(tokens[role]))
      if (allowed.includes(role)) expect([403, 401], `${role}: ${status}`).not.toContain(status)
      else expect([status, body.code], role).toEqual([403, 'FORBIDDEN'])
    }
  })

  it('gives every route an access that is tested here or needs no token', async () => {
    const { paths } = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'))
    for (const [route, operations] of Object.entries<Record<string, { description?: string; security?: [] }>>(paths)) {
      for (const { description = '', security } of Object.values(operations)) {
        if (security === undefined) expect(description, route).toMatch(/Needs (?:the role|a token)/)
        else expect(['/healthz', '/readyz']).toContain(route)
      }
    }
  })

  it('takes no more tries after ten wrong ones, and lets others in', async () => {
    const { call, tokens } = await startScene({ withTokens: true })
    const wrong = `${tokens.viewer.slice(0, -2)}${tokens.viewer.endsWith('AA') ? 'BB' : 'AA'}`
    const statuses: number[] = []
    for (let n = 0; n < 12; n++) statuses.push((await call('GET', 'pools', undefined, bearer(wrong))).status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(10)
    const refused = await call('GET', 'pools', undefined, bearer(wrong))
    expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_FAILURES'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await call('GET', 'pools', undefined, bearer(tokens.viewer))).status).toBe(429)
    expect((await call('GET', 'pools', undefined, bearer(tokens.operator))).status).toBe(200)
  })

  it('counts tries of ever new tokens by the address', async () => {
    const limiter = new LoginLimiter()
    const waits: number[] = []
    for (let n = 0; n < 60; n++) waits.push(await limiter.failed(`2001:db8:1:2::${n}`, `token${n}`))
    expect(waits.slice(0, 50).every((wait) => wait === 0)).toBe(true)
    expect(waits.slice(50).every((wait) => wait > 0)).toBe(true)
    expect(await limiter.failed('2001:db8:1:3::1', 'token')).toBe(0)
  })

  it('remembers no more of tokens that were made up than it has to', async () => {
    const limiter = new LoginLimiter()
    for (let n = 0; n < 60; n++) await limiter.failed('192.0.2.1', `token${n}`)
    const last = 'token59'
    for (let n = 0; n < 20; n++) expect(await limiter.failed('192.0.2.1', last)).toBeGreaterThan(0)
    // Its own count has not begun: it was over the limit of the address.
    expect(await limiter.blockedFor('192.0.2.1', last)).toBe(0)
  })

  it('refuses a token as soon as it is revoked', async () => {
    const file = path.join(folder, 'revoked.json')
    const { text, record } = createToken('alice', ['viewer'], new Date())
    writeTokens(file, [record])
    const { call } = await startScene({ tokens: file })
    expect((await call('GET', 'session', undefined, bearer(text))).body).toEqual({ name: 'alice', roles: ['viewer'], tokensNeeded: true })
    writeTokens(file, [])
    await until(async () => (await call('GET', 'session', undefined, bearer(text))).status === 401)
  })

  it('hangs up on a stream of events when its token is revoked, and when it expires', async () => {
    const file = path.join(folder, 'streaming.json')
    const alice = createToken('alice', ['viewer'], new Date())
    const brief = createToken('brief', ['viewer'], new Date(), new Date(Date.now() + 1500))
    const bob = createToken('bob', ['viewer'], new Date())
    writeTokens(file, [alice.record, brief.record, bob.record])
    const { url, server } = await startScene({ tokens: file })
    const streams = await Promise.all(
      [alice, brief, bob].map(({ text }) => fetch(`${url}/api/v1/events/stream`, { headers: bearer(text) })),
    )
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(server.parts.observation.stream.clients).toBe(3)
    writeTokens(file, [brief.record, bob.record])
    const ended = (response: Response | undefined): Promise<string | undefined> =>
      response?.text().catch(() => 'hung up') ?? Promise.resolve('')
    expect(await Promise.all([ended(streams[0]), ended(streams[1])])).toEqual(['hung up', 'hung up'])
    await until(() => server.parts.observation.stream.clients === 1)
    await streams[2]?.body?.cancel()
  })
})

describe('a server without tokens', () => {
  it('refuses to listen beyond loopback, and says why', async () => {
    const pools = createPools({})
    const server = createServer(pools)
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com']) {
      await expect(server.listen({ host, port: 0 })).rejects.toThrow(/with tokens any address: without tokens everybody who reaches it/)
      await expect(server.listen({ host, port: 0 })).rejects.toBeInstanceOf(ConfigError)
    }
    await server.close()
    await pools.close()
  })

  it('answers what is asked of this machine by this machine, and nothing that was passed on', async () => {
    const { url } = await startScene()
    const ask = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const call = httpRequest(`${url}/api/v1/pools`, { headers }, (response) => resolve(response.resume().statusCode))
        call.on('error', reject).end()
      })
    expect(await ask({})).toBe(200)
    expect(await ask({ host: 'localhost:7710' })).toBe(200)
    expect(await ask({ host: '[::1]:7710' })).toBe(200)
    expect(await ask({ host: 'rebound.example' })).toBe(403)
    expect(await ask({ host: '127.0.0.1.example' })).toBe(403)
    for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip', 'cf-connecting-ip'])
      expect(await ask({ [name]: '192.0.2.1' }), name).toBe(403)
  })

  it.each([
    [{ origin: 'https://evil.example' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{}, 200],
  ])('answers a change that a browser asks for with %j: %s', async (headers, expected) => {
    const { call } = await startScene()
    expect((await call('POST', 'pools/orders/resume', undefined, headers)).status).toBe(expected)
  })

  it.each([
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'empty' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' }, 403],
    [{ 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'empty' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }, 200],
    [{ 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' }, 200],
    [{ 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' }, 200],
  ])('answers what a browser asks for with %j: %s', async (headers, expected) => {
    const { call } = await startScene()
    expect((await call('GET', 'pools', undefined, headers)).status).toBe(expected)
  })

  it('answers its own pages', async () => {
    const { call, url } = await startScene()
    expect((await call('POST', 'pools/orders/resume', undefined, { origin: url })).status).toBe(200)
  })
})

describe('what is refused', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('%s is loopback', (address) => {
    expect(isLoopback(address)).toBe(true)
    expect(listensOnLoopback(address)).toBe(true)
  })
  it.each(['0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1', '', 'localhost.example', '128.0.0.1'])('%s is not', (address) => {
    expect(isLoopback(address)).toBe(false)
    expect(listensOnLoopback(address)).toBe(false)
  })
  it.each([
    ['localhost', 'localhost'],
    ['localhost:80', 'localhost'],
    ['[::1]:80', '::1'],
    ['a@localhost', undefined],
    ['localhost:80:90', undefined],
    ['', undefined],
    ['localhost/x', undefined],
  ])('the name in the header Host: %s is %s', (header, name) => {
    expect(hostName(header)).toBe(name)
  })
  it('a request without an address or a Host', () => {
    expect(foreignRefusal(undefined, { host: 'localhost' })).toContain('another machine')
    expect(foreignRefusal('127.0.0.1', {})).toContain('Host')
    expect(crossSiteRefusal('GET', { origin: 'https://evil.example' })).toBeUndefined()
    expect(crossSiteRefusal('POST', { origin: 'https://a.example' })).toContain('Origin')
  })
})

describe('every answer', () => {
  it('forbids other sites to frame, sniff or cache it', async () => {
    const { call } = await startScene({ withTokens: true })
    for (const route of ['pools', '/healthz', '/nothing', '/api/v1/nothing']) {
      const { headers } = await call('GET', route)
      expect(headers.get('content-security-policy'), route).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
    expect((await call('GET', 'pools')).headers.get('cache-control') ?? 'no-store').toBe('no-store')
  })
})

describe('the audit log', () => {
  it('has every change: who, what, when, with what result; also those that were refused', async () => {
    const file = path.join(folder, 'audit.log')
    const { call, tokens, connectionId } = await startScene({ withTokens: true, auditLog: file })
    const operator = bearer(tokens.operator)
    await call('POST', 'pools/orders/pause', { failWaiting: true }, operator)
    await call('POST', 'pools/orders/resume', undefined, operator)
    await call('POST', `connections/${connectionId()}/rebuild`, { urgent: false }, operator)
    await call('POST', 'pools/orders/pause', undefined, bearer(tokens.viewer))
    await call('GET', 'pools', undefined, operator)
    const { body: job } = await call('POST', 'rebuild', { all: true }, { ...operator, prefer: 'respond-async' })
    const lines = (): { [key: string]: unknown }[] =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    await until(() => lines().some(({ target }) => target === `job ${job.id}`))
    expect(lines().map(({ who, action, target, result, details }) => [who, action, target, result, details])).toEqual([
      ['operator', 'pause', 'pool orders', 'done', { failWaiting: true }],
      ['operator', 'resume', 'pool orders', 'done', undefined],
      ['operator', 'rebuild', `connection ${connectionId()}`, 'done', { urgent: false }],
      ['viewer', 'refused', 'POST /api/v1/pools/orders/pause', 'FORBIDDEN', undefined],
      ['operator', 'rebuild', 'all', 'accepted', { all: true }],
      ['operator', 'rebuild', `job ${job.id}`, 'done', undefined],
    ])
    expect(lines()[0]).toMatchObject({
      time: expect.stringMatching(/^\d{4}-/),
      address: '127.0.0.1',
      tokenId: tokenId(tokens.operator),
      durationMs: expect.any(Number),
    })
    expect(readFileSync(file, 'utf8')).not.toContain(tokens.operator)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await call('GET', 'audit?limit=2', undefined, operator)).body.entries).toHaveLength(2)
  })

  it('is appended to, never begun anew', async () => {
    const file = path.join(folder, 'kept.log')
    writeFileSync(file, '{"old":true}\n')
    const { call } = await startScene({ auditLog: file })
    await call('POST', 'pools/orders/resume')
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3)
  })

  it.runIf(process.platform === 'linux')('makes no change that it cannot record', async () => {
    const { call, pools } = await startScene({ auditLog: '/dev/full' })
    expect((await call('POST', 'pools/orders/pause')).status).toBe(200)
    const { status, body } = await call('POST', 'pools/orders/resume')
    expect([status, body.code]).toEqual([503, 'AUDIT_LOG_FAILED'])
    expect(pools.get('orders')?.stats().state).toBe('paused')
  })

  it('fails at once where it can never be written', () => {
    expect(() => createServer(createPools({}), { auditLog: path.join(folder, 'none', 'audit.log') })).toThrow('ENOENT')
  })
})

describe('attach', () => {
  it('mounts the API in an application of one’s own, which keeps its ways', async () => {
    const pools = createPools({ orders: memoryDriver().driver }, { minConnections: 0 })
    const app = Fastify()
    app.get('/own', () => ({ own: true }))
    app.post('/own-text', (request) => ({ got: request.body }))
    await app.register(attach(pools, { dashboard: false }), { prefix: '/wellpool' })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(async () => {
      await app.close()
      await pools.close()
    })
    const get = async (route: string): Promise<Response> => fetch(`${url}${route}`)
    expect(await (await get('/wellpool/api/v1/pools')).json()).toMatchObject({ pools: [{ name: 'orders' }] })
    expect((await get('/wellpool/metrics')).status).toBe(200)
    expect((await get('/wellpool/healthz')).status).toBe(200)
    expect((await get('/own')).headers.get('content-security-policy')).toBeNull()
    const text = await fetch(`${url}/own-text`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' })
    expect(await text.json()).toEqual({ got: 'x' })
    const job = await fetch(`${url}/wellpool/api/v1/rebuild`, { method: 'POST', headers: { prefer: 'respond-async' } })
    expect(job.headers.get('location')).toMatch(/^\/wellpool\/api\/v1\/jobs\//)
    expect((await get(job.headers.get('location') ?? '')).status).toBe(200)
  })

  it('hands requests of a server of Node’s own on', async () => {
    const { server } = await startScene()
    const own = createHttpServer(server.handler)
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void own.close())
    const { port } = own.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/pools`)
    expect([response.status, ((await response.json()) as { pools: [] }).pools.length]).toEqual([200, 2])
  })
})
