/** A table as pages have it: names to the left, figures to the right. */
export function renderMarkdown(heading: readonly string[], rows: readonly (readonly string[])[], alignment = '--:'): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(heading), line(heading.map((_, column) => (column === 0 ? '---' : alignment))), ...rows.map(line)].join('\n')
}

/**
 * Puts each part of a page that a command writes between its markers: with the prefix `chaos` and a part `limits`
 * between `<!-- chaos:limits -->` and `<!-- /chaos:limits -->`.
 *
 * @throws Error when the page lacks the markers of a part
 */
export function fillIn(page: string, prefix: string, parts: Readonly<Record<string, string>>): string {
  let filled = page
  for (const [name, text] of Object.entries(parts)) {
    const [begin, end] = [`<!-- ${prefix}:${name} -->`, `<!-- /${prefix}:${name} -->`]
    const from = filled.indexOf(begin)
    const to = filled.indexOf(end)
    if (from < 0 || to < from) throw new Error(`the page has no markers ${begin} … ${end}`)
    filled = `${filled.slice(0, from + begin.length)}\n${text}\n${filled.slice(to)}`
  }
  return filled
}
