import { ConfigError, type ConfigProblem } from 'wellpool'

/** One wrong thing in a file. */
export interface FileProblem extends ConfigProblem {
  /** The line on which it stands, from 1. */
  readonly line: number
  /** The column at which it begins, from 1. */
  readonly column: number
}

/** A configuration file is wrong: all that is, at once, each with its place; of more than 100 problems those that were found first. */
export class ConfigFileError extends ConfigError {
  readonly file: string
  declare readonly problems: readonly FileProblem[]

  /** @param more how many there are beside these */
  constructor(file: string, problems: readonly FileProblem[], more = 0) {
    super(problems)
    this.name = 'ConfigFileError'
    this.file = file
    const lines = problems.map(({ line, column, path, given, allowed }) => {
      const what = path === '' ? '' : ` ${path}:`
      return `${file}:${line}:${column}:${what} got ${given}, allowed is ${allowed}`
    })
    if (more > 0) lines.push(`and ${more} more`)
    this.message = lines.length === 1 ? (lines[0] as string) : `${problems.length + more} problems:\n  ${lines.join('\n  ')}`
  }
}
