import { Counter, register as defaultRegistry, Gauge, type OpenMetricsContentType, type Registry } from 'prom-client'
import type { MetricLabels } from '../index.ts'
import type { Buckets } from '../shared/buckets.ts'
import { boundsOf, type DurationBuckets } from '../shared/duration-buckets.ts'
import { DURATION_FIGURES, type DurationFigure, FIGURES, type Figure, RECORDED_FIGURES, type RecordedFigure } from '../shared/figures.ts'
import { ObservedPools, type PoolSource } from '../shared/observed-pools.ts'
import { refuseUnknown } from '../shared/option-rules.ts'
import { type DurationName, type PoolRecord, Recorder } from '../shared/recorder.ts'
import { RecordedHistogram, register, type Series } from './prometheus-histogram.ts'

export type { DurationBuckets } from '../shared/duration-buckets.ts'
export type { PoolSource } from '../shared/observed-pools.ts'

/** Where the figures go. */
export interface PrometheusOptions {
  /** The registry whose page they are on. Default: prom-client's own, which `register.metrics()` prints. */
  readonly registry?: Registry | Registry<OpenMetricsContentType> | undefined
  /** Upper bounds of the histograms, in seconds, in place of the built-in ones. */
  readonly buckets?: DurationBuckets | undefined
}

/**
 * Measures pools for Prometheus: give it to them as their option `metrics`, for durations, and let it observe them,
 * for everything else.
 */
export class PrometheusMetrics extends Recorder {
  readonly #pools = new ObservedPools((pool) => this.forget(pool))

  /** Use {@link prometheus}. @internal */
  constructor(options: PrometheusOptions) {
    refuseUnknown(options, ['registry', 'buckets'])
    super(boundsOf(options.buckets))
    // What a registry prints its page as makes no difference to its metrics.
    const registry = (options.registry ?? defaultRegistry) as Registry
    const registers = [registry]
    for (const figure of FIGURES) this.#addFigure(figure, registers)
    for (const figure of RECORDED_FIGURES) this.#addCounter(figure, registers)
    for (const [name, figure] of Object.entries(DURATION_FIGURES)) this.#addHistogram(name as DurationName, figure, registry)
  }

  /**
   * Shows the pool, or all pools of the set, with their states and totals, from now on. What is closed is no longer
   * shown.
   *
   * @returns a function that ends it
   */
  observe(source: PoolSource): () => void {
    return this.#pools.observe(source)
  }

  #addFigure({ name, kind, help, label, read }: Figure, registers: Registry[]): void {
    const pools = this.#pools
    const Metric = kind === 'gauge' ? Gauge : Counter
    new Metric({
      name: `wellpool_${name}${kind === 'counter' ? '_total' : ''}`,
      help,
      labelNames: labelNames(label),
      registers,
      collect(this: Gauge | Counter) {
        this.reset()
        for (const { pool, stats } of pools.list()) {
          const labels = { pool: stats.name, protocol: stats.protocol }
          const value = read(stats, pool)
          if (typeof value === 'number') this.inc(labels, value)
          else if (label !== undefined) for (const [key, part] of Object.entries(value)) this.inc({ ...labels, [label]: key }, part)
        }
      },
    })
  }

  #addCounter({ name, help, label, key }: RecordedFigure, registers: Registry[]): void {
    const records = (): Iterable<PoolRecord> => this.records()
    new Counter({
      name: `wellpool_${name}_total`,
      help,
      labelNames: labelNames(label),
      registers,
      collect() {
        this.reset()
        for (const record of records()) {
          for (const [value, count] of Object.entries(record[key])) this.inc({ ...labelsOf(record.labels), [label]: value }, count)
        }
      },
    })
  }

  #addHistogram(name: DurationName, { name: title, help, label }: DurationFigure, registry: Registry): void {
    const read = (): Series[] => [...this.records()].flatMap((record) => seriesOf(record, name, label))
    register(registry, new RecordedHistogram(`wellpool_${title}_seconds`, help, read))
  }
}

/**
 * Metrics for Prometheus on the package `prom-client` (15 or later), which the application installs. Labels are
 * `pool`, `protocol` and at most one more from a small closed set; durations are in seconds.
 *
 * @throws ConfigError when options are wrong
 * @throws Error when the registry has metrics of these names already: make one for each registry, and let it observe
 *   all pools
 * @example
 * const metrics = prometheus({ registry })
 * const pools = createPools({ orders: postgres({ connectionString }) }, { metrics })
 * metrics.observe(pools)
 */
export function prometheus(options: PrometheusOptions = {}): PrometheusMetrics {
  return new PrometheusMetrics(options)
}

const labelNames = (label: string | undefined): string[] => ['pool', 'protocol', ...(label === undefined ? [] : [label])]

const labelsOf = ({ pool, protocol }: MetricLabels): Record<string, string> => ({ pool, protocol })

function seriesOf(record: PoolRecord, name: DurationName, label: string | undefined): Series[] {
  const labels = labelsOf(record.labels)
  const parts = record[name]
  if ('bounds' in parts) return [{ labels, buckets: parts }]
  const entries: Iterable<[string, Buckets]> = parts instanceof Map ? parts : Object.entries(parts)
  return [...entries].map(([value, buckets]) => ({ labels: { ...labels, [label as string]: value }, buckets }))
}
