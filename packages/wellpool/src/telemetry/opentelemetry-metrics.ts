import type { Attributes, BatchObservableCallback, Histogram, Meter, Observable } from '@opentelemetry/api'
import type { CheckOutcome, MetricLabels, ReasonKind } from '../index.ts'
import { DURATION_FIGURES, FIGURES, type Figure, RECORDED_FIGURES } from '../shared/figures.ts'
import type { ObservedPools } from '../shared/observed-pools.ts'
import { type Bounds, type DurationName, type PoolRecord, Recorder } from '../shared/recorder.ts'

/** The attribute with the pool's name, as the semantic conventions have it. */
export const POOL_NAME = 'db.client.connection.pool.name'
export const PROTOCOL = 'wellpool.protocol'

/** Durations for which the semantic conventions have a name. */
const CONVENTIONAL_DURATIONS: Readonly<Partial<Record<DurationName, string>>> = {
  wait: 'db.client.connection.wait_time',
  use: 'db.client.connection.use_time',
  connect: 'db.client.connection.create_time',
}

/** A figure with the names that OpenTelemetry gives it. */
type Observed = Figure

/** Connections as the conventions count them; `wellpool.connections` has all states. */
const CONNECTION_COUNT: Observed = {
  name: 'db.client.connection.count',
  kind: 'gauge',
  help: 'Connections that are idle or in use.',
  unit: '{connection}',
  label: 'db.client.connection.state',
  read: ({ idle, acquired }) => ({ idle, used: acquired }),
}

/** Figures for which they have a name. */
const CONVENTIONAL_FIGURES: Readonly<Record<string, string>> = {
  waiting: 'db.client.connection.pending_requests',
  max_connections: 'db.client.connection.max',
  min_connections: 'db.client.connection.idle.min',
  acquire_timeouts: 'db.client.connection.timeouts',
}

const OBSERVED: readonly Observed[] = [
  CONNECTION_COUNT,
  ...FIGURES.map((figure) => ({
    ...figure,
    name: CONVENTIONAL_FIGURES[figure.name] ?? `wellpool.${figure.name}`,
    ...(figure.label !== undefined && { label: `wellpool.${figure.label}` }),
  })),
]

export const attributesOf = ({ pool, protocol }: MetricLabels): Attributes => ({ [POOL_NAME]: pool, [PROTOCOL]: protocol })

/** The name of a duration's histogram. */
export const durationName = (name: DurationName): string =>
  CONVENTIONAL_DURATIONS[name] ?? `wellpool.${DURATION_FIGURES[name].name}.duration`

/** One histogram for each duration. */
type Histograms = Readonly<Record<DurationName, Histogram>>

/**
 * Records durations with the instruments of a meter. To record one takes OpenTelemetry's SDK about a microsecond, so
 * those of each lease may be left to what a {@link Recorder} adds up.
 */
export class InstrumentRecorder extends Recorder {
  readonly #getMeter: () => Meter
  readonly #leaseTimes: boolean
  #histograms: Histograms | undefined
  /** Pools always give the same object. */
  readonly #attributes = new WeakMap<MetricLabels, Attributes>()

  /**
   * @param getMeter is called when there is something to record
   * @param leaseTimes whether waits and uses are recorded with instruments too
   */
  constructor(getMeter: () => Meter, bounds: Bounds, leaseTimes: boolean) {
    super(bounds)
    this.#getMeter = getMeter
    this.#leaseTimes = leaseTimes
  }

  override acquired(labels: MetricLabels, waitMs: number): void {
    if (this.#leaseTimes) this.#instruments().wait.record(waitMs / 1000, this.#attributesOf(labels))
    else super.acquired(labels, waitMs)
  }

  override released(labels: MetricLabels, useMs: number): void {
    if (this.#leaseTimes) this.#instruments().use.record(useMs / 1000, this.#attributesOf(labels))
    else super.released(labels, useMs)
  }

  override connected(labels: MetricLabels, connectMs: number): void {
    this.begin(labels)
    this.#instruments().connect.record(connectMs / 1000, this.#attributesOf(labels))
  }

  override checked(labels: MetricLabels, outcome: CheckOutcome, checkMs: number): void {
    this.#instruments().check.record(checkMs / 1000, { ...this.#attributesOf(labels), 'wellpool.outcome': outcome })
  }

  override rebuildCompleted(labels: MetricLabels, kind: ReasonKind, rebuildMs: number): void {
    super.rebuildCompleted(labels, kind, rebuildMs)
    this.#instruments().rebuild.record(rebuildMs / 1000, { ...this.#attributesOf(labels), 'wellpool.reason': kind })
  }

  #instruments(): Histograms {
    this.#histograms ??= createHistograms(this.#getMeter(), this.bounds, this.#leaseTimes)
    return this.#histograms
  }

  #attributesOf(labels: MetricLabels): Attributes {
    let attributes = this.#attributes.get(labels)
    if (attributes === undefined) {
      attributes = attributesOf(labels)
      this.#attributes.set(labels, attributes)
    }
    return attributes
  }
}

/** An instrument that nothing is recorded with would stand beside the producer's metric of the same name. */
const none: Histogram = { record() {} }

function createHistograms(meter: Meter, bounds: Bounds, leaseTimes: boolean): Histograms {
  const create = (name: DurationName): Histogram =>
    meter.createHistogram(durationName(name), {
      description: DURATION_FIGURES[name].help,
      unit: 's',
      advice: { explicitBucketBoundaries: bounds[name].map((ms) => ms / 1000) },
    })
  return {
    wait: leaseTimes ? create('wait') : none,
    use: leaseTimes ? create('use') : none,
    connect: create('connect'),
    check: create('check'),
    rebuild: create('rebuild'),
  }
}

/**
 * Observes all figures whenever the meter's readers collect.
 *
 * @returns a function that ends it
 */
export function observeFigures(meter: Meter, pools: ObservedPools, records: () => Iterable<PoolRecord>): () => void {
  const figures = OBSERVED.map((figure) => ({ ...figure, instrument: createInstrument(meter, figure) }))
  const recorded = RECORDED_FIGURES.map(({ name, help, unit, label, key }) => ({
    instrument: meter.createObservableCounter(`wellpool.${name}`, { description: help, unit }),
    label: `wellpool.${label}`,
    key,
  }))
  const callback: BatchObservableCallback = (result) => {
    for (const { pool, stats } of pools.list()) {
      const attributes = attributesOf({ pool: stats.name, protocol: stats.protocol })
      for (const { instrument, label, read } of figures) {
        const value = read(stats, pool)
        if (typeof value === 'number') result.observe(instrument, value, attributes)
        else for (const [key, part] of Object.entries(value)) result.observe(instrument, part, { ...attributes, [label as string]: key })
      }
    }
    for (const record of records()) {
      const attributes = attributesOf(record.labels)
      for (const { instrument, label, key } of recorded) {
        for (const [value, count] of Object.entries(record[key])) result.observe(instrument, count, { ...attributes, [label]: value })
      }
    }
  }
  const observables = [...figures, ...recorded].map(({ instrument }) => instrument)
  meter.addBatchObservableCallback(callback, observables)
  return () => meter.removeBatchObservableCallback(callback, observables)
}

function createInstrument(meter: Meter, { name, kind, help, unit }: Observed): Observable {
  const options = { description: help, unit }
  if (kind === 'counter') return meter.createObservableCounter(name, options)
  // A sum over all pools means something of what is counted in things, and nothing of a state.
  return unit === '1' ? meter.createObservableGauge(name, options) : meter.createObservableUpDownCounter(name, options)
}
