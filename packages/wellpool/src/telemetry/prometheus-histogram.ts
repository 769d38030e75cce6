import type { Histogram, MetricObjectWithValues, MetricValueWithName, Registry } from 'prom-client'
import type { Buckets } from '../shared/buckets.ts'

/** One series of a histogram. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly buckets: Buckets
}

/**
 * A histogram whose figures are kept elsewhere. prom-client's own looks its labels up at each observation, which
 * takes longer than to lend a connection; this one is read when the page is asked for.
 */
export class RecordedHistogram {
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #read: () => readonly Series[]

  constructor(
    readonly name: string,
    readonly help: string,
    read: () => readonly Series[],
  ) {
    this.#read = read
  }

  /** As prom-client asks for it: seconds, each bucket with all those before it. */
  get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help, type, aggregator } = this
    const values = this.#read().flatMap((series) => this.#valuesOf(series))
    // prom-client declares its types as an enum that exists in its declarations only.
    return Promise.resolve({ name, help, type, aggregator, values } as unknown as MetricObjectWithValues<MetricValueWithName<string>>)
  }

  /** Nothing to do: the figures are the pools', not the registry's. */
  reset(): void {}

  #valuesOf({ labels, buckets: { bounds, counts, sum, count } }: Series): MetricValueWithName<string>[] {
    let total = 0
    const values = bounds.map((bound, index) => {
      total += counts[index] as number
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le: bound / 1000 }, value: total }
    })
    return [
      ...values,
      { metricName: `${this.name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
      { metricName: `${this.name}_sum`, labels, value: sum / 1000 },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}

/** The registry wants a metric of its own classes, and uses `name`, `get` and `reset` of it. */
export function register(registry: Registry, histogram: RecordedHistogram): void {
  registry.registerMetric(histogram as unknown as Histogram)
}
