import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from '../bootstrap.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wellpool-counts-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What is said of a report, and the exit code. */
function counts(report: object, ci: string): Promise<{ lastLine: string | undefined; code: number | null }> {
  const file = path.join(folder, 'report.json')
  const none = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] }
  writeFileSync(file, JSON.stringify({ ...none, ...report }))
  const program = path.join(root, 'tools/test-counts.mjs')
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, file], { env: { ...process.env, CI: ci } }, (_error, stdout) => {
      resolve({ lastLine: stdout.trimEnd().split('\n').at(-1), code: child.exitCode })
    })
  })
}

const broken = { name: 'broken.test.ts', status: 'failed', message: 'cannot be loaded', assertionResults: [] }

test.each<[report: object, ci: string, lastLine: string, code: number]>([
  [{ numPassedTests: 5 }, 'true', 'tests: 5 passed, 0 failed', 0],
  [{ numPassedTests: 5, numFailedTests: 1 }, 'true', 'tests: 5 passed, 1 failed', 1],
  [{ numPassedTests: 5, numPendingTests: 2, numTodoTests: 1 }, '', 'tests: 5 passed, 0 failed, 3 skipped', 0],
  [{ numPassedTests: 5, numPendingTests: 2 }, 'true', 'tests: 5 passed, 0 failed, 2 skipped', 1],
  [{ numPassedTests: 5, testResults: [broken] }, '', 'tests: 5 passed, 1 failed', 1],
  [{}, '', 'tests: 0 passed, 0 failed', 1],
])('of %j with CI=%j says %j and ends with %i', async (report, ci, lastLine, code) => {
  expect(await counts(report, ci)).toEqual({ lastLine, code })
})
