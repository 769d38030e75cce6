import { Counter, type OpenMetricsContentType, Registry } from 'prom-client'
import { describe, expect, it, vi } from 'vitest'
import { ConfigError, createPools } from '../../src/index.ts'
import { type PrometheusMetrics, prometheus } from '../../src/telemetry/prometheus.ts'
import { createFakeDriver, FakeClock, fail } from '../../src/testing/index.ts'
import { QUIET, setUp } from '../engine/set-up.ts'

interface Scene extends ReturnType<typeof setUp> {
  readonly metrics: PrometheusMetrics
  readonly registry: Registry
  /** The value of a series, by its name and labels as the page has them. */
  readonly value: (series: string) => Promise<number | undefined>
}

function scene(options: Parameters<typeof setUp>[0] = {}): Scene {
  const registry = new Registry()
  const metrics = prometheus({ registry })
  const base = setUp({ metrics, ...options })
  metrics.observe(base.pool)
  return { ...base, metrics, registry, value: (series) => seriesValue(registry, series) }
}

async function seriesValue(registry: Registry, series: string): Promise<number | undefined> {
  const line = (await registry.metrics()).split('\n').find((text) => text.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const POOL = 'pool="orders",protocol="fake"'

describe('prometheus', () => {
  it('shows connections by state and by health, and those who wait', async () => {
    const { pool, borrow, clock, value } = scene({ maxConnections: 1, driver: { connectMs: 5 } })
    const lease = await borrow()
    const waiting = pool.acquire()
    expect(await value(`wellpool_connections{${POOL},state="acquired"}`)).toBe(1)
    expect(await value(`wellpool_connections{${POOL},state="idle"}`)).toBe(0)
    expect(await value(`wellpool_connections_by_health{${POOL},health="unknown"}`)).toBe(1)
    expect(await value(`wellpool_waiting{${POOL}}`)).toBe(1)
    expect(await value(`wellpool_open_clients{${POOL}}`)).toBe(1)
    expect(await value(`wellpool_max_connections{${POOL}}`)).toBe(1)
    lease.release()
    const next = await clock.until(waiting)
    next.release()
    expect(await value(`wellpool_waiting{${POOL}}`)).toBe(0)
    expect(await value(`wellpool_leases_total{${POOL}}`)).toBe(2)
    expect(await value(`wellpool_leases_reused_total{${POOL}}`)).toBe(1)
  })

  it('counts waits and uses in seconds, by their upper bounds', async () => {
    const { pool, borrow, clock, value } = scene({ maxConnections: 1, driver: { connectMs: 20 } })
    const lease = await borrow()
    await clock.advance(30)
    lease.release()
    await clock.until(pool.acquire()).then((next) => next.release())
    expect(await value(`wellpool_acquire_wait_seconds_bucket{${POOL},le="0.0005"}`)).toBe(1)
    expect(await value(`wellpool_acquire_wait_seconds_bucket{${POOL},le="0.01"}`)).toBe(1)
    expect(await value(`wellpool_acquire_wait_seconds_bucket{${POOL},le="0.025"}`)).toBe(2)
    expect(await value(`wellpool_acquire_wait_seconds_bucket{${POOL},le="+Inf"}`)).toBe(2)
    expect(await value(`wellpool_acquire_wait_seconds_count{${POOL}}`)).toBe(2)
    expect(await value(`wellpool_acquire_wait_seconds_sum{${POOL}}`)).toBeCloseTo(0.02, 9)
    expect(await value(`wellpool_use_seconds_sum{${POOL}}`)).toBeCloseTo(0.03, 9)
    expect(await value(`wellpool_connect_seconds_count{${POOL}}`)).toBe(1)
  })

  it('shows the breaker by its state, failed connects and time-outs', async () => {
    const { pool, clock, driver, value } = scene({ maxConnections: 1 })
    driver.always('connect', fail(new Error('refused')))
    expect(await value(`wellpool_breaker_state{${POOL},state="closed"}`)).toBe(1)
    const refused = pool.acquire({ timeout: 10 }).catch(() => undefined)
    await clock.until(refused)
    expect(await value(`wellpool_breaker_state{${POOL},state="closed"}`)).toBe(0)
    expect((await value(`wellpool_connect_failures_total{${POOL}}`)) ?? 0).toBeGreaterThan(0)
    expect(await value(`wellpool_acquire_timeouts_total{${POOL}}`)).toBe(1)
    expect(await value(`wellpool_acquire_failures_total{${POOL},failure="timed_out"}`)).toBe(1)
    expect(await value(`wellpool_acquire_failures_total{${POOL},failure="refused"}`)).toBe(0)
  })

  it('counts rebuilds by reason, with the kinds that have not occurred at 0', async () => {
    const { pool, start, clock, value } = scene({ minConnections: 1, driver: { connectMs: 7 } })
    await start()
    const [connection] = pool.connections()
    await clock.until(pool.rebuildConnectionById(connection?.id ?? ''))
    expect(await value(`wellpool_rebuilds_marked_total{${POOL},reason="manual"}`)).toBe(1)
    expect(await value(`wellpool_rebuilds_started_total{${POOL},reason="manual"}`)).toBe(1)
    expect(await value(`wellpool_rebuilds_completed_total{${POOL},reason="manual"}`)).toBe(1)
    expect(await value(`wellpool_rebuilds_failed_total{${POOL},reason="manual"}`)).toBe(0)
    expect(await value(`wellpool_rebuilds_marked_total{${POOL},reason="connection_lost"}`)).toBe(0)
    expect(await value(`wellpool_rebuild_seconds_count{${POOL},reason="manual"}`)).toBe(1)
    await clock.advance(10)
    expect(await value(`wellpool_connections_closed_total{${POOL},reason="rebuilt"}`)).toBe(1)
  })

  it('counts checks by outcome', async () => {
    const { start, clock, driver, value } = scene({ minConnections: 1, healthCheckInterval: 1000, unhealthyThreshold: 9 })
    await start()
    driver.next('check', fail(new Error('sick')))
    await clock.advance(1000)
    await clock.advance(1000)
    expect(await value(`wellpool_checks_total{${POOL},outcome="rejected"}`)).toBe(1)
    expect(await value(`wellpool_check_seconds_count{${POOL},outcome="rejected"}`)).toBe(1)
    expect(await value(`wellpool_check_seconds_count{${POOL},outcome="healthy"}`)).toBe(1)
  })

  it('observes all pools of a set, those added later included, and no more those that are removed', async () => {
    const registry = new Registry()
    const metrics = prometheus({ registry })
    const clock = new FakeClock()
    const pools = createPools({ orders: createFakeDriver({ clock }) }, { ...withoutName(), clock, metrics })
    metrics.observe(pools)
    pools.add('billing', createFakeDriver({ clock }))
    await clock.until(pools.get('billing')?.use(async () => {}) as Promise<void>)
    const page = await registry.metrics()
    expect(page).toContain('wellpool_connections{pool="orders",protocol="fake",state="idle"} 0')
    expect(page).toContain('wellpool_connections{pool="billing",protocol="fake",state="idle"} 1')
    expect(page).toContain('wellpool_use_seconds_count{pool="billing",protocol="fake"} 1')
    await clock.until(pools.remove('billing'))
    await clock.settle()
    expect(await registry.metrics()).not.toContain('billing')
    await clock.until(pools.close())
  })

  it('goes on with the durations of a pool that was replaced under its name', async () => {
    const registry = new Registry()
    const metrics = prometheus({ registry })
    const clock = new FakeClock()
    const pools = createPools({}, { ...withoutName(), clock, metrics })
    metrics.observe(pools)
    for (let round = 0; round < 2; round++) {
      const pool = pools.add('orders', createFakeDriver({ clock }))
      await clock.until(pool.use(async () => {}))
      if (round === 0) void pools.remove('orders')
    }
    await clock.advance(100)
    expect(await seriesValue(registry, `wellpool_use_seconds_count{${POOL}}`)).toBe(2)
    await clock.until(pools.close())
  })

  it('shows nothing of a pool that was closed, whatever is measured of it later', async () => {
    const { pool, borrow, clock, registry } = scene({})
    const lease = await borrow()
    await clock.until(pool.close({ timeout: 0 }))
    lease.release()
    await expect(pool.acquire()).rejects.toThrow('closed')
    await clock.settle()
    expect(await registry.metrics()).not.toContain(POOL)
  })

  it('keeps nothing of a pool that was observed by itself and is closed', async () => {
    const { pool, clock, registry } = scene({})
    await clock.until(pool.close())
    const read = vi.spyOn(pool, 'stats')
    await registry.metrics()
    expect(read).not.toHaveBeenCalled()
  })

  it('has the counters of a pool at 0 before anybody has got a lease', async () => {
    const { driver, pool, clock, value } = scene({ minConnections: 1 })
    driver.always('connect', fail(new Error('refused')))
    void pool.start().catch(() => {})
    await clock.advance(10)
    expect(await value(`wellpool_acquire_failures_total{${POOL},failure="timed_out"}`)).toBe(0)
  })

  it('reads on after a source that is none was refused', async () => {
    const { metrics, value } = scene({})
    expect(() => metrics.observe(undefined as never)).toThrow(TypeError)
    expect(await value(`wellpool_waiting{${POOL}}`)).toBe(0)
  })

  it('goes on with a pool that is observed twice until both observations have ended', async () => {
    const { metrics, pool, value } = scene({})
    metrics.observe(pool)()
    expect(await value(`wellpool_waiting{${POOL}}`)).toBe(0)
  })

  it('fits a registry with other metrics, default labels and OpenMetrics', async () => {
    const registry = new Registry<OpenMetricsContentType>()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    registry.setDefaultLabels({ app: 'shop' })
    new Counter({ name: 'shop_orders', help: 'Orders.', registers: [registry] })
    const metrics = prometheus({ registry })
    const { pool, borrow } = setUp({ metrics })
    metrics.observe(pool)
    const lease = await borrow()
    lease.release()
    const page = await registry.metrics()
    expect(page).toContain(`wellpool_use_seconds_count{${POOL},app="shop"} 1`)
    expect(page).toContain(`wellpool_leases_total{${POOL},app="shop"} 1`)
    expect(page).toContain('shop_orders_total')
    expect(page.endsWith('# EOF\n')).toBe(true)
    expect(await registry.getMetricsAsJSON()).toContainEqual(expect.objectContaining({ name: 'wellpool_use_seconds', type: 'histogram' }))
  })

  it('ends the observation when it is told to', async () => {
    const registry = new Registry()
    const metrics = prometheus({ registry })
    const { pool } = setUp({})
    const off = metrics.observe(pool)
    expect(await registry.metrics()).toContain(`wellpool_waiting{${POOL}} 0`)
    off()
    expect(await registry.metrics()).not.toContain(POOL)
  })

  it('gives no label but pool, protocol and one of a small closed set', async () => {
    const { borrow, registry } = scene({})
    const lease = await borrow()
    lease.release()
    const names = new Set([...(await registry.metrics()).matchAll(/[{,](\w+)="/g)].map(([, name]) => name))
    expect([...names].sort()).toEqual(['failure', 'health', 'le', 'opinion', 'outcome', 'pool', 'protocol', 'reason', 'state'])
  })

  it('takes bounds of histograms, and refuses wrong ones all at once', async () => {
    const registry = new Registry()
    const metrics = prometheus({ registry, buckets: { use: [0.02, 4] } })
    const { borrow } = setUp({ metrics })
    const lease = await borrow()
    lease.release()
    const page = await registry.metrics()
    expect([...page.matchAll(/wellpool_use_seconds_bucket\{.*le="([^"]+)"/g)].map(([, le]) => le)).toEqual(['0.02', '4', '+Inf'])
    const wrong = { use: [2, 1], connect: [], checks: [1] } as object
    expect(() => prometheus({ registry: new Registry(), buckets: wrong })).toThrow(ConfigError)
    try {
      prometheus({ registry: new Registry(), buckets: wrong })
    } catch (error) {
      expect((error as ConfigError).problems.map(({ path }) => path)).toEqual(['buckets.use', 'buckets.connect', 'buckets.checks'])
    }
  })
})

/** The quiet options, for a set. */
function withoutName(): Omit<typeof QUIET, 'name'> {
  const { name: _, ...options } = QUIET
  return options
}
