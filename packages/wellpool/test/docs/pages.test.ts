import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { ERROR_CODES } from '../../src/engine/errors.ts'
import { headings, pages, readPage, root } from './markdown.ts'

/** What `docs` must name: the members of an interface, which exist in its source only. */
function membersOf(file: string, name: string): string[] {
  const source = readPage(`packages/wellpool/src/engine/${file}`)
  const [, body = ''] = new RegExp(`^export interface ${name}\\b[^{]*\\{\n([\\s\\S]*?)^\\}`, 'm').exec(source) ?? []
  const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member = '']) => member)
  if (members.length === 0) throw new Error(`no members of ${name} found in ${file}`)
  return members
}

/** GitHub's name for a heading, as links use it. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

describe('docs/troubleshooting.md', () => {
  const titles = headings(readPage('docs/troubleshooting.md'))

  test.each(Object.keys(ERROR_CODES))('has a section for %s', (code) => {
    expect(titles).toContain(code)
  })

  test('has a section for no code that does not exist', () => {
    const codes = titles.filter((title) => /^[A-Z]+(_[A-Z]+)+$/.test(title))
    expect(codes.sort()).toEqual(Object.keys(ERROR_CODES).sort())
  })
})

describe('docs/monitoring.md', () => {
  const named = new Set([...readPage('docs/monitoring.md').matchAll(/`(?:MetricsCollector\.)?(\w+)(?:\([^`]*)?`/g)].map(([, name]) => name))

  test.each(membersOf('events.ts', 'PoolEvents'))('names the event %s', (event) => {
    expect(named).toContain(event)
  })

  test.each(membersOf('metrics.ts', 'MetricsCollector'))('names the measurement %s', (method) => {
    expect(named).toContain(method)
  })

  test.each([...membersOf('records.ts', 'PoolStats'), ...membersOf('metrics.ts', 'Counters')])(
    'names the figure %s of stats()',
    (figure) => {
      expect(named).toContain(figure)
    },
  )
})

describe.each(pages())('%s', (page) => {
  const text = readPage(page)

  test('has no dead links into the repository', () => {
    const targets = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target = '']) => target)
    const dead = targets.filter((target) => {
      const [file = '', section] = target.split('#')
      const linked = file === '' ? page : path.posix.join(path.posix.dirname(page), file)
      if (!existsSync(path.join(root, linked))) return true
      return section !== undefined && !headings(readPage(linked)).map(anchor).includes(section)
    })
    expect(dead).toEqual([])
  })

  test('does not tell readers how little effort it takes', () => {
    expect(text.match(/\b(?:just|simply|easy|easily|obviously)\b/gi)).toBeNull()
  })
})
