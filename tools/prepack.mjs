// Puts into packages/wellpool what the published package holds beside its sources.
import { copyFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import { root } from './bootstrap.mjs'

for (const name of ['LICENSE', 'README.md']) {
  const file = path.join(root, name)
  if (existsSync(file)) copyFileSync(file, path.join(root, 'packages/wellpool', name))
}
await import('./build.mjs')
