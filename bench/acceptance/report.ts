import { renderMarkdown } from '../src/page.ts'
import { renderTable } from '../src/report.ts'
import type { Circumstances } from '../src/versions.ts'
import type { ScenarioOutcome } from './availability.ts'
import type { AimVerdict, Line, Measured } from './lines.ts'

/** All that was measured, as it is kept in a file. */
export interface Saved {
  readonly circumstances: Circumstances
  readonly command: string
  /** Which server the costs were measured against. */
  readonly server: string
  readonly tookMs: number
  readonly measured: Measured
}

const AIMED: Readonly<Record<AimVerdict, string>> = { reached: 'reached', open: 'open', missed: 'missed' }

/** For a terminal. */
export function renderLines(lines: readonly Line[]): string {
  const [heading, ...rows] = cellsOf(lines)
  if (heading === undefined) return ''
  const notes = [...new Set(lines.flatMap(({ note }) => (note === '' ? [] : [note])))]
  return [...renderTable([heading, ...rows]), '', ...notes.map((note) => `  ${note}`)].join('\n')
}

/** For the page. */
export function renderPart(saved: Saved, lines: readonly Line[]): string {
  const [heading = [], ...rows] = cellsOf(lines)
  const notes = [...new Set(lines.flatMap(({ note }) => (note === '' ? [] : [note])))]
  return [
    renderMarkdown(heading, rows),
    notes.map((note) => `- ${note}`).join('\n'),
    ...(saved.measured.availability === undefined ? [] : [renderFaults(saved.measured.availability)]),
    `<sub>${describeRun(saved)}</sub>`,
  ].join('\n\n')
}

function cellsOf(lines: readonly Line[]): string[][] {
  return [
    ['', 'measured', '95 % interval', "the plan's limit", '', 'ours', ''],
    ...lines.map(({ name, bound, measured, limit, aim, passes, aimed }) => {
      const percent = percentage(bound)
      const sign = bound === 'most' ? '≤' : '≥'
      return [
        name,
        percent(measured.median),
        `${percent(measured.low)} … ${percent(measured.high)}`,
        `${sign} ${percent(limit)}`,
        passes ? 'pass' : 'falls short',
        `${sign} ${percent(aim)}`,
        AIMED[aimed],
      ]
    }),
  ]
}

/** What has to be near 100 % is told apart by more digits than what has to be near 0. */
function percentage(bound: Line['bound']): (share: number) => string {
  const digits = bound === 'least' ? 3 : 2
  return (share) => `${Number((share * 100).toFixed(digits))} %`
}

function renderFaults(outcomes: readonly ScenarioOutcome[]): string {
  const rows = outcomes.map(({ title, reachable, unreachable, runs, recovered, lateMs, leftOut }) => [
    title,
    leftOut === undefined ? `${reachable.failed} of ${reachable.requests}` : `(${leftOut})`,
    String(unreachable),
    `${recovered} of ${runs}`,
    `${Math.round(lateMs)} ms`,
  ])
  return renderMarkdown(['fault', 'failed', 'endpoint away until the deadline', 'recovered', 'machine late by'], rows)
}

function describeRun({ circumstances, command, server, measured, tookMs }: Saved): string {
  const { date, node, machine, versions } = circumstances
  const load = measured.cost === undefined ? [] : [`60 % load is ${measured.cost.rate} requests/s`]
  return [
    `${date.slice(0, 10)}, \`${command}\` (${Math.round(tookMs / 60_000)} min)`,
    `Node ${node}`,
    machine,
    server,
    `wellpool ${versions.wellpool}`,
    `pg ${versions.pg}`,
    ...load,
  ].join(', ')
}
