import { renderTable } from '../src/report.ts'
import type { Latencies } from './figures.ts'
import type { Comparison, Row } from './summary.ts'
import { formatCount, formatLatency, formatSpread, formatTime } from './text.ts'

/** A column of the table in which pools are rows. */
interface Column {
  readonly heading: string
  cell(row: Row, best: Comparison['best']): Cell
}

/** What stands in a table, and whether nobody was better. */
export interface Cell {
  readonly text: string
  readonly best: boolean
}

/** What the mark beside a name means. */
export const CRASHED = 'the process has ended by itself, of an error that the application could not catch'

const plain = (text: string): Cell => ({ text, best: false })
const latencies = ({ p50, p99, p999 }: Latencies): Cell =>
  plain([p50, p99, p999].map((ms) => (ms === undefined ? '–' : formatLatency(ms))).join(' / '))

const COLUMNS: readonly Column[] = [
  {
    heading: 'failed',
    cell: ({ failed, contender }, best) => ({ text: formatSpread(failed, formatCount), best: best.failed.includes(contender) }),
  },
  { heading: 'slow', cell: ({ slow }) => plain(formatSpread(slow, formatCount)) },
  {
    heading: 'healed after',
    cell: ({ healedMs, contender }, best) => ({ text: formatSpread(healedMs, formatTime), best: best.healedMs.includes(contender) }),
  },
  { heading: 'p50 / p99 / p99.9 before', cell: ({ before }) => latencies(before) },
  { heading: 'during', cell: ({ during }) => latencies(during) },
  { heading: 'after', cell: ({ after }) => latencies(after) },
  { heading: 'connects', cell: ({ connects }) => plain(formatSpread(connects, formatCount)) },
  { heading: 'in 100 ms', cell: ({ burst }) => plain(formatSpread(burst, formatCount)) },
]

/** A contender's name, with a mark if its process has ended by itself. */
export function nameOf({ contender, crashes }: Row): string {
  return crashes === 0 ? contender : `${contender} †`
}

/** Pools as rows: the heading, and the cells of each. */
export function tableOf({ rows, best }: Comparison): { readonly heading: readonly string[]; readonly rows: readonly (readonly Cell[])[] } {
  return {
    heading: ['', ...COLUMNS.map(({ heading }) => heading)],
    rows: rows.map((row) => [plain(nameOf(row)), ...COLUMNS.map(({ cell }) => cell(row, best))]),
  }
}

/** The same as text: nobody was better than what has an asterisk. */
export function renderComparison(title: string, comparison: Comparison): string {
  const { heading, rows } = tableOf(comparison)
  const lines = rows.map((cells) => cells.map(({ text, best }, column) => (column === 0 ? text : `${text}${best ? '*' : ' '}`)))
  const rounds = Math.max(...comparison.rows.map((row) => row.rounds))
  const crashed = comparison.rows.some(({ crashes }) => crashes > 0) ? [`  † ${CRASHED}`] : []
  return [`${title} (${rounds === 1 ? '1 round' : `${rounds} rounds`})`, ...renderTable([heading, ...lines]), ...crashed].join('\n')
}
