// Builds packages/wellpool/dist. Something may be running from it, or start while it is being built; two builds at
// the same time do not disturb each other either.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { root } from './bootstrap.mjs'
import { putInPlace } from './put-in-place.mjs'

const folder = path.join(root, 'packages/wellpool')
const compiler = path.join(root, 'node_modules/typescript/bin/tsc')

const startedAt = new Date()
const fresh = mkdtempSync(path.join(folder, 'dist.new-'))
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
  cwd: folder,
  stdio: 'inherit',
})
if (status === 0) {
  putInPlace(fresh, path.join(folder, 'dist'))
  // It is as old as the sources that were read: one that was changed meanwhile is newer.
  utimesSync(path.join(folder, 'dist/index.js'), startedAt, startedAt)
} else {
  rmSync(fresh, { recursive: true, force: true })
  process.exitCode = status ?? 1
}
