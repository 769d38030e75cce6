import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createOpenApi } from '../../src/generate/openapi.ts'
import { startScene, until } from '../support/server.ts'

describe('the API', () => {
  it('is described by openapi.json: otherwise run npm run generate', async () => {
    const file = readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')
    const { info } = JSON.parse(file) as { info: { version: string } }
    expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(await createOpenApi(info.version))))
    const { call } = await startScene()
    expect((await call('GET', 'openapi.json')).body).toEqual(JSON.parse(file))
  })

  it('tells every figure of a pool', async () => {
    const { call, pools } = await startScene()
    const { status, body } = await call('GET', 'pools')
    expect(status).toBe(200)
    expect(body.pools.map(({ name }: { name: string }) => name)).toEqual(['orders', 'billing'])
    const stats = pools.stats().orders
    expect(body.pools[0]).toEqual({ name: 'orders', protocol: 'memory', canServe: true, minConnections: 2, maxConnections: 4, stats })
    expect((await call('GET', 'pools/orders')).body).toEqual(body.pools[0])
  })

  it('tells of each connection what the pool knows, and how old its client is', async () => {
    const { call, pools, connectionId } = await startScene()
    await pools.get('orders')?.use(async () => {})
    const { body } = await call('GET', 'connections')
    expect(body.connections).toHaveLength(4)
    const [record] = pools.get('orders')?.connections() ?? []
    const found = body.connections.find(({ id }: { id: string }) => id === connectionId())
    expect(found).toMatchObject({ ...record, lastProvenAt: expect.any(Number), ageMs: expect.any(Number) })
    expect((await call('GET', `connections/${connectionId()}`)).body).toMatchObject({ id: connectionId(), state: 'idle', generation: 1 })
    expect((await call('GET', 'connections/orders-999999')).body).toMatchObject({ status: 404, code: 'CONNECTION_NOT_FOUND' })
  })

  it.each([
    ['pool=billing', 2],
    ['protocol=memory', 2],
    ['state=idle', 4],
    ['state=acquired', 0],
    ['health=unknown', 4],
    ['marked=true', 0],
    ['marked=false&pool=orders', 2],
  ])('finds connections by %s', async (query, count) => {
    const { call } = await startScene()
    expect((await call('GET', `connections?${query}`)).body.connections).toHaveLength(count)
  })

  it('rebuilds one connection and tells what came of it', async () => {
    const { call, connectionId, orders } = await startScene()
    const id = connectionId()
    const { status, body } = await call('POST', `connections/${id}/rebuild`, { timeout: '5s' })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      connectionId: id,
      pool: 'orders',
      success: true,
      oldGeneration: 1,
      newGeneration: 2,
      reason: { kind: 'manual' },
    })
    orders.check = () => Promise.reject(new Error('not ready'))
    const failed = (await call('POST', `connections/${id}/rebuild`)).body
    expect(failed).toMatchObject({
      success: false,
      stage: 'check',
      error: { code: 'HEALTH_CHECK_FAILED', message: expect.stringContaining('not ready') },
    })
  })

  it('rebuilds a pool, a protocol or all, and says so when all rebuilds fail', async () => {
    const { call, billing } = await startScene()
    expect((await call('POST', 'rebuild', { all: true })).body).toMatchObject({
      total: 4,
      succeeded: 4,
      byProtocol: { memory: { total: 2 }, ledger: { total: 2 } },
    })
    expect((await call('POST', 'rebuild')).body).toMatchObject({ total: 0 })
    expect((await call('POST', 'pools/orders/rebuild', { all: true })).body).toMatchObject({ total: 2, succeeded: 2 })
    billing.check = () => Promise.reject(new Error('not ready'))
    const { status, body } = await call('POST', 'protocols/ledger/rebuild', { all: true })
    expect([status, body.code]).toEqual([502, 'REBUILD_FAILED'])
    expect(body.result).toMatchObject({
      total: 2,
      failed: 2,
      results: [{ success: false, error: { code: 'HEALTH_CHECK_FAILED' } }, { success: false }],
    })
  })

  it('refuses a wrong time-out at once, also where a job is preferred', async () => {
    const { call } = await startScene()
    for (const headers of [{}, { prefer: 'respond-async' }]) {
      const { status, body } = await call('POST', 'pools/orders/rebuild', { timeout: 'foo' }, headers)
      expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('timeout')])
    }
    expect((await call('GET', 'jobs')).body.jobs).toEqual([])
  })

  it('refuses to look for the events of a pool that nobody knows', async () => {
    const { call } = await startScene()
    expect((await call('GET', 'events?pool=odrers')).body).toMatchObject({ status: 404, code: 'POOL_NOT_FOUND' })
    expect((await call('GET', 'events/stream?pool=odrers')).body).toMatchObject({ status: 404, code: 'POOL_NOT_FOUND' })
    expect((await call('GET', 'events?pool=orders')).status).toBe(200)
  })

  it('makes a job of a rebuild, which can be followed', async () => {
    const { call, orders } = await startScene()
    const release = orders.holdChecks()
    const { status, headers, body } = await call('POST', 'pools/orders/rebuild', { all: true }, { prefer: 'respond-async' })
    expect([status, headers.get('preference-applied')]).toEqual([202, 'respond-async'])
    expect(headers.get('location')).toBe(`/api/v1/jobs/${body.id}`)
    expect(body).toMatchObject({
      state: 'running',
      target: { kind: 'pool', name: 'orders' },
      progress: { total: 2, succeeded: 0, failed: 0 },
      createdBy: 'anonymous',
    })
    const follow = async () => (await call('GET', headers.get('location') ?? '')).body
    release()
    await until(async () => (await follow()).state === 'completed')
    expect(await follow()).toMatchObject({
      progress: { total: 2, succeeded: 2, failed: 0 },
      result: { succeeded: 2 },
      endedAt: expect.any(Number),
    })
    expect((await call('GET', 'jobs')).body.jobs).toHaveLength(1)
  })

  it('cancels what has not begun of a job', async () => {
    const { call, orders, pools } = await startScene()
    pools.get('orders')?.reconfigure({ rebuildConcurrency: 1 })
    const release = orders.holdChecks()
    const { body: job } = await call('POST', 'pools/orders/rebuild', { all: true }, { prefer: 'wait=1, respond-async' })
    await until(() => orders.made() > 2)
    expect((await call('DELETE', `jobs/${job.id}`)).status).toBe(200)
    release()
    await until(async () => (await call('GET', `jobs/${job.id}`)).body.state === 'cancelled')
    expect((await call('GET', `jobs/${job.id}`)).body.result).toMatchObject({ cancelled: true, skipped: 1, succeeded: 1 })
    expect((await call('GET', 'jobs/none')).body).toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' })
  })

  it('tells the failure of a job', async () => {
    const { call, orders } = await startScene()
    orders.check = () => Promise.reject(new Error('not ready'))
    const { body: job } = await call('POST', 'pools/orders/rebuild', { all: true }, { prefer: 'respond-async' })
    await until(async () => (await call('GET', `jobs/${job.id}`)).body.state === 'failed')
    expect((await call('GET', `jobs/${job.id}`)).body).toMatchObject({
      progress: { failed: 2 },
      problem: { code: 'REBUILD_FAILED', status: 502 },
    })
  })

  it('pauses, resumes and evicts', async () => {
    const { call, pools, orders } = await startScene()
    expect((await call('POST', 'pools/orders/pause', { failWaiting: true })).body.state).toBe('paused')
    await expect(pools.get('orders')?.acquire()).rejects.toMatchObject({ code: 'POOL_PAUSED' })
    expect((await call('POST', 'pools/orders/resume')).body.state).toBe('running')
    expect((await call('POST', 'pools/orders/evict', {})).status).toBe(200)
    expect(pools.get('orders')?.stats().closed.evicted).toBe(2)
    await until(() => orders.made() === 4)
    expect((await call('POST', 'pools/none/pause')).body).toMatchObject({
      status: 404,
      code: 'POOL_NOT_FOUND',
      pools: ['orders', 'billing'],
    })
  })

  it('tells the options in force', async () => {
    const { call, pools } = await startScene()
    pools.get('orders')?.reconfigure({ maxConnections: 9, backoff: { max: '9s' } })
    const { body } = await call('GET', 'config')
    expect(body.pools.orders).toMatchObject({
      protocol: 'memory',
      options: {
        maxConnections: 9,
        minConnections: 2,
        acquireTimeout: '30s',
        maxUses: 'infinity',
        verifyIdleAfter: 'infinity',
        backoff: { base: 50, max: '9s' },
      },
    })
    expect(Object.keys(body.pools.orders.options)).not.toContain('metrics')
    expect((await call('POST', 'config/reload')).body).toMatchObject({ status: 409, code: 'NOT_AN_AGENT' })
    expect((await call('POST', 'pools/orders/execute', { statement: 'select 1' })).status).toBe(403)
  })

  it('remembers events, each kind by itself, and finds them', async () => {
    const { call, pools, orders, connectionId } = await startScene({ eventHistory: 3 })
    const id = connectionId()
    for (let round = 0; round < 5; round++) await pools.rebuildConnectionById(id)
    orders.lose()
    await until(() => pools.get('orders')?.stats().rebuildsCompleted === 6)
    const { body } = await call('GET', `events?connectionId=${id}&names=rebuildCompleted,rebuildMarked`)
    expect(
      body.events.map(({ name }: { name: string }) => name).filter((name: string) => name === 'rebuildCompleted').length,
    ).toBeLessThanOrEqual(3)
    expect(body.lost).toBeGreaterThan(0)
    const last = body.events.at(-1)
    expect(last).toMatchObject({
      name: expect.any(String),
      level: 'info',
      pool: 'orders',
      details: { reason: { kind: expect.any(String) } },
    })
    expect((await call('GET', `events?after=${body.seq}`)).body.events).toEqual([])
    expect((await call('GET', 'events?limit=1')).body.events).toHaveLength(1)
    expect((await call('GET', 'events?names=nothing')).body).toMatchObject({ status: 400, code: 'INVALID_REQUEST' })
  })

  it('tells errors of events without their stacks', async () => {
    const { call, orders, pools } = await startScene()
    orders.connect = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
    await pools.get('orders')?.evict()
    await until(async () => (await call('GET', 'events?names=breakerOpened')).body.events.length > 0)
    const [event] = (await call('GET', 'events?names=breakerOpened')).body.events
    expect(event).toMatchObject({
      level: 'error',
      details: { error: { code: 'CONNECT_FAILED', name: 'ConnectError' }, retryInMs: expect.any(Number) },
    })
    expect(JSON.stringify(event)).not.toContain('    at ')
    orders.connect = async () => {}
  })

  it('has a timeline of each pool, a sample a second', async () => {
    const { call, pools, server } = await startScene()
    await pools.get('orders')?.use(async () => new Promise((resolve) => setTimeout(resolve, 20)))
    server.parts.observation.timeline.sample(1_000_000)
    server.parts.observation.timeline.sample(1_001_000)
    const { samples } = (await call('GET', 'pools/orders/timeline')).body
    const [first, second] = samples.filter(({ timestamp }: { timestamp: number }) => timestamp < 2_000_000)
    expect(first).toMatchObject({ timestamp: 1_000_000, state: 'running', total: 2, leased: 1, wait: { count: 1 }, use: { count: 1 } })
    expect(first.use.p50).toBeGreaterThan(15)
    expect(second).toMatchObject({ leased: 0, use: { count: 0, p99: 0 } })
    expect((await call('GET', 'pools/orders/timeline?seconds=1')).body.samples).toHaveLength(1)
  })

  it('has probes and a page for Prometheus', async () => {
    const { call, pools, orders } = await startScene()
    expect((await call('GET', '/healthz')).body).toEqual({ status: 'ok' })
    expect((await call('GET', '/readyz')).body).toEqual({ status: 'ready', pools: 2, canServe: 2 })
    pools.get('orders')?.pause()
    const { status, body } = await call('GET', '/readyz')
    expect([status, body]).toEqual([503, { status: 'not ready', pools: 2, canServe: 1 }])
    const page = await call('GET', '/metrics')
    expect(page.headers.get('content-type')).toContain('text/plain')
    expect(page.body).toContain('wellpool_connections{pool="billing",protocol="ledger",state="idle"} 2')
    expect(orders.made()).toBe(2)
  })

  it('measures pools that are added later', async () => {
    const { call, pools, billing, server } = await startScene()
    const added = pools.add('later', billing.driver, { minConnections: 0 })
    server.parts.observation.look()
    await added.use(async () => {})
    expect((await call('GET', '/metrics')).body).toContain('wellpool_use_seconds_count{pool="later",protocol="ledger"} 1')
    await pools.remove('later')
    expect((await call('GET', 'pools/later')).status).toBe(404)
  })

  it('leaves the pools as they were when it ends', async () => {
    const { pools, server } = await startScene()
    await server.close()
    expect(pools.get('orders')?.options.metrics).toBeUndefined()
    await expect(pools.get('orders')?.use(async () => 'served')).resolves.toBe('served')
  })
})
