import type { Io } from './io.ts'
import { run } from './program.ts'

const controller = new AbortController()
// The first Ctrl-C asks the command to end; without a command that hears it, the second ends the process as usual.
process.once('SIGINT', () => controller.abort(new Error('interrupted')))
const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  interrupted: controller.signal,
  exitCode: 0,
  outlivesReader: false,
}
// Who reads the output may have read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!io.outlivesReader) process.exit(error.code === 'EPIPE' ? 0 : 1)
})
await run(process.argv.slice(2), io)
process.exitCode = io.exitCode
