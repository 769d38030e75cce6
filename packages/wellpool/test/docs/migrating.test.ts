import { describe, expect, test } from 'vitest'
import { DIFFERENCES as GENERIC_POOL } from '../adapters/generic-pool.differences.ts'
import { DIFFERENCES as PG_POOL } from '../adapters/pg-pool.differences.ts'
import { DIFFERENCES as TARN } from '../adapters/tarn.differences.ts'
import { readPage, tableRows } from './markdown.ts'

/** The part of the page under a heading, up to the next one of its kind or above. */
function section(heading: string): string {
  const page = readPage('docs/migrating.md')
  const start = page.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`docs/migrating.md has no ${heading}`)
  const rest = page.slice(start + heading.length + 2)
  const end = rest.search(/^#{1,3} /m)
  return end === -1 ? rest : rest.slice(0, end)
}

describe.each([
  ['### What changes', PG_POOL],
  ['### What changes with generic-pool', GENERIC_POOL],
  ['### What changes with tarn', TARN],
])('docs/migrating.md, %s', (heading, differences) => {
  test('names every difference that is tested, and none that is not', () => {
    expect(tableRows(section(heading)).map(([title]) => title)).toEqual(differences.map(({ title }) => title))
  })
})
