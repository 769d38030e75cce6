import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  ALERTMANAGER_PROGRAM,
  findProgram,
  type MonitoringServer,
  PROMETHEUS_PROGRAM,
  PROMTOOL_PROGRAM,
  runToEnd,
  startAlertmanager,
  startPrometheus,
} from '@wellpool/servers'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { postgres } from '../../src/drivers/postgres.ts'
import { createPool, parseDuration } from '../../src/index.ts'
import { prometheus } from '../../src/telemetry/prometheus.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { readPage } from '../docs/markdown.ts'
import { describeWith } from '../support/describe-if.ts'
import { describePostgres } from '../support/postgres.ts'

const folder = fileURLToPath(new URL('../../../../ops/prometheus/', import.meta.url))
const rules = readPage('ops/prometheus/alerts.yaml')

it('every runbook is a section of the docs', () => {
  const links = [...rules.matchAll(/runbook_url: (\S+)#(\S+)/g)]
  expect(links).toHaveLength(rules.match(/- alert:/g)?.length ?? 0)
  for (const [, page = '', anchor = ''] of links) {
    const anchors = [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
    expect(anchors).toContain(anchor)
  }
})

it.each([
  ['the rules', rules],
  ['the dashboard for Grafana', readPage('ops/grafana/wellpool.json')],
])('every figure that %s reads is one that is exported', async (_, text) => {
  const registry = new Registry()
  prometheus({ registry })
  const exported = (await registry.getMetricsAsJSON()).map(({ name }) => name)
  const read = new Set([...text.matchAll(/\bwellpool_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')))
  expect(read.size).toBeGreaterThan(8)
  for (const name of read) expect(exported).toContain(name)
})

it('no rule needs more scrapes than there are when Prometheus looks once a minute, as it does unless told otherwise', () => {
  const ranges = [...rules.matchAll(/\[(\w+)\]/g)].map(([, range = '']) => parseDuration(range))
  expect(ranges.length).toBeGreaterThan(4)
  // One that fails, and one that comes late, leave two.
  for (const range of ranges) expect(range).toBeGreaterThanOrEqual(4 * 60_000)
})

await describeWith([PROMTOOL_PROGRAM], 'promtool', () => {
  it('sees the alerts fire when they are to, and only then', async () => {
    const promtool = await findProgram(PROMTOOL_PROGRAM)
    await runToEnd(promtool, ['check', 'rules', 'alerts.yaml'], { cwd: folder })
    await runToEnd(promtool, ['test', 'rules', 'alerts.test.yaml'], { cwd: folder })
  })

  it('can read every query of the dashboard for Grafana', async () => {
    const promtool = await findProgram(PROMTOOL_PROGRAM)
    const { panels } = JSON.parse(readPage('ops/grafana/wellpool.json')) as { panels: { targets: { expr: string }[] }[] }
    const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')))
    const groups = [{ name: 'dashboard', rules: queries.map((expr, index) => ({ record: `query_${index}`, expr })) }]
    const file = join(await mkdtemp(join(tmpdir(), 'wellpool-queries-')), 'rules.json')
    await writeFile(file, JSON.stringify({ groups }))
    await runToEnd(promtool, ['check', 'rules', file])
    await rm(dirname(file), { recursive: true })
  })
})

await describeWith([PROMETHEUS_PROGRAM, ALERTMANAGER_PROGRAM], 'on a real Prometheus and Alertmanager', async () => {
  await describePostgres('with a pool on PostgreSQL', (url) => {
    it('an outage fires its alert and its end resolves it; so do borrowers who wait for a pool that is all in use', async () => {
      const address = new URL(url)
      await using proxy = await FaultProxy.start({ port: Number(address.port) })
      address.port = String(proxy.port)
      const registry = new Registry()
      const metrics = prometheus({ registry })
      await using pool = createPool(postgres({ connectionString: address.href }), { name: 'orders', maxConnections: 2, metrics })
      metrics.observe(pool)
      await pool.start()
      const page = createServer(async (_, response) => response.end(await registry.metrics()))
      await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
      const target = `127.0.0.1:${(page.address() as AddressInfo).port}`
      await using alertmanager = await startAlertmanager()
      // As they are, but without the patience that spares people's nights.
      const impatient = rules.replaceAll(/^( +for: ).*$/gm, '$11s')
      await using _prometheus = await startPrometheus(target, impatient, alertmanager)

      await proxy.refuse()
      proxy.inject({ kind: 'reset' }, 'present')
      await until(alertmanager, ['WellpoolEndpointDown'])
      await proxy.heal()
      await until(alertmanager, [])

      const leases = [await pool.acquire(), await pool.acquire()]
      const waiting = pool.acquire()
      await until(alertmanager, ['WellpoolSaturated'])
      for (const lease of leases) lease.release()
      ;(await waiting).release()
      await until(alertmanager, [])
      page.closeAllConnections()
      page.close()
    })
  })
})

/** Until these alerts of the pool are firing, and no others. The test's time-out is the limit. */
async function until(alertmanager: MonitoringServer, names: readonly string[]): Promise<void> {
  for (;;) {
    const response = await fetch(`${alertmanager.url}/api/v2/alerts?active=true`)
    const alerts = (await response.json()) as { labels: { alertname: string; pool: string } }[]
    const firing = alerts.filter(({ labels }) => labels.pool === 'orders').map(({ labels }) => labels.alertname)
    if (JSON.stringify([...new Set(firing)].sort()) === JSON.stringify([...names].sort())) return
    await delay(100)
  }
}
