// npm test: the tests, from a clone in which nothing is installed.
import { ensureInstalled, root, run } from './bootstrap.mjs'

ensureInstalled()
process.chdir(root)
await run('node_modules/vitest/vitest.mjs', ['run', ...process.argv.slice(2)])
