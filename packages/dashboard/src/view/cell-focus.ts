/** The cells are one stop of the Tab key; arrows move among them. */

const CELL = 'button.cell'

/** The cell of a connection; null if it has none. */
export function cellOf(region: ParentNode, id: string): HTMLElement | null {
  return region.querySelector<HTMLElement>(`${CELL}[data-id="${CSS.escape(id)}"]`)
}

/** Sees to it that exactly one cell is reached by Tab, whatever came and went. */
export function keepTabStop(region: ParentNode): void {
  const stops = region.querySelectorAll<HTMLElement>(`${CELL}[tabindex="0"]`)
  if (stops.length === 0) region.querySelector<HTMLElement>(CELL)?.setAttribute('tabindex', '0')
}

/** Moves the focus to a cell, and the Tab stop with it. */
export function focusCell(region: ParentNode, cell: HTMLElement): void {
  for (const stop of region.querySelectorAll(`${CELL}[tabindex="0"]`)) stop.setAttribute('tabindex', '-1')
  cell.setAttribute('tabindex', '0')
  cell.focus()
}

/** Goes to the cell that Tab would reach. */
export function focusCells(region: ParentNode): void {
  region.querySelector<HTMLElement>(`${CELL}[tabindex="0"]`)?.focus()
}

/** Moves with the arrow keys: along the reading direction, and to what is above or below. */
export function moveAmongCells(event: KeyboardEvent, region: HTMLElement): void {
  if (!(event.target instanceof HTMLElement) || !event.target.matches(CELL)) return
  if (event.altKey || event.ctrlKey || event.metaKey) return
  const cells = [...region.querySelectorAll<HTMLElement>(CELL)]
  const next = nextCell(event.key, cells, cells.indexOf(event.target))
  if (next === undefined) return
  event.preventDefault()
  focusCell(region, next)
}

function nextCell(key: string, cells: readonly HTMLElement[], at: number): HTMLElement | undefined {
  switch (key) {
    case 'ArrowRight':
      return cells[at + 1]
    case 'ArrowLeft':
      return cells[at - 1]
    case 'Home':
      return cells[0]
    case 'End':
      return cells.at(-1)
    case 'ArrowDown':
      return nearestInNextRow(cells, at, 1)
    case 'ArrowUp':
      return nearestInNextRow(cells, at, -1)
    default:
      return undefined
  }
}

/** Rows are where the layout has put them: a pool may begin in the middle of the page. */
function nearestInNextRow(cells: readonly HTMLElement[], at: number, direction: 1 | -1): HTMLElement | undefined {
  const boxes = cells.map((cell) => cell.getBoundingClientRect())
  const own = boxes[at]
  if (own === undefined) return undefined
  let best: { readonly cell: HTMLElement; readonly rank: number } | undefined
  cells.forEach((cell, index) => {
    const box = boxes[index]
    if (box === undefined) return
    const down = (box.top - own.top) * direction
    if (down < own.height / 2) return
    const rank = down * 1000 + Math.abs(box.left - own.left)
    if (best === undefined || rank < best.rank) best = { cell, rank }
  })
  return (best as { readonly cell: HTMLElement } | undefined)?.cell
}
