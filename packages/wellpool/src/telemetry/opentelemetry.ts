import { type Meter, type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import type { MetricProducer } from '@opentelemetry/sdk-metrics'
import { ConfigError, type Driver } from '../index.ts'
import { boundsOf, type DurationBuckets } from '../shared/duration-buckets.ts'
import { ObservedPools, type PoolSource } from '../shared/observed-pools.ts'
import { refuseUnknown } from '../shared/option-rules.ts'
import { InstrumentRecorder, observeFigures } from './opentelemetry-metrics.ts'
import { LeaseTimesProducer } from './opentelemetry-producer.ts'
import { PoolSpans } from './opentelemetry-spans.ts'

export type { DurationBuckets } from '../shared/duration-buckets.ts'
export type { PoolSource } from '../shared/observed-pools.ts'

/** Where metrics and spans go. */
export interface OpenTelemetryOptions {
  /** Default: the one that is the global one when the first pool is observed or measured. */
  readonly meterProvider?: MeterProvider | undefined
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider | undefined
  /** Upper bounds of the histograms, in seconds, in place of the built-in ones. */
  readonly buckets?: DurationBuckets | undefined
  /**
   * How the two times of each lease (`db.client.connection.wait_time`, `use_time`) are exported.
   *
   * - `instruments`: by two instruments of the meter, as everything else. The SDK takes about a microsecond for each.
   * - `producer`: added up by Wellpool, at a few nanoseconds, and handed over by {@link OpenTelemetryPools.metricProducer},
   *   which a metric reader has to be given.
   *
   * Default `instruments`.
   */
  readonly leaseTimes?: 'instruments' | 'producer' | undefined
}

/**
 * Measures and traces pools for OpenTelemetry: give it to them as their option `metrics`, for durations, and let it
 * observe them, for everything else.
 */
export class OpenTelemetryPools extends InstrumentRecorder {
  /**
   * With `leaseTimes: 'producer'`: for the option `metricProducers` of a metric reader. Its histograms are cumulative,
   * whatever temporality the reader prefers.
   */
  readonly metricProducer: MetricProducer
  readonly #getMeter: () => Meter
  readonly #spans: PoolSpans
  readonly #pools = new ObservedPools((pool) => this.forget(pool))
  #observing = false

  /** Use {@link openTelemetry}. @internal */
  constructor(options: OpenTelemetryOptions) {
    refuseUnknown(options, ['meterProvider', 'tracerProvider', 'buckets', 'leaseTimes'])
    const { meterProvider, tracerProvider, buckets, leaseTimes = 'instruments' } = options
    if (leaseTimes !== 'instruments' && leaseTimes !== 'producer') {
      throw new ConfigError([{ path: 'leaseTimes', given: String(leaseTimes), allowed: "'instruments' or 'producer'" }])
    }
    const getMeter = (): Meter => (meterProvider ?? metrics.getMeterProvider()).getMeter('wellpool')
    super(getMeter, boundsOf(buckets), leaseTimes === 'instruments')
    this.#getMeter = getMeter
    this.#spans = new PoolSpans((tracerProvider ?? trace.getTracerProvider()).getTracer('wellpool'))
    this.metricProducer = new LeaseTimesProducer(this)
  }

  /**
   * Exports states and totals of the pool, or of all pools of the set, from now on, and a span for each rebuild.
   *
   * @returns a function that ends it
   */
  observe(source: PoolSource): () => void {
    if (!this.#observing) {
      this.#observing = true
      observeFigures(this.#getMeter(), this.#pools, () => this.records())
    }
    const off = [this.#pools.observe(source), this.#spans.observe(source)]
    return () => {
      for (const end of off) end()
    }
  }

  /**
   * The same driver, with a span for each connect: a child of the rebuild that it is for, otherwise the root of a
   * trace, linked to the request whose acquire led to it. What the client library traces by itself comes below it.
   */
  trace<Client>(driver: Driver<Client>): Driver<Client> {
    return this.#spans.traceConnects(driver)
  }
}

/**
 * Metrics and spans for OpenTelemetry on the package `@opentelemetry/api` (1.9 or later), which the application
 * installs. Metrics are called as the semantic conventions call them (`db.client.connection.*`) where these have a
 * name, otherwise `wellpool.*`; durations are in seconds.
 *
 * @throws ConfigError when options are wrong
 * @example
 * const telemetry = openTelemetry()
 * const pools = createPools({ orders: telemetry.trace(postgres({ connectionString })) }, { metrics: telemetry })
 * telemetry.observe(pools)
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): OpenTelemetryPools {
  return new OpenTelemetryPools(options)
}
