import { describe, expect, test } from 'vitest'
import { headings, readPage, tableRows } from './markdown.ts'

const page = readPage('docs/api_rebuild.md')
const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** The part of the page under a heading, up to the next one of the same or a higher level. */
function section(heading: string): string {
  const level = new RegExp(`^(#+) \`?${heading}\`?$`, 'm').exec(page)
  if (level?.index === undefined) throw new Error(`no heading ${heading} among ${headings(page).join(', ')}`)
  const rest = page.slice(level.index + level[0].length)
  const end = new RegExp(`^#{1,${level[1]?.length}} `, 'm').exec(rest)?.index
  return rest.slice(0, end)
}

const source = (file: string): string => readPage(`packages/wellpool/src/engine/${file}`)

/** The members of an interface, which exist in its source only. */
function membersOf(file: string, name: string): string[] {
  const body = new RegExp(`^export interface ${name}\\b[^{]*\\{\n([\\s\\S]*?)^\\}`, 'm').exec(source(file))?.[1] ?? ''
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, member = '']) => member)
}

describe('docs/api_rebuild.md', () => {
  test('has a row for each kind of reason, and none besides', () => {
    const kinds = [...source('reason.ts').matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, kind]) => kind)
    expect(kinds.length).toBeGreaterThan(0)
    expect(tableRows(section('Reasons')).map(([kind]) => codes(kind)[0])).toEqual(kinds)
  })

  test.each(['RebuildResult', 'BatchRebuildResult'])('has every field of %s, and none besides', (name) => {
    const fields = tableRows(section(name)).flatMap(([field]) => codes(field))
    expect([...fields].sort()).toEqual(membersOf('rebuild-result.ts', name).sort())
    expect(fields.length).toBeGreaterThan(0)
  })

  test('names every stage at which a rebuild can fail', () => {
    const stages = /RebuildStage = (.*)$/m.exec(source('rebuild-result.ts'))?.[1]?.match(/\w+/g) ?? []
    expect(stages.length).toBeGreaterThan(0)
    for (const stage of stages) expect(section('RebuildResult')).toContain(`'${stage}'`)
  })

  test('has every option of the calls, and none besides', () => {
    const options = ['AcquireOptions', 'RebuildOptions', 'BatchRebuildOptions'].flatMap((name) => membersOf('pool-types.ts', name))
    const [calls = ''] = section('The calls').split('\n### ')
    const rows = tableRows(calls).flatMap(([option]) => codes(option))
    expect([...new Set(rows)].sort()).toEqual([...options].sort())
    expect(rows.length).toBeGreaterThan(0)
  })
})
