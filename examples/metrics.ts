// A collector that adds up what the pool measures, and a page that Prometheus can read.
//
//   DATABASE_URL=postgres://user:password@localhost/app node tools/run.mjs examples/metrics.ts
import { createPool, type MetricLabels, type MetricsCollector, type PoolStats } from 'wellpool'
import { postgres } from 'wellpool/postgres'

/** Upper bounds, ms. Acquiring takes microseconds when a connection is free, and seconds when none is. */
const BOUNDS = [1, 5, 25, 100, 500, 2500, 10_000]

/** Counts durations by their upper bounds, as Prometheus wants it: each bucket holds those before it. */
class Histogram {
  readonly #buckets = BOUNDS.map(() => 0)
  #sum = 0
  #count = 0

  add(ms: number): void {
    this.#sum += ms
    this.#count++
    for (const [index, bound] of BOUNDS.entries()) if (ms <= bound) this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
  }

  lines(name: string, labels: string): string[] {
    const buckets = this.#buckets.map((count, index) => `${name}_bucket{${labels},le="${(BOUNDS[index] ?? 0) / 1000}"} ${count}`)
    return [
      `# TYPE ${name} histogram`,
      ...buckets,
      `${name}_bucket{${labels},le="+Inf"} ${this.#count}`,
      `${name}_sum{${labels}} ${this.#sum / 1000}`,
      `${name}_count{${labels}} ${this.#count}`,
    ]
  }
}

/** Only what is implemented is called. Figures that `stats()` keeps anyway need no collector. */
class Durations implements MetricsCollector {
  readonly wait = new Histogram()
  readonly use = new Histogram()

  acquired(_labels: MetricLabels, waitMs: number): void {
    this.wait.add(waitMs)
  }

  released(_labels: MetricLabels, useMs: number): void {
    this.use.add(useMs)
  }
}

function page(stats: PoolStats, durations: Durations): string {
  const labels = `pool="${stats.name}",protocol="${stats.protocol}"`
  const states = ['idle', 'acquired', 'checking', 'connecting', 'rebuilding', 'closing'] as const
  return [
    '# TYPE app_pool_connections gauge',
    ...states.map((state) => `app_pool_connections{${labels},state="${state}"} ${stats[state]}`),
    '# TYPE app_pool_waiting gauge',
    `app_pool_waiting{${labels}} ${stats.waiting}`,
    '# TYPE app_pool_breaker_closed gauge',
    `app_pool_breaker_closed{${labels}} ${stats.breaker === 'closed' ? 1 : 0}`,
    '# TYPE app_pool_acquire_timeouts_total counter',
    `app_pool_acquire_timeouts_total{${labels}} ${stats.acquireTimeouts}`,
    '# TYPE app_pool_rebuilds_marked_total counter',
    ...Object.entries(stats.rebuildsMarked).map(([kind, count]) => `app_pool_rebuilds_marked_total{${labels},reason="${kind}"} ${count}`),
    ...durations.wait.lines('app_pool_acquire_wait_seconds', labels),
    ...durations.use.lines('app_pool_use_seconds', labels),
  ].join('\n')
}

const connectionString = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres'
const metrics = new Durations()
const db = createPool(postgres({ connectionString }), { name: 'orders', maxConnections: 2, metrics })

await Promise.all(Array.from({ length: 10 }, () => db.use((client) => client.query('select pg_sleep(0.01)'))))
await db.rebuildConnections({ all: true })
console.log(page(db.stats(), metrics))

await db.close()
