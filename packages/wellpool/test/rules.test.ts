import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readPage, tableRows } from './docs/markdown.ts'

const rules = tableRows(readPage('packages/wellpool/test/RULES.md')).map(([id = '', text = '', holders = '']) => ({
  id,
  text,
  holders: holders.split('<br>').filter((holder) => holder !== ''),
}))

/** The titles of the tests in a file that do run, as they are written there. */
function titlesIn(file: string): Set<string> {
  const url = new URL(file, import.meta.url)
  if (!existsSync(url)) return new Set()
  const source = readFileSync(url, 'utf8')
  // The title is the first argument of a call: `test('…',`, and after a table `)('…',`.
  const calls = source.matchAll(/([\w.]*)\s*\(\s*(['"`])((?:\\.|(?!\2)[^\\\n])*)\2\s*,/g)
  const titles = [...calls].flatMap(([, callee = '', , title = '']) =>
    /\.(?:skip|todo)/.test(callee) ? [] : [title.replaceAll(/\\(.)/g, '$1')],
  )
  return new Set(titles)
}

describe('RULES.md', () => {
  test('has a test for every rule', () => {
    expect(rules.filter(({ holders }) => holders.length === 0).map(({ id }) => id)).toEqual([])
  })

  test.each(rules.flatMap(({ id, holders }) => holders.map((holder) => ({ id, holder }))))('$id is held by $holder', ({ holder }) => {
    const [, file = '', title] = /^`([^`]+)` › (.+)$/.exec(holder) ?? []
    expect(titlesIn(file)).toContain(title)
  })

  test('numbers the rules and says what each is', () => {
    const ids = rules.map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(100)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { id, text } of rules) expect(`${id} ${text}`).toMatch(/^[A-Z]\d+[a-g]? .{20,}/)
  })
})
