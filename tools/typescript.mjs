// `node --import ./tools/typescript.mjs program.ts` runs TypeScript, in worker threads and child processes too.
import { register, syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'

register(new URL('typescript-hooks.mjs', import.meta.url))
process.setSourceMapsEnabled(true)

// A process inherits the hooks through NODE_OPTIONS, which Node reads when it starts; a worker inherits only what
// stood on the command line of this process, which may have come to the hooks later.
const hooks = `--import=${import.meta.url}`
if (threads.isMainThread) {
  const inherited = process.env.NODE_OPTIONS ?? ''
  if (!inherited.includes(hooks)) process.env.NODE_OPTIONS = `${inherited} ${hooks}`.trim()
  threads.Worker = class extends threads.Worker {
    /** @param {ConstructorParameters<typeof threads.Worker>} parameters */
    constructor(...[file, options]) {
      super(file, { execArgv: [...process.execArgv, hooks], ...options })
    }
  }
  syncBuiltinESMExports()
}
