import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { describePostgres } from '../support/postgres.ts'
import { pages, root } from './markdown.ts'
import { matchesOutput, runSnippet, type Snippet, snippetsOf, typeCheck } from './snippets.ts'

const inPages = pages().flatMap(snippetsOf)
const examples = readdirSync(path.join(root, 'examples'))
  .filter((name) => name.endsWith('.ts'))
  .map((name): Snippet => {
    const title = `examples/${name}`
    return { title, code: readFileSync(path.join(root, title), 'utf8'), fragment: false }
  })
const programs = [...inPages.filter(({ fragment }) => !fragment), ...examples]

describe('code in the documentation', () => {
  let problems: Map<string, string[]>
  beforeAll(async () => {
    problems = await typeCheck(inPages)
  }, 60_000)

  test.each(inPages)('$title fits the types of the library', ({ title }) => {
    expect(problems.get(title) ?? []).toEqual([])
  })
})

await describePostgres('on a real PostgreSQL', (url) => {
  test.each(programs)('$title runs and ends by itself', { timeout: 60_000 }, async (program) => {
    const printed = await runSnippet(program, url)
    if (program.output === undefined) return
    expect(matchesOutput(printed, program.output), `it printed:\n${printed}\nand not:\n${program.output}`).toBe(true)
  })
})

test('the README’s first program is a whole one, and there are examples', () => {
  expect(existsSync(path.join(root, 'README.md'))).toBe(true)
  expect(snippetsOf('README.md')[0]?.fragment).toBe(false)
  expect(examples.length).toBeGreaterThan(0)
})
