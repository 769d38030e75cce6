// `node --import ./tools/typescript.mjs program.ts` runs TypeScript, in worker threads and child processes too.
import { register } from 'node:module'

register(new URL('typescript-hooks.mjs', import.meta.url))
process.setSourceMapsEnabled(true)
