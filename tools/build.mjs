// node tools/build.mjs [package …]: builds the folders `dist` of the packages that are published, or of some of
// them. Something may be running from one, or start while it is being built; two builds at the same time do not
// disturb each other either.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { entryOf, root } from './bootstrap.mjs'
import { putInPlace } from './put-in-place.mjs'

/** What is built, each after those that it needs. */
const PACKAGES = ['wellpool', 'dashboard', 'server']

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !PACKAGES.includes(name))
if (unknown.length > 0) throw new Error(`no package ${unknown.join(', ')} is built: ${PACKAGES.join(', ')}`)

for (const name of PACKAGES) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const status = build(path.join(root, 'packages', name))
  if (status === 0) continue
  process.exitCode = status
  break
}

/**
 * Builds a library with the compiler, a page (which has an index.html) with Vite.
 *
 * @param {string} folder
 * @returns {number} the exit code of what builds it
 */
function build(folder) {
  const startedAt = new Date()
  const fresh = mkdtempSync(path.join(folder, 'dist.new-'))
  const entry = entryOf(folder)
  const command = entry.endsWith('.html')
    ? ['vite/bin/vite.js', 'build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', fresh]
    : ['typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', fresh]
  const [program = '', ...args] = command
  const { status } = spawnSync(process.execPath, [path.join(root, 'node_modules', program), ...args], { cwd: folder, stdio: 'inherit' })
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    return status ?? 1
  }
  putInPlace(fresh, path.join(folder, 'dist'))
  // It is as old as the sources that were read: one that was changed meanwhile is newer.
  utimesSync(path.join(folder, entry), startedAt, startedAt)
  return 0
}
