import type { Io } from './io.ts'
import { run } from './program.ts'

const controller = new AbortController()
// The first Ctrl-C asks the command to end; without a command that hears it, the second ends the process as usual.
process.once('SIGINT', () => controller.abort(new Error('interrupted')))
// Who reads the output may have read enough. An agent goes on: its pools serve others than those who read what it logs.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (process.argv.slice(2).find((word) => !word.startsWith('-')) !== 'serve') process.exit(error.code === 'EPIPE' ? 0 : 1)
})

const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  interrupted: controller.signal,
  exitCode: 0,
}
await run(process.argv.slice(2), io)
process.exitCode = io.exitCode
