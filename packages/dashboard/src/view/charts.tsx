import { type Signal, signal, useComputed } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Percentiles, Sample } from '../api/contract.ts'
import { duration, whole } from '../format.ts'
import type { Columns } from '../state/sample-log.ts'
import type { Dictionary } from '../text/index.ts'
import { Chart, type Line } from './chart.tsx'
import { useApp, useText } from './context.ts'

const RANGES = [1, 5, 10] as const
const range: Signal<(typeof RANGES)[number]> = signal(5)

/** A picture: its name, its lines, and how each line is read from a sample. */
interface Picture {
  readonly name: string
  readonly lines: readonly Line[]
  readonly pick: readonly ((sample: Sample) => number | null)[]
  readonly format: (value: number) => string
}

/** How long waiting, use and checks took, and how large the pool was, second by second. */
export function Charts() {
  const app = useApp()
  const text = useText()
  const pools = app.model.pools.value
  const pool = pools.find(({ name }) => name === app.chartPool.value)?.name ?? pools[0]?.name
  const isCut = useComputed(() => {
    const { streaming, nextTryAt } = app.model.link.value
    return !streaming && nextTryAt !== undefined
  }).value
  useEffect(() => {
    // Again when the stream is back: the agent remembers what was missed.
    if (pool === undefined || isCut) return
    app.calls.timeline(pool).then(
      (samples) => app.model.fillSamples(pool, samples),
      () => {},
    )
  }, [app, pool, isCut])
  if (pool === undefined) return null
  return (
    <section class="panel" aria-labelledby="charts-title">
      <div class="panel-head">
        <h2 id="charts-title">{text.charts.title}</h2>
        {pools.length > 1 ? (
          <select
            aria-label={text.charts.pool}
            value={pool}
            onChange={({ currentTarget }) => {
              app.chartPool.value = currentTarget.value
            }}
          >
            {pools.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        ) : (
          <span class="muted">{pool}</span>
        )}
        <span class="muted small band-note">{text.charts.breakerBand}</span>
        <span class="spring" />
        <Ranges />
      </div>
      <div class="charts">
        {picturesOf(text).map((picture) => (
          <PoolChart key={picture.name} pool={pool} picture={picture} />
        ))}
      </div>
    </section>
  )
}

function Ranges() {
  const text = useText().charts
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is sent together
    <div class="segments" role="group" aria-label={text.range}>
      {RANGES.map((minutes) => (
        <button
          key={minutes}
          type="button"
          aria-pressed={range.value === minutes}
          onClick={() => {
            range.value = minutes
          }}
        >
          {text.minutes(minutes)}
        </button>
      ))}
    </div>
  )
}

function PoolChart({ pool, picture }: { readonly pool: string; readonly picture: Picture }) {
  const { model } = useApp()
  const text = useText().charts
  model.samplesChanged.value
  const columns = model.samples.columns(pool, range.value * 60, [...picture.pick, isTroubled])
  const latest = latestOf(columns, picture)
  return (
    <figure class="chart">
      <figcaption>{picture.name}</figcaption>
      {columns.times.length === 0 ? (
        <p class="empty">{text.empty}</p>
      ) : (
        <Chart
          label={text.summary(picture.name, latest)}
          lines={picture.lines}
          columns={columns}
          seconds={range.value * 60}
          format={picture.format}
        />
      )}
    </figure>
  )
}

function picturesOf({ charts }: Dictionary): readonly Picture[] {
  const shares: readonly Line[] = [
    { label: charts.p50, tone: 'first' },
    { label: charts.p90, tone: 'second' },
    { label: charts.p99, tone: 'third' },
  ]
  const times = (name: string, of: (sample: Sample) => Percentiles): Picture => ({
    name,
    lines: shares,
    pick: (['p50', 'p90', 'p99'] as const).map((share) => (sample) => (of(sample).count === 0 ? null : of(sample)[share])),
    format: duration,
  })
  return [
    times(charts.wait, ({ wait }) => wait),
    times(charts.use, ({ use }) => use),
    times(charts.check, ({ check }) => check),
    {
      name: charts.size,
      lines: [
        { label: charts.total, tone: 'second' },
        { label: charts.inUse, tone: 'first' },
        { label: charts.waiting, tone: 'loud' },
      ],
      pick: [({ total }) => total, ({ acquired }) => acquired, ({ waiting }) => waiting],
      format: whole,
    },
  ]
}

/** Whether the ground is red: nothing can be connected, or most fail their checks. */
const isTroubled = ({ breaker, panic }: Sample): number => (breaker !== 'closed' || panic ? 1 : 0)

function latestOf({ values }: Columns, { lines, format }: Picture): string {
  return lines
    .map(({ label }, index) => {
      const value = values[index]?.findLast((each) => each !== null)
      return `${label} ${value === undefined || value === null ? '–' : format(value)}`
    })
    .join(', ')
}
