// npm start: the demo, from a clone in which nothing is installed or built.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs'

ensureInstalled()
ensureBuilt('wellpool', 'server', 'dashboard')
await run('packages/demo/src/main.ts', process.argv.slice(2))
