import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { createProgram } from '../../src/cli/program.ts'

/** The command `wellpool`, to be looked at: nobody reads what it writes. */
export function quietProgram(): Command {
  const stream = new PassThrough()
  return createProgram({
    stdin: stream,
    stdout: stream,
    stderr: stream,
    env: {},
    interrupted: new AbortController().signal,
    exitCode: 0,
    outlivesReader: false,
  })
}
