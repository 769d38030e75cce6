import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { TRANSITIONS } from '../../src/engine/connection-state.ts'
import { readPage, root, tableRows } from './markdown.ts'

// Not a literal: the tools are JavaScript, which this project does not read.
const tools = path.join(root, 'tools/layers.mjs')
const { ENGINE_ROWS } = (await import(tools)) as { readonly ENGINE_ROWS: readonly (readonly string[])[] }

const page = readPage('ARCHITECTURE.md')
const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** The rows of the table under a heading. */
function tableUnder(heading: string): string[][] {
  const from = page.indexOf(`\n## ${heading}\n`)
  expect(from, `the heading ${heading}`).toBeGreaterThan(-1)
  return tableRows(page.slice(from).split('\n## ').slice(0, 2).join('\n## '))
}

describe('ARCHITECTURE.md', () => {
  const layers = tableUnder('Layers of the engine').map(([name = '', files]) => ({ name, files: codes(files) }))
  const rowOf = new Map(ENGINE_ROWS.flatMap((row, index) => row.map((file) => [file, index] as const)))

  test('names every file of the engine once, and no other', () => {
    const named = layers.flatMap(({ files }) => files)
    const present = readdirSync(path.join(root, 'packages/wellpool/src/engine')).map((name) => name.replace(/\.ts$/, ''))
    expect([...named].sort()).toEqual(present.sort())
  })

  test('has its layers in the order of the rows, each made of whole rows', () => {
    const bounds = layers.map(({ name, files }) => {
      const rows = files.map((file) => rowOf.get(file) ?? Number.NaN)
      return { name, first: Math.min(...rows), last: Math.max(...rows) }
    })
    for (const [index, { name, first }] of bounds.entries()) {
      const before = bounds[index - 1]
      expect(first, `the first row of ${name}`).toBe(before === undefined ? 0 : before.last + 1)
    }
    expect(bounds.at(-1)?.last).toBe(ENGINE_ROWS.length - 1)
  })

  test('has the table of states that the engine goes by', () => {
    const rows = tableUnder('Three axes').filter(([from]) => codes(from).length === 1 && codes(from)[0] !== undefined)
    expect(Object.fromEntries(rows.map(([from, to]) => [codes(from)[0], codes(to)]))).toEqual(TRANSITIONS)
  })
})
