// Builds packages/wellpool/dist. The new one is put in place when it is complete: something may be running
// from the old one.
import { spawnSync } from 'node:child_process'
import { renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { root } from './bootstrap.mjs'

const folder = path.join(root, 'packages/wellpool')
const fresh = path.join(folder, 'dist.new')
const compiler = path.join(root, 'node_modules/typescript/bin/tsc')

rmSync(fresh, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
  cwd: folder,
  stdio: 'inherit',
})
if (status === 0) {
  rmSync(path.join(folder, 'dist'), { recursive: true, force: true })
  renameSync(fresh, path.join(folder, 'dist'))
} else {
  rmSync(fresh, { recursive: true, force: true })
  process.exitCode = status ?? 1
}
