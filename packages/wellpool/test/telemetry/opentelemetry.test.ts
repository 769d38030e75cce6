import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { ConfigError, createPool, createPools } from '../../src/index.ts'
import { openTelemetry } from '../../src/telemetry/opentelemetry.ts'
import { createFakeDriver, FakeClock, fail, ok } from '../../src/testing/index.ts'
import { QUIET, setUp } from '../engine/set-up.ts'

const POOL = { 'db.client.connection.pool.name': 'orders', 'wellpool.protocol': 'fake' }

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
})

afterAll(() => {
  context.disable()
})

function meters(leaseTimes: 'instruments' | 'producer' = 'instruments') {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const telemetry = openTelemetry({ leaseTimes })
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 2 ** 31 - 1,
    ...(leaseTimes === 'producer' && { metricProducers: [telemetry.metricProducer] }),
  })
  const meterProvider = new MeterProvider({ readers: [reader] })
  metrics.setGlobalMeterProvider(meterProvider)
  onTestFinished(async () => {
    metrics.disable()
    await meterProvider.shutdown()
  })
  /** All data points by the metric's name. */
  const collect = async (): Promise<Record<string, DataPoint<unknown>[]>> => {
    exporter.reset()
    await reader.forceFlush()
    const [resource] = exporter.getMetrics().slice(-1)
    const found = resource?.scopeMetrics.flatMap(({ metrics: list }) => list) ?? []
    return Object.fromEntries(found.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as DataPoint<unknown>[]]))
  }
  return { telemetry, collect }
}

function tracers() {
  const exporter = new InMemorySpanExporter()
  const open = new Set<unknown>()
  const counter: SpanProcessor = {
    onStart: (span) => void open.add(span),
    onEnd: (span) => void open.delete(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  }
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter), counter] })
  const telemetry = openTelemetry({ tracerProvider })
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans()
  // Open are those that have begun and not ended.
  return { telemetry, tracer: tracerProvider.getTracer('test'), spans, open }
}

describe('the metrics of openTelemetry', () => {
  it('has the names of the semantic conventions, in seconds', async () => {
    const { telemetry, collect } = meters()
    const { pool, borrow, clock } = setUp({ metrics: telemetry, maxConnections: 3, driver: { connectMs: 20 } })
    telemetry.observe(pool)
    const lease = await borrow()
    await clock.advance(30)
    lease.release()
    const found = await collect()
    expect(found['db.client.connection.wait_time']).toEqual([
      expect.objectContaining({ attributes: POOL, value: expect.objectContaining({ count: 1, sum: 0.02 }) }),
    ])
    expect(found['db.client.connection.use_time']).toEqual([
      expect.objectContaining({ value: expect.objectContaining({ count: 1, sum: 0.03 }) }),
    ])
    expect(found['db.client.connection.create_time']).toEqual([
      expect.objectContaining({ value: expect.objectContaining({ count: 1, sum: 0.02 }) }),
    ])
    expect(found['db.client.connection.count']?.map(({ attributes, value }) => [attributes['db.client.connection.state'], value])).toEqual([
      ['idle', 1],
      ['used', 0],
    ])
    expect(found['db.client.connection.max']?.[0]?.value).toBe(3)
    expect(found['db.client.connection.idle.min']?.[0]?.value).toBe(0)
    expect(found['db.client.connection.pending_requests']?.[0]?.value).toBe(0)
    expect(found['db.client.connection.timeouts']?.[0]?.value).toBe(0)
  })

  it('has its own names for what the conventions have none, and no figure twice', async () => {
    const { telemetry, collect } = meters()
    const { pool, start, clock } = setUp({ metrics: telemetry, minConnections: 1 })
    telemetry.observe(pool)
    await start()
    await clock.until(pool.rebuildConnections({ all: true }))
    const found = await collect()
    const byReason = Object.fromEntries(
      (found['wellpool.rebuilds_completed'] ?? []).map(({ attributes, value }) => [attributes['wellpool.reason'], value]),
    )
    expect(byReason).toMatchObject({ manual: 1, connection_lost: 0 })
    expect(found['wellpool.rebuild.duration']).toEqual([expect.objectContaining({ attributes: { ...POOL, 'wellpool.reason': 'manual' } })])
    expect(found['wellpool.breaker_state']?.map(({ value }) => value)).toEqual([1, 0, 0])
    for (const name of ['wellpool.waiting', 'wellpool.max_connections', 'wellpool.min_connections', 'wellpool.acquire_timeouts'])
      expect(found).not.toHaveProperty([name])
  })

  it('hands the times of leases to a reader, added up, with leaseTimes: producer', async () => {
    const { telemetry, collect } = meters('producer')
    const { borrow, clock } = setUp({ metrics: telemetry })
    for (let i = 0; i < 3; i++) {
      const lease = await borrow()
      await clock.advance(2)
      lease.release()
    }
    const found = await collect()
    const [use] = found['db.client.connection.use_time'] ?? []
    expect(use).toMatchObject({ attributes: POOL, value: { count: 3, sum: 0.006 } })
    const { buckets } = (use?.value ?? {}) as { buckets: { boundaries: number[]; counts: number[] } }
    expect(buckets.counts).toHaveLength(buckets.boundaries.length + 1)
    expect(buckets.counts[buckets.boundaries.indexOf(0.0025)]).toBe(3)
    expect(found['db.client.connection.wait_time']?.[0]?.value).toMatchObject({ count: 3 })
  })

  it('has the times of leases begin anew for a pool that comes back under its name', async () => {
    const { telemetry, collect } = meters('producer')
    const clock = new FakeClock()
    const { name: _, ...options } = QUIET
    const pools = createPools({}, { ...options, clock, metrics: telemetry })
    telemetry.observe(pools)
    const wallNow = vi.spyOn(Date, 'now')
    onTestFinished(() => wallNow.mockRestore())
    const use = async (at: number): Promise<DataPoint<unknown> | undefined> => {
      wallNow.mockReturnValue(at)
      await clock.until(pools.add('orders', createFakeDriver({ clock })).use(async () => {}))
      const [point] = (await collect())['db.client.connection.use_time'] ?? []
      await clock.until(pools.remove('orders'))
      return point
    }
    expect(await use(1000)).toMatchObject({ startTime: [1, 0], value: { count: 1 } })
    // A count that has fallen with the same start would be taken for one that goes backwards.
    expect(await use(5000)).toMatchObject({ startTime: [5, 0], value: { count: 1 } })
  })

  it('has the counters of a pool at 0 before anything has gone wrong', async () => {
    const { telemetry, collect } = meters()
    const { pool, borrow } = setUp({ metrics: telemetry })
    telemetry.observe(pool)
    ;(await borrow()).release()
    expect((await collect())['wellpool.acquire_failures']?.map(({ value }) => value)).toEqual([0, 0, 0])
  })

  it('takes the provider that it is given', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 31 - 1 })
    const meterProvider = new MeterProvider({ readers: [reader] })
    const { pool } = setUp({})
    openTelemetry({ meterProvider }).observe(pool)
    await reader.forceFlush()
    expect(JSON.stringify(exporter.getMetrics())).toContain('wellpool.pool_state')
    await meterProvider.shutdown()
  })

  it('refuses a wrong option', () => {
    expect(() => openTelemetry({ leaseTimes: 'often' as 'producer' })).toThrow(ConfigError)
    expect(() => openTelemetry({ buckets: { use: [] } })).toThrow('buckets.use')
  })
})

