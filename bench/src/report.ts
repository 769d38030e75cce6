import type { Figures, Outcome } from './evaluate.ts'
import type { Estimate } from './statistics.ts'
import type { Metric, Target, Workload } from './workload.ts'

/** The table of one workload, and below it what became of its targets. */
export function renderWorkload(workload: Workload, rounds: number, figures: Figures, outcomes: readonly Outcome[]): string {
  const { heading, rows } = renderCells(workload, figures)
  return [
    `${workload.name}: ${workload.title} (${rounds} rounds)`,
    ...renderTable([heading, ...rows]),
    ...outcomes.map((outcome) => `  ${renderOutcome(outcome, workload.metrics)}`),
    '',
  ].join('\n')
}

/** What stands in the table of one workload. */
export function renderCells(workload: Workload, figures: Figures): { heading: string[]; rows: string[][] } {
  const heading = [
    '',
    ...workload.metrics.flatMap(({ name, unit, relativeTo = [] }) => [
      unit === '' ? name : `${name}, ${unit}`,
      ...relativeTo.map((other) => `× ${other}`),
    ]),
  ]
  const rows = Object.entries(figures).map(([contender, byMetric]) => [
    contender,
    ...workload.metrics.flatMap(({ name, digits, relativeTo = [] }) => {
      const figure = byMetric[name]
      if (figure === undefined) throw new Error(`bug: no figures for ${name}`)
      return [figure.value.median.toFixed(digits), ...relativeTo.map((other) => renderRatio(figure.ratios[other]))]
    }),
  ])
  return { heading, rows }
}

/** What became of a target: `met     time ≤ 2.2 × floor: 1.91 (1.85–1.99)`. */
export function renderOutcome({ target, estimate, verdict }: Outcome, metrics: readonly Metric[]): string {
  const digits = target.relativeTo === undefined ? Math.max(1, metrics.find(({ name }) => name === target.metric)?.digits ?? 0) : 2
  const measured = `${estimate.median.toFixed(digits)} (${estimate.low.toFixed(digits)}–${estimate.high.toFixed(digits)})`
  return `${verdict.padEnd(6)}  ${describeTarget(target)}: ${measured}`
}

/** A target in words: `time ≤ 0.65 × mysql2`, `acquire of 10000 ≤ 4 × 100`. */
export function describeTarget({ metric, of, relativeTo, limit, atLeast = false }: Target): string {
  return `${metric}${of === undefined ? '' : ` of ${of}`} ${atLeast ? '≥' : '≤'} ${limit}${relativeTo === undefined ? '' : ` × ${relativeTo}`}`
}

function renderRatio(ratio: Estimate | undefined): string {
  return ratio === undefined ? '' : `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`
}

/** Names to the left, figures to the right. */
export function renderTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd(),
  )
}
