import { useEffect, useRef, useState } from 'preact/hooks'
import UPlot from 'uplot'
import { timeOfDay } from '../format.ts'
import { alone, type Columns } from '../state/sample-log.ts'
import { useApp } from './context.ts'

/** A line of a chart. */
export interface Line {
  readonly label: string
  readonly tone: 'first' | 'second' | 'third' | 'loud'
}

interface ChartProps {
  /** For those who can't see it. */
  readonly label: string
  readonly lines: readonly Line[]
  /** The columns of the lines, and behind them one that is 1 where the ground is red. */
  readonly columns: Columns
  readonly seconds: number
  readonly format: (value: number) => string
}

/** Lines differ by more than their colour. */
const DASHES = { first: [], second: [7, 3], third: [2, 3], loud: [] } as const
const WIDTHS = { first: 1.75, second: 1.5, third: 1.5, loud: 2 } as const
const HEIGHT = 150
/** Charts with this key show their cursors together. */
const SYNC_KEY = 'wellpool'

/** Lines over time, drawn by uPlot. */
export function Chart({ label, lines, columns, seconds, format }: ChartProps) {
  const { preferences } = useApp()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | undefined>(undefined)
  const [cursor, setCursor] = useState<number | null>(null)
  const theme = useEffectiveTheme(preferences.theme.value)
  const names = lines.map((line) => line.label).join()

  // Made anew when its colours or names change; data are put into it below.
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const made = new UPlot(optionsOf(element, lines, format, setCursor), dataOf(columns), element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [theme, names])

  useEffect(() => {
    const last = columns.times.at(-1)
    if (plot.current === undefined || last === undefined) return
    plot.current.setData(dataOf(columns), false)
    plot.current.setScale('x', { min: last - seconds, max: last })
  }, [columns, seconds])

  const index = cursor !== null && cursor < columns.times.length ? cursor : undefined
  return (
    <>
      <p class="chart-legend figures">
        {lines.map(({ label: name, tone }, column) => (
          <span key={name} class={`tone-${tone}`}>
            <svg viewBox="0 0 20 4" width="20" height="4" aria-hidden="true">
              <line x1="0" y1="2" x2="20" y2="2" stroke-dasharray={DASHES[tone].join(' ')} stroke-width={WIDTHS[tone]} />
            </svg>
            {name} <b>{valueAt(columns, column, index, format)}</b>
          </span>
        ))}
        {index !== undefined && <span class="muted">{timeOfDay((columns.times[index] ?? 0) * 1000)}</span>}
      </p>
      <div ref={place} class="plot" role="img" aria-label={label} />
    </>
  )
}

function valueAt({ values }: Columns, column: number, index: number | undefined, format: (value: number) => string): string {
  const line = values[column] ?? []
  // Checks do not come every second.
  const value = index === undefined ? line.findLast((each) => each !== null) : line[index]
  return value === null || value === undefined ? '–' : format(value)
}

const dataOf = ({ times, values }: Columns): UPlot.AlignedData => [times, ...values] as unknown as UPlot.AlignedData

function optionsOf(
  element: HTMLElement,
  lines: readonly Line[],
  format: (value: number) => string,
  onCursor: (index: number | null) => void,
): UPlot.Options {
  const colour = (name: string): string => colourOf(element, name)
  const axis = { stroke: colour('muted'), font: FONT, ticks: { show: false }, grid: { stroke: colour('grid'), width: 1 } }
  return {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: SYNC_KEY }, drag: { x: false, y: false }, points: { size: 5 }, y: false },
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.15 : 1] } },
    axes: [
      { ...axis, space: 70, size: 24, values: (_, splits) => splits.map((at) => timeOfDay(at * 1000)) },
      { ...axis, space: 32, size: 62, values: (_, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ label, tone }) => ({
        label,
        stroke: colour(`tone-${tone}`),
        width: WIDTHS[tone],
        dash: [...DASHES[tone]],
        // What no line leads to is a dot: checks do not come every second.
        points: {
          show: false,
          size: 4,
          fill: colour(`tone-${tone}`),
          filter: (plot: UPlot, series: number) => alone(plot.data[series] ?? []),
        },
      })),
      { show: false },
    ],
    hooks: {
      drawClear: [(plot) => drawGround(plot, colour('trouble'))],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
    },
  }
}

const FONT = '11px -apple-system, "Segoe UI", Roboto, "Noto Sans", system-ui, sans-serif'

/** Paints the times red at which nothing could be connected, or most checks failed. */
function drawGround(plot: UPlot, colour: string): void {
  const [times, troubled] = [plot.data[0], plot.data.at(-1) ?? []]
  const { ctx, bbox } = plot
  ctx.save()
  ctx.fillStyle = colour
  for (let index = 0; index < times.length; index++) {
    if (troubled[index] !== 1) continue
    const from = plot.valToPos((times[index] ?? 0) - 1, 'x', true)
    const to = plot.valToPos(times[index] ?? 0, 'x', true)
    const left = Math.max(bbox.left, from)
    if (to > left) ctx.fillRect(left, bbox.top, Math.ceil(to - left), bbox.height)
  }
  ctx.restore()
}

/** A colour of the style sheet, as a canvas understands it. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.className = `probe ${name}`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** Light or dark, whoever says so. */
function useEffectiveTheme(chosen: string): string {
  const [isDark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const listener = (): void => setDark(query.matches)
    query.addEventListener('change', listener)
    return () => query.removeEventListener('change', listener)
  }, [])
  return chosen === 'auto' ? (isDark ? 'dark' : 'light') : chosen
}
