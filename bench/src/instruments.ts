import type { Driver, MetricsCollector, PoolOptions } from 'wellpool'
import type { PoolSource } from 'wellpool/prometheus'

/** What is put around a driver and a pool, and what is done with the pool once it is made. */
export interface Instrument {
  wrap<Client>(driver: Driver<Client>): Driver<Client>
  readonly options: Pick<PoolOptions, 'metrics' | 'logger'>
  observe(pool: PoolSource): void
}

/** How often figures are collected, ms: more often than anybody does. */
const COLLECT_EVERY = 1000

const nothing: Instrument = { wrap: (driver) => driver, options: {}, observe() {} }

async function prometheusInstrument(): Promise<Instrument> {
  const [{ Registry }, { prometheus }] = await Promise.all([import('prom-client'), import('wellpool/prometheus')])
  const registry = new Registry()
  const metrics = prometheus({ registry })
  return {
    ...nothing,
    options: { metrics },
    observe(pool) {
      metrics.observe(pool)
      setInterval(() => void registry.metrics(), COLLECT_EVERY).unref()
    },
  }
}

async function openTelemetryInstrument(leaseTimes: 'instruments' | 'producer'): Promise<Instrument> {
  const [{ metrics }, sdk, { openTelemetry }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-metrics'),
    import('wellpool/opentelemetry'),
  ])
  const telemetry = openTelemetry({ leaseTimes })
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE)
  const reader = new sdk.PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: COLLECT_EVERY,
    exportTimeoutMillis: COLLECT_EVERY,
    metricProducers: leaseTimes === 'producer' ? [telemetry.metricProducer] : [],
  })
  metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }))
  setInterval(() => exporter.reset(), COLLECT_EVERY).unref()
  return { wrap: (driver) => telemetry.trace(driver), options: { metrics: telemetry }, observe: (pool) => void telemetry.observe(pool) }
}

async function pinoInstrument(): Promise<Instrument> {
  const { default: pino } = await import('pino')
  return { ...nothing, options: { logger: pino({ level: 'info' }, pino.destination('/dev/null')) } }
}

async function channelsInstrument(leases: boolean): Promise<Instrument> {
  const { publishEvents } = await import('wellpool/diagnostics')
  return { ...nothing, observe: (pool) => void publishEvents(pool, { leases }) }
}

/** Everything at once. */
async function allInstruments(): Promise<Instrument> {
  const { combineCollectors } = await import('wellpool/collectors')
  const parts = await Promise.all([
    prometheusInstrument(),
    openTelemetryInstrument('producer'),
    pinoInstrument(),
    channelsInstrument(false),
  ])
  const collectors = parts.flatMap(({ options }): MetricsCollector[] => (options.metrics === undefined ? [] : [options.metrics]))
  const logger = parts.find(({ options }) => options.logger !== undefined)?.options.logger
  return {
    wrap: (driver) => parts.reduce((wrapped, part) => part.wrap(wrapped), driver),
    options: { metrics: combineCollectors(...collectors), logger },
    observe: (pool) => {
      for (const part of parts) part.observe(pool)
    },
  }
}

/** Contender → what is around its pool. */
export const INSTRUMENTS: Readonly<Record<string, () => Promise<Instrument>>> = {
  without: async () => nothing,
  wellpool: allInstruments,
  prometheus: prometheusInstrument,
  'OpenTelemetry, producer': () => openTelemetryInstrument('producer'),
  'OpenTelemetry, instruments': () => openTelemetryInstrument('instruments'),
  pino: pinoInstrument,
  channels: () => channelsInstrument(false),
  'channels with leases': () => channelsInstrument(true),
}
