import type { Figures, Outcome } from './evaluate.ts'
import type { Estimate } from './statistics.ts'
import type { Metric, Target, Workload } from './workload.ts'

/** The table of one workload, and below it what became of its targets. */
export function renderWorkload(workload: Workload, rounds: number, figures: Figures, outcomes: readonly Outcome[]): string {
  const header = [
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
  return [
    `${workload.name}: ${workload.title} (${rounds} rounds)`,
    ...renderTable([header, ...rows]),
    ...outcomes.map((outcome) => renderOutcome(outcome, workload.metrics)),
    '',
  ].join('\n')
}

function renderOutcome({ target, estimate, verdict }: Outcome, metrics: readonly Metric[]): string {
  const digits = target.relativeTo === undefined ? Math.max(1, metrics.find(({ name }) => name === target.metric)?.digits ?? 0) : 2
  const measured = `${estimate.median.toFixed(digits)} (${estimate.low.toFixed(digits)}–${estimate.high.toFixed(digits)})`
  return `  ${verdict.padEnd(6)}  ${describeTarget(target)}: ${measured}`
}

/** A target in words: `time ≤ 0.65 × mysql2`. */
export function describeTarget({ metric, relativeTo, limit, atLeast = false }: Target): string {
  return `${metric} ${atLeast ? '≥' : '≤'} ${limit}${relativeTo === undefined ? '' : ` × ${relativeTo}`}`
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
