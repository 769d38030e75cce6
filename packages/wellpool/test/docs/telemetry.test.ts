import { metrics } from '@opentelemetry/api'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { combineCollectors } from '../../src/telemetry/collectors.ts'
import { openTelemetry } from '../../src/telemetry/opentelemetry.ts'
import { prometheus } from '../../src/telemetry/prometheus.ts'
import { createFakeDriver, FakeClock } from '../../src/testing/index.ts'
import { readPage, tableRows } from './markdown.ts'

const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
const rows = tableRows(readPage('docs/monitoring.md'))

/** The rows that name metrics with this beginning, one for each name. */
const documented = (prefix: string): { name: string; type: string; labels: string[] }[] =>
  rows.flatMap(([names, type = '', labels]) =>
    codes(names)
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ name, type, labels: codes(labels) })),
  )

/** What a pool exports that has done everything once. */
const registry = new Registry()
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)

beforeAll(async () => {
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 31 - 1 })
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  const clock = new FakeClock()
  const [prom, otel] = [prometheus({ registry }), openTelemetry()]
  const pool = createPool(createFakeDriver({ clock }), {
    name: 'orders',
    clock,
    metrics: combineCollectors(prom, otel),
    healthCheckInterval: 1000,
  })
  prom.observe(pool)
  otel.observe(pool)
  await clock.until(pool.use(async () => {}))
  await clock.until(pool.rebuildConnections({ all: true }))
  await clock.advance(5000)
  await reader.forceFlush()
  await registry.metrics()
})

afterAll(() => {
  metrics.disable()
})

describe('docs/monitoring.md', () => {
  test('has a row for each metric of wellpool/prometheus, with its type and its label, and no other', async () => {
    const exported = (await registry.getMetricsAsJSON()).map(({ name, type, values }) => {
      const labels = Object.keys(values.at(-1)?.labels ?? {}).filter((label) => !['pool', 'protocol', 'le'].includes(label))
      return { name, type: String(type), labels }
    })
    expect(documented('wellpool_').sort(byName)).toEqual(exported.sort(byName))
  })

  test('has a row for each metric of wellpool/opentelemetry with a conventional name, and names its own by the rule', () => {
    const exported = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics.map(({ descriptor }) => descriptor.name)))
    const conventional = exported.filter((name) => name.startsWith('db.client.'))
    expect(
      documented('db.client.')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(conventional.sort())
    const own = exported.filter((name) => name.startsWith('wellpool.') && !name.endsWith('.duration'))
    const rule = documented('wellpool_').map(({ name }) => name.replace('wellpool_', 'wellpool.').replace(/_total$/, ''))
    expect(own.filter((name) => !rule.includes(name))).toEqual([])
    expect(exported.filter((name) => name.endsWith('.duration')).sort()).toEqual(['wellpool.check.duration', 'wellpool.rebuild.duration'])
  })
})

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1
}
