import type { Readable, Writable } from 'node:stream'

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number }
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown }

/** What a command has to do with the world. */
export interface Io {
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted when the user wants an end: Ctrl-C. */
  readonly interrupted: AbortSignal
  /** Sets how the process will end. */
  exitCode: number
  /** Whether the process goes on when nobody reads what it writes any more. Set by commands that do more than write. */
  outlivesReader: boolean
}

/** Whether colours are wanted: on a terminal, unless NO_COLOR says otherwise. */
export function wantsColor({ env, stdout }: Pick<Io, 'env' | 'stdout'>): boolean {
  return stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}
