import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { codeBlocks, headings, readPage, root } from './markdown.ts'

const TRANSLATIONS = readdirSync(root).filter((name) => /^README\.[\w-]+\.md$/.test(name))
const ORIGINAL = 'README.md'

/** Code without its comments, which may be in another language. `//` in an address has no blank before it. */
const withoutComments = (code: string): string => code.replaceAll(/(?<=^|\s)(?:\/\/|#) .*$/gm, '').replaceAll(/[ \t]+$/gm, '')

/** The text of each section, without its blocks of code and without the line that leads to other languages. */
function sections(page: string): string[] {
  const prose = page.replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1$/gm, '').replace(/^\[[^\]]+\]\(README[^)]*\)$/m, '')
  return prose.split(/^#+ .*$/m)
}

const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, part = '']) => part).sort()
const links = (text: string): string[] => found(text, /\]\(([^)\s]+)\)/g)
const codes = (text: string): string[] => found(text, /`([^`]+)`/g)
const figures = (text: string): string[] => found(text.replaceAll(/\]\([^)\s]+\)/g, ']'), /(\d+(?:\.\d+)*)/g)
const rows = (text: string): number => text.split('\n').filter((line) => line.startsWith('|')).length
const items = (text: string): number => text.split('\n').filter((line) => line.startsWith('- ')).length

describe.each(TRANSLATIONS)('%s', (file) => {
  const [original, translation] = [readPage(ORIGINAL), readPage(file)]

  test('and the original lead to each other', () => {
    expect(original.split('\n').slice(0, 4).join()).toContain(`](${file})`)
    expect(translation.split('\n').slice(0, 4).join()).toContain(`](${ORIGINAL})`)
  })

  test('has the same sections', () => {
    expect(headings(translation)).toHaveLength(headings(original).length)
  })

  test('has the same code, but for its comments', () => {
    const blocks = (page: string) => codeBlocks(page).map(({ language, marks, code }) => ({ language, marks, code: withoutComments(code) }))
    expect(blocks(translation)).toEqual(blocks(original))
  })

  test('has in each section the links, names, figures, rows and points of the original', () => {
    const contents = (page: string) =>
      sections(page).map((text) => ({
        links: links(text),
        codes: codes(text),
        figures: figures(text),
        rows: rows(text),
        items: items(text),
      }))
    expect(contents(translation)).toEqual(contents(original))
  })
})

test('there is a translation', () => {
  expect(TRANSLATIONS).toEqual(['README.zh-CN.md'])
})
