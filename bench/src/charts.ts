import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import type { Estimate } from './statistics.ts'

/** One curve of a picture. */
export interface Curve {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: Estimate }[]
}

/** A picture of curves over a size, both on logarithmic scales: what is flat is level, what is linear rises by 45°. */
export interface Picture {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly curves: readonly Curve[]
}

const INK = '#57606a'
const GRID = '#d0d7de'
/** One width and height for a decade of either axis, so that angles mean the same in all pictures. */
const DECADE = 90

/** Draws a picture, as the text of an SVG file. The bands are the 95 % confidence intervals. */
export async function draw({ title, x, y, curves }: Picture): Promise<string> {
  const values = curves.flatMap(({ name, points }) =>
    points.map((point) => ({ name, x: point.x, y: point.y.median, low: point.y.low, high: point.y.high })),
  )
  const sizes = values.map((value) => value.x)
  const heights = values.flatMap(({ low, high }) => [low, high])
  const domain = [10 ** Math.floor(Math.log10(Math.min(...heights))), 10 ** Math.ceil(Math.log10(Math.max(...heights)))] as const
  const spec: TopLevelSpec = {
    title: { text: title, anchor: 'start', color: INK, fontSize: 14 },
    background: 'white',
    padding: 12,
    width: DECADE * Math.log10(Math.max(...sizes) / Math.min(...sizes)),
    height: DECADE * Math.log10(domain[1] / domain[0]),
    data: { values },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: x,
        scale: { type: 'log', domain: [Math.min(...sizes), Math.max(...sizes)] },
        axis: { format: ',d', values: [...new Set(sizes)] },
      },
      color: {
        field: 'name',
        type: 'nominal',
        title: null,
        sort: curves.map(({ name }) => name),
        legend: { labelLimit: 0, symbolOpacity: 1 },
      },
    },
    layer: [
      {
        mark: { type: 'area', opacity: 0.18 },
        encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'line', point: { size: 36 } },
        encoding: {
          y: { field: 'y', type: 'quantitative', title: y, scale: { type: 'log', domain: [...domain] }, axis: { format: ',' } },
        },
      },
    ],
    config: {
      axis: { gridColor: GRID, domainColor: GRID, tickColor: GRID, labelColor: INK, titleColor: INK },
      legend: { labelColor: INK },
      view: { stroke: null },
    },
  }
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}
