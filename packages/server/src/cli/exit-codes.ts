/** How the command may end. docs/cli.md lists them; a test compares the two. */
export const EXIT = {
  ok: 0,
  /** What was asked for was refused, or has failed. */
  failed: 1,
  /** The command line, or a configuration file, is wrong. */
  usage: 2,
  /** There is no agent at the address. */
  unreachable: 3,
  /** No valid token, or not the role that it needs. */
  forbidden: 4,
  /** Everything was answered, and something is not well: a pool that can't serve, a rebuild that has failed. */
  unwell: 5,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends the command with a message. */
export class CliError extends Error {
  readonly exitCode: number
  /** What is told to programs. */
  readonly problem: object | undefined

  constructor(exitCode: number, message: string, problem?: object) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
    this.problem = problem
  }
}
