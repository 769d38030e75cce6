// Puts into the package that is being packed what it holds beside its sources.
import { copyFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import { root } from './bootstrap.mjs'

// npm runs it in the folder of the package.
for (const name of ['LICENSE', 'README.md']) {
  const [file, own] = [path.join(root, name), path.join(process.cwd(), name)]
  // A package with a page of its own keeps it.
  if (existsSync(file) && !(name === 'README.md' && process.env.npm_package_name !== 'wellpool')) copyFileSync(file, own)
}
await import('./build.mjs')
