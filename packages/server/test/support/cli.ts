import { PassThrough } from 'node:stream'
import type { Io, Output } from '../../src/cli/io.ts'
import { run } from '../../src/cli/program.ts'

/** A command line that is run in this process. */
export interface Run {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** What a running command shows, and how to talk to it. */
export interface Running {
  /** What it has written by now. */
  readonly out: () => string
  readonly err: () => string
  readonly interrupt: () => void
  /** Types on the terminal. */
  readonly type: (keys: string) => void
  readonly ended: Promise<Run>
}

interface CliOptions {
  readonly url?: string
  readonly token?: string
  readonly env?: Record<string, string>
  /** Whether it has a terminal, of this size. */
  readonly terminal?: { readonly columns: number; readonly rows: number }
}

/** Starts a command. */
export function startCli(args: readonly string[], { url, token, env = {}, terminal }: CliOptions = {}): Running {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const text = { out: '', err: '' }
  stdout.on('data', (chunk) => {
    text.out += String(chunk)
  })
  stderr.on('data', (chunk) => {
    text.err += String(chunk)
  })
  if (terminal !== undefined) {
    Object.assign(stdout, { isTTY: true, ...terminal })
    Object.assign(stderr, { isTTY: true })
    Object.assign(stdin, { isTTY: true, setRawMode: () => stdin })
  }
  const controller = new AbortController()
  const io: Io = {
    stdin,
    stdout: stdout as Output,
    stderr: stderr as Output,
    env: { NO_COLOR: '1', ...(url !== undefined && { WELLPOOL_URL: url }), ...(token !== undefined && { WELLPOOL_TOKEN: token }), ...env },
    interrupted: controller.signal,
    exitCode: 0,
    outlivesReader: false,
  }
  return {
    out: () => text.out,
    err: () => text.err,
    interrupt: () => controller.abort(new Error('interrupted')),
    type: (keys) => stdin.write(keys),
    ended: run(args, io).then(() => ({ exitCode: io.exitCode, ...text })),
  }
}

/** Runs a command to its end. */
export const cli = (args: readonly string[], options: CliOptions = {}): Promise<Run> => startCli(args, options).ended