describe('the spans of openTelemetry', () => {
  it('has a span for each connect, linked to the request that needed it', async () => {
    const { telemetry, tracer, spans } = tracers()
    const clock = new FakeClock()
    const pool = createPool(telemetry.trace(createFakeDriver({ clock, connectMs: 20 })), { ...QUIET, clock })
    const request = tracer.startSpan('GET /orders')
    const lease = await context.with(trace.setSpan(context.active(), request), () => clock.until(pool.acquire()))
    request.end()
    lease.release()
    const connect = spans().find(({ name }) => name === 'wellpool.connect')
    expect(connect?.attributes).toEqual({
      'wellpool.protocol': 'fake',
      'wellpool.connection.id': lease.connection.id,
      'wellpool.connect.attempt': 1,
    })
    expect(connect?.links.map(({ context: { spanId } }) => spanId)).toEqual([request.spanContext().spanId])
    expect(connect?.parentSpanContext).toBeUndefined()
    expect(connect?.spanContext().traceId).not.toBe(request.spanContext().traceId)
    await clock.until(pool.close())
  })

  it('has a failed connect with its error, secrets masked', async () => {
    const { telemetry, spans } = tracers()
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    driver.next('connect', fail(new Error('password hunter2 is wrong for postgres://me:sesame@db')))
    const pool = createPool(telemetry.trace({ ...bound(driver), secrets: () => ['hunter2'] }), { ...QUIET, clock })
    await clock.until(pool.acquire().then((lease) => lease.release()))
    const [failed, succeeded] = spans()
    expect(failed?.status).toEqual({ code: 2, message: 'password *** is wrong for postgres://me:***@db' })
    expect(JSON.stringify([failed?.events, failed?.attributes])).not.toMatch(/hunter2|sesame/)
    expect(succeeded?.attributes['wellpool.connect.attempt']).toBe(2)
    await clock.until(pool.close())
  })

  it('has a span for each rebuild, linked to who asked for it, with the connect below it', async () => {
    const { telemetry, tracer, spans } = tracers()
    const clock = new FakeClock()
    const pool = createPool(telemetry.trace(createFakeDriver({ clock, connectMs: 20 })), { ...QUIET, clock, minConnections: 1 })
    telemetry.observe(pool)
    await clock.until(pool.start())
    const [{ id = '' } = {}] = pool.connections()
    const call = tracer.startSpan('POST /rebuild')
    await context.with(trace.setSpan(context.active(), call), () => clock.until(pool.rebuildConnectionById(id)))
    const rebuild = spans().find(({ name }) => name === 'wellpool.rebuild')
    const connect = spans().findLast(({ name }) => name === 'wellpool.connect')
    expect(rebuild?.attributes).toEqual({
      ...POOL,
      'wellpool.connection.id': id,
      'wellpool.connection.generation': 2,
      'wellpool.reason': 'manual',
      'wellpool.reason.detail': 'asked for by hand',
      'wellpool.rebuild.urgent': false,
    })
    expect(rebuild?.links.map(({ context: { spanId } }) => spanId)).toEqual([call.spanContext().spanId])
    expect(connect?.parentSpanContext?.spanId).toBe(rebuild?.spanContext().spanId)
    await clock.until(pool.close())
  })

  it('has a failed rebuild with its stage, and the next try as a span of its own', async () => {
    const { telemetry, spans } = tracers()
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    const pool = createPool(driver, { ...QUIET, clock, minConnections: 1 })
    telemetry.observe(pool)
    await clock.until(pool.start())
    driver.next('check', fail(new Error('not ready')))
    const [{ id = '' } = {}] = pool.connections()
    await clock.until(pool.rebuildConnectionById(id))
    await clock.until(pool.rebuildConnectionById(id))
    const [first, second] = spans()
    expect(first?.attributes['wellpool.rebuild.stage']).toBe('check')
    expect(first?.status.message).toContain('not ready')
    expect(second?.status.code).toBe(0)
    await clock.until(pool.close())
  })

  it('ends the span of a rebuild that the closing of the pool has overtaken', async () => {
    const { telemetry, spans } = tracers()
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    const pool = createPool(driver, { ...QUIET, clock, minConnections: 1 })
    telemetry.observe(pool)
    await clock.until(pool.start())
    driver.next('connect', ok(1000))
    const [{ id = '' } = {}] = pool.connections()
    const rebuilt = pool.rebuildConnectionById(id).catch((error: Error) => error.name)
    await clock.advance(10)
    await clock.until(pool.close())
    expect(await rebuilt).toBe('PoolClosedError')
    expect(spans().map(({ name, status }) => [name, status.message])).toEqual([
      ['wellpool.rebuild', 'pool orders was closed during the rebuild'],
    ])
  })

  it('hands on every hook of a driver that is an object of a class', async () => {
    const { telemetry } = tracers()
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    const pool = createPool(telemetry.trace(driver), { ...QUIET, clock })
    const lease = await clock.until(pool.acquire())
    lease.release(new Error('transient'))
    await clock.until(pool.close())
    expect(driver.ledger.problems()).toEqual([])
    expect(driver.ledger.open).toBe(0)
  })

  it('hands on the hook that says whether there is anything to ask about', () => {
    const { telemetry } = tracers()
    const driver = { ...bound(createFakeDriver({ clock: new FakeClock() })), mayAskAbout: () => false }
    expect(telemetry.trace(driver).mayAskAbout?.({} as never)).toBe(false)
  })

  it('has one span for each rebuild of a pool that is observed by itself and with its set', async () => {
    const { telemetry, spans, open } = tracers()
    const clock = new FakeClock()
    const { name: _, ...options } = QUIET
    const pools = createPools({ orders: createFakeDriver({ clock }) }, { ...options, clock, minConnections: 1 })
    const off = telemetry.observe(pools)
    telemetry.observe(pools.orders)
    await clock.until(pools.start())
    const rebuild = (): Promise<unknown> => clock.until(pools.rebuildConnections({ all: true }))
    await rebuild()
    expect(spans().map(({ attributes }) => attributes['wellpool.connection.generation'])).toEqual([2])
    off()
    await rebuild()
    expect(spans().map(({ attributes }) => attributes['wellpool.connection.generation'])).toEqual([2, 3])
    expect(open.size).toBe(0)
    await clock.until(pools.close())
  })

  it('links no rebuild to a request whose mark was taken back', async () => {
    const { telemetry, tracer, spans } = tracers()
    const clock = new FakeClock()
    const driver = createFakeDriver({ clock })
    const pool = createPool(driver, { ...QUIET, clock, minConnections: 1, maxConnections: 1, rebuildMaxSurge: 0 })
    telemetry.observe(pool)
    const lease = await clock.until(pool.acquire())
    const call = tracer.startSpan('POST /rebuild')
    const batch = await context.with(trace.setSpan(context.active(), call), () =>
      clock.until(pool.rebuildConnections({ all: true, timeout: 10 })),
    )
    expect(batch.skipped).toBe(1)
    driver.lose(lease.client)
    lease.release()
    await clock.advance(100)
    expect(
      spans()
        .filter(({ name }) => name === 'wellpool.rebuild')
        .map(({ links }) => links),
    ).toEqual([[]])
    await clock.until(pool.close())
  })
})

/** The fake driver with what a test puts over it. */
function bound(driver: ReturnType<typeof createFakeDriver>) {
  const { protocol } = driver
  return {
    protocol,
    connect: driver.connect.bind(driver),
    check: driver.check.bind(driver),
    close: driver.close.bind(driver),
    destroy: driver.destroy.bind(driver),
  }
}
