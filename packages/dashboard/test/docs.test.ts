import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { readPage, root, tableRows } from '../../wellpool/test/docs/markdown.ts'
import { SHORTCUTS } from '../src/keyboard.ts'

const page = readPage('docs/dashboard.md')

it('docs/dashboard.md has a row for each key, and for none besides', () => {
  const [, keys = ''] = page.split('\n## Keys\n')
  const documented = tableRows(keys.split('\n## ')[0] ?? '')
    .map(([cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, key]) => key))
    .filter((keys) => keys.length > 0)
  expect(documented).toEqual(SHORTCUTS.map(({ keys }) => [...keys]))
})

it('the pictures of docs/dashboard.md are there', () => {
  const pictures = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, file = '']) => file)
  expect(pictures.length).toBeGreaterThan(2)
  expect(pictures.filter((file) => !existsSync(path.join(root, 'docs', file)))).toEqual([])
})
