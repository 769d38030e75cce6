// node tools/test-counts.mjs <report.json>: says on one line how many tests passed and failed, from the
// report of Vitest's JSON reporter. Fails if any failed, if there was none, and in CI if any was skipped.
import { readFileSync } from 'node:fs'

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: node tools/test-counts.mjs <report.json>')
const report = JSON.parse(readFileSync(file, 'utf8'))
const passed = report.numPassedTests
const failed = report.numFailedTests
const skipped = report.numPendingTests + report.numTodoTests
// A file that can't be loaded has no tests that could fail.
const broken = report.testResults.filter((/** @type {{ status: string, assertionResults: unknown[] }} */ { status, assertionResults }) => {
  return status === 'failed' && assertionResults.length === 0
})

for (const { name, message } of broken) console.error(`${name}: ${message}`)
const inCi = process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false'
if (skipped > 0 && inCi) console.error('in CI no test may be skipped')
if (passed + failed === 0) console.error('no test has run')
console.log(`tests: ${passed} passed, ${failed + broken.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
if (failed + broken.length > 0 || passed + failed === 0 || (skipped > 0 && inCi)) process.exitCode = 1
