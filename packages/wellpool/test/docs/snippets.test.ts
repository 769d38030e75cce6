import { describe, expect, test } from 'vitest'
import { codeBlocks } from './markdown.ts'
import { matchesOutput, runSnippet, typeCheck } from './snippets.ts'

describe('codeBlocks', () => {
  const page = [
    'text',
    '```ts fragment',
    'a',
    '```',
    '- item',
    '  ~~~js',
    '  b',
    '    c',
    '  ~~~',
    '````md',
    '```ts',
    'd',
    '```',
    '````',
  ].join('\n')

  test('finds fenced blocks with language, marks and line', () => {
    expect(codeBlocks(page)).toEqual([
      { language: 'ts', marks: ['fragment'], code: 'a\n', line: 3 },
      { language: 'js', marks: [], code: 'b\n  c\n', line: 7 },
      { language: 'md', marks: [], code: '```ts\nd\n```\n', line: 11 },
    ])
  })

  test('refuses a block without an end', () => {
    expect(() => codeBlocks('```ts\na')).toThrow('begins on line 2')
  })
})

describe('matchesOutput', () => {
  test.each([
    ['a 12 ms\nb', 'a … ms\nb', true],
    ['a\nb\n', 'a\nb', true],
    ['a\nb', '…', false],
    ['a+b', 'a.b', false],
  ])('of %j and %j is %s', (printed, expected, matches) => {
    expect(matchesOutput(printed, expected)).toBe(matches)
  })
})

test('typeCheck finds what does not fit, in the right snippet', { timeout: 60_000 }, async () => {
  const snippet = (title: string, code: string, fragment = false) => ({ title, code, fragment })
  const problems = await typeCheck([
    snippet('good.md:1', "import { createPool } from 'wellpool'\nconst text: string = typeof createPool\nconsole.log(text)"),
    snippet('bad.md:1', "import { createPool } from 'wellpool'\ncreatePool(5)"),
    snippet('good.md:9', 'await db.use((client) => client.query("select 1"))', true),
    snippet('bad.md:9', 'await db.use((client) => client.ask("select 1"))', true),
    snippet('bad.md:20', 'await db.close()'),
  ])
  expect([...problems.keys()].sort()).toEqual(['bad.md:1', 'bad.md:20', 'bad.md:9'])
  expect(problems.get('bad.md:20')).toEqual([expect.stringContaining("Cannot find name 'db'")])
})

describe('runSnippet', { timeout: 60_000 }, () => {
  const program = (code: string) => ({ title: 'page.md:1', code, fragment: false })

  test('gives what a program prints, which gets the sources and the address of the database', async () => {
    const code = "import { createPool } from 'wellpool'\nconsole.log(typeof createPool, process.env.DATABASE_URL)"
    expect(await runSnippet(program(code), 'postgres://here')).toBe('function postgres://here\n')
  })

  test('rejects with what a program that fails has printed', async () => {
    await expect(runSnippet(program("throw new Error('broken')"), '')).rejects.toThrow(/page.md:1 failed with 1.*broken/s)
  })

  test('rejects when a program does not end', async () => {
    await expect(runSnippet(program('setInterval(() => {}, 1000)'), '', 1000)).rejects.toThrow('does not end')
  })
})
