import { type Color, type Paint, plain } from './text.ts'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => unknown
  readonly color?: (row: Row) => Color | undefined
  /** Numbers stand at the right. */
  readonly right?: boolean
}

/** Rows under their titles, each column as wide as it has to be. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], paint: Paint): string[] {
  const cells = rows.map((row) => columns.map(({ value }) => plain(value(row))))
  // A peer names the columns of its rows.
  const titles = columns.map(({ title }) => plain(title))
  const widths = titles.map((title, index) => Math.max(title.length, ...cells.map((line) => (line[index] as string).length)))
  const pad = (text: string, index: number): string => {
    const width = widths[index] as number
    if (columns[index]?.right === true) return text.padStart(width)
    // The last one needs no blanks behind it.
    return index === columns.length - 1 ? text : text.padEnd(width)
  }
  const head = titles.map((title, index) => paint('dim', pad(title, index))).join('  ')
  const body = cells.map((line, row) =>
    line
      .map((text, index) => {
        const color = columns[index]?.color?.(rows[row] as Row)
        const padded = pad(text, index)
        return color === undefined ? padded : paint(color, padded)
      })
      .join('  ')
      .trimEnd(),
  )
  return [head.trimEnd(), ...body]
}
