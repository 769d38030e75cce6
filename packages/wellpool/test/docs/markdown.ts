import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** The pages for users and contributors, seen from the repository's folder. */
export function pages(): string[] {
  const docs = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll(path.sep, '/'))
    .filter((name) => name.endsWith('.md'))
    .sort()
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)]
}

/** The text of a page. */
export const readPage = (file: string): string => readFileSync(path.join(root, file), 'utf8')

/** A fenced block of code in a page. */
export interface CodeBlock {
  /** The first word after the fence: `ts`, `sh`, … */
  readonly language: string
  /** The words after it: `run`. */
  readonly marks: readonly string[]
  readonly code: string
  /** The line of the page on which the code begins. */
  readonly line: number
}

/** All fenced blocks of a page, in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { fence: string; indent: number; info: string; line: number; code: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open === undefined) {
      const match = /^( *)(`{3,}|~{3,})(.*)$/.exec(line)
      if (match === null) continue
      const [, indent = '', fence = '', info = ''] = match
      open = { fence, indent: indent.length, info: info.trim(), line: index + 2, code: [] }
    } else if (line.trim() === open.fence) {
      const [language = '', ...marks] = open.info.split(/\s+/)
      blocks.push({ language, marks, code: `${open.code.join('\n')}\n`, line: open.line })
      open = undefined
    } else {
      open.code.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)))
    }
  }
  if (open !== undefined) throw new Error(`the block that begins on line ${open.line} has no end`)
  return blocks
}

/** The cells of all table rows of a page, head and rule lines left out. */
export function tableRows(markdown: string): string[][] {
  const lines = markdown.split('\n')
  return lines.flatMap((line, index) => {
    const isRule = (text = ''): boolean => /^\|[\s|:-]+\|$/.test(text)
    if (!line.startsWith('|') || isRule(line) || isRule(lines[index + 1])) return []
    return [
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    ]
  })
}

/** The headings of a page, without their number signs and code marks. */
export function headings(markdown: string): string[] {
  const prose = markdown.replace(/^(`{3,}|~{3,})[\s\S]*?^\1$/gm, '')
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, text = '']) => text.replaceAll('`', '').trim())
}
