import type { HrTime, ValueType } from '@opentelemetry/api'
import type {
  AggregationTemporality,
  CollectionResult,
  DataPoint,
  DataPointType,
  Histogram,
  HistogramMetricData,
  MetricProducer,
  ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { systemClock } from '../engine/clock.ts'
import type { Buckets } from '../shared/buckets.ts'
import { DURATION_FIGURES } from '../shared/figures.ts'
import type { Recorder } from '../shared/recorder.ts'
import { attributesOf, durationName } from './opentelemetry-metrics.ts'

/** As the SDK has them. Its values are not imported: the SDK is no dependency, and only its readers call a producer. */
const HISTOGRAM: DataPointType.HISTOGRAM = 0
const CUMULATIVE: AggregationTemporality.CUMULATIVE = 1
const DOUBLE: ValueType.DOUBLE = 1

type Resource = ResourceMetrics['resource']

/** Readers take the resource of their own provider. */
const NO_RESOURCE: Resource = { attributes: {}, merge: (other) => other ?? NO_RESOURCE, getRawAttributes: () => [] }

/** Hands the times of leases, added up, to a metric reader of OpenTelemetry's SDK whenever that collects. */
export class LeaseTimesProducer implements MetricProducer {
  readonly #recorder: Recorder

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  collect(): Promise<CollectionResult> {
    const endTime = toHrTime(systemClock.wallNow())
    const metrics = (['wait', 'use'] as const).map((name) => this.#metric(name, endTime))
    return Promise.resolve({
      resourceMetrics: { resource: NO_RESOURCE, scopeMetrics: [{ scope: { name: 'wellpool' }, metrics }] },
      errors: [],
    })
  }

  #metric(name: 'wait' | 'use', endTime: HrTime): HistogramMetricData {
    return {
      descriptor: { name: durationName(name), description: DURATION_FIGURES[name].help, unit: 's', valueType: DOUBLE },
      aggregationTemporality: CUMULATIVE,
      dataPointType: HISTOGRAM,
      dataPoints: [...this.#recorder.records()].map(
        (record): DataPoint<Histogram> => ({
          startTime: toHrTime(record.since),
          endTime,
          attributes: attributesOf(record.labels),
          value: toHistogram(record[name]),
        }),
      ),
    }
  }
}

function toHistogram({ bounds, counts, sum, count }: Buckets): Histogram {
  return { buckets: { boundaries: bounds.map((ms) => ms / 1000), counts: [...counts] }, sum: sum / 1000, count }
}

/** @param ms since 1970 */
function toHrTime(ms: number): HrTime {
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000]
}
