// node tools/run.mjs <program.ts> [arguments]: a program of this repository, from a clone in which nothing is
// installed or built.
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs'

const [program, ...args] = process.argv.slice(2)
if (program === undefined) throw new Error('usage: node tools/run.mjs <program> [arguments]')
ensureInstalled()
ensureBuilt('wellpool', 'server')
await run(program, args)
