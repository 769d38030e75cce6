import type { ConnectionRecord } from 'wellpool'
import type { Snapshot } from './snapshot.ts'
import { clockTime, column, type Line, rightColumn, type Span, type Style } from './text.ts'

interface Column {
  readonly title: string
  readonly width: number
  /** In narrower terminals it is left out. */
  readonly from: number
  readonly align: typeof column
  readonly cell: (record: ConnectionRecord) => Span
}

/** A sign beside the word, so that health can be read without colour. */
const HEALTH: Readonly<Record<ConnectionRecord['health'], { readonly sign: string; readonly style: Style }>> = {
  healthy: { sign: '+', style: 'good' },
  degraded: { sign: '~', style: 'warn' },
  unhealthy: { sign: '!', style: 'bad' },
  unknown: { sign: '?', style: 'dim' },
}

const COLUMNS: readonly Column[] = [
  { title: 'CONNECTION', width: 11, from: 0, align: column, cell: ({ id }) => ({ text: id }) },
  { title: 'GEN', width: 4, from: 0, align: rightColumn, cell: ({ generation }) => ({ text: String(generation) }) },
  { title: 'STATE', width: 11, from: 0, align: column, cell: ({ state }) => ({ text: state }) },
  {
    title: 'HEALTH',
    width: 12,
    from: 0,
    align: column,
    cell: ({ health }) => ({ text: `${HEALTH[health].sign} ${health}`, style: HEALTH[health].style }),
  },
  { title: 'REQUESTS', width: 9, from: 100, align: rightColumn, cell: ({ requests }) => ({ text: String(requests) }) },
  { title: 'ERRORS', width: 8, from: 100, align: rightColumn, cell: ({ errors }) => ({ text: String(errors) }) },
]

/** The head of the table of connections. */
export function connectionHeader(columns: number): Line {
  const titles = COLUMNS.filter(({ from }) => columns >= from).map(({ title, width, align }) => align(title, width))
  return [{ text: `${titles.join('')}REASON`, style: 'dim' }]
}

/** A row for each connection, at least `atLeast` rows: what stands below must not jump when one comes or goes. */
export function connectionLines(snapshot: Snapshot, records: readonly ConnectionRecord[], columns: number, atLeast: number): Line[] {
  const lines: Line[] = records.map((record) => {
    const cells = COLUMNS.filter(({ from }) => columns >= from).map(({ width, align, cell }) => {
      const { text, ...style } = cell(record)
      return { text: align(text, width), ...style }
    })
    return [...cells, reason(snapshot, record)]
  })
  while (lines.length < atLeast) lines.push([])
  return lines
}

/** Why it will be rebuilt; otherwise why it is not well; otherwise why it was rebuilt last. */
function reason({ reasonOf, now }: Snapshot, { id, mark, health, state }: ConnectionRecord): Span {
  if (mark !== undefined)
    return { text: `${mark.urgent ? 'URGENT' : 'marked'} ${mark.kind}: ${mark.detail}`, style: mark.urgent ? 'bad' : 'warn' }
  const last = reasonOf(id)
  if (last === undefined) return { text: state === 'connecting' ? 'new' : '', style: 'dim' }
  if (last.kind === 'check failed') return { text: health === 'healthy' ? '' : `check failed: ${last.detail}`, style: 'warn' }
  return { text: `${last.kind} ${clockTime(now - last.at)} ago: ${last.detail}`, style: 'dim' }
}
