import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../bootstrap.mjs'

const REFUSED = [
  'export const value: unknown = Date.now()',
  'export const value: unknown = new Date()',
  'export const value: unknown = performance.now()',
  'export const value: unknown = process.hrtime()',
  'setTimeout(() => undefined, 1)',
  'setInterval(() => undefined, 1)',
  'setImmediate(() => undefined)',
  'globalThis.setTimeout(() => undefined, 1)',
  'export const value: unknown = Math.random()',
  'export const { random } = Math',
  'export const value: unknown = AbortSignal.timeout(5)',
  'export const value: unknown = crypto.randomUUID()',
  "import { setTimeout as later } from 'node:timers'\nlater(() => undefined, 1)",
  "import { setTimeout as sleep } from 'node:timers/promises'\nawait sleep(1)",
  "import { performance as watch } from 'node:perf_hooks'\nwatch.now()",
  "import { randomInt } from 'node:crypto'\nrandomInt(5)",
]
const ALLOWED = [
  'export const later = (clock: { setTimeout(): void }): void => clock.setTimeout()',
  'export const value = Math.max(1, 2)',
  'export const drawn = (random: () => number): number => random()',
]
const ENGINE = 'packages/wellpool/src/engine'
let folder: string
let complaints: Map<string, string[]>

/** The rules that each file of a folder breaks, by the file's name. */
function lint(): Promise<Map<string, string[]>> {
  const biome = path.join(root, 'node_modules/@biomejs/biome/bin/biome')
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [biome, 'lint', '--reporter=github', '--max-diagnostics=none', '.'],
      { cwd: folder },
      (_error, stdout, stderr) => {
        const found = new Map<string, string[]>()
        for (const [, rule = '', file = ''] of `${stdout}${stderr}`.matchAll(/^::\w+ title=([^,]+),file=([^,]+)/gm)) {
          const name = path.posix.basename(file)
          found.set(name, [...(found.get(name) ?? []), rule])
        }
        resolve(found)
      },
    )
  })
}

// A repository of its own, with the rules of this one: nothing is put among the sources.
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wellpool-rules-'))
  mkdirSync(path.join(folder, ENGINE), { recursive: true })
  mkdirSync(path.join(folder, 'tools'))
  for (const file of ['biome.json', '.gitignore', 'tools/engine-time.grit']) copyFileSync(path.join(root, file), path.join(folder, file))
  const write = (name: string, source: string): void => writeFileSync(path.join(folder, ENGINE, name), `${source}\n`)
  for (const [index, source] of REFUSED.entries()) write(`refused-${index}.ts`, source)
  for (const [index, source] of ALLOWED.entries()) write(`allowed-${index}.ts`, source)
  write('clock.ts', 'setTimeout(() => Math.random(), Date.now() - performance.now())')
  complaints = await lint()
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true }))

describe('in the engine the linter', () => {
  test.each(REFUSED.map((source, index) => ({ source, index })))('refuses $source', ({ index }) => {
    expect(complaints.get(`refused-${index}.ts`)).toContainEqual(expect.stringMatching(/noRestrictedGlobals|noRestrictedImports|plugin/))
  })

  test.each(ALLOWED.map((source, index) => ({ source, index })))('allows $source', ({ index }) => {
    expect(complaints.get(`allowed-${index}.ts`)).toBeUndefined()
  })

  test('lets clock.ts ask the system', () => {
    expect((complaints.get('clock.ts') ?? []).filter((rule) => /Restricted|plugin/.test(rule))).toEqual([])
  })
})
