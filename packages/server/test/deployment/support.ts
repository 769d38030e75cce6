import type { Command } from 'commander'
import { parseDocument } from 'yaml'
import { quietProgram } from '../support/quiet-program.ts'

/** How long an agent may take to end, in seconds, by its defaults: what it is run by has to wait for longer. */
export const GRACE = {
  /** `drain_timeout`. */
  drain: 30,
  /** `close_timeout`: sessions say goodbye after that. */
  close: 5,
  /** What is left of requests of the API. */
  answers: 1,
} as const

/**
 * The command that these words call.
 *
 * @throws Error when there is none, or it has not got an option of these
 */
export function commandOf(words: readonly string[]): string {
  const program = quietProgram()
  const args = [...words]
  let command: Command = program
  while (command.commands.length > 0) {
    const name = args.shift()
    const found = command.commands.find((each) => each.name() === name)
    if (found === undefined) throw new Error(`there is no command ${words.join(' ')}`)
    command = found
  }
  const { unknown } = command.parseOptions(args)
  if (unknown.length > 0) throw new Error(`${command.name()} has no option ${unknown.join(' ')}`)
  return command.name()
}

/** What the documents of a file in YAML hold. @throws Error when it can't be read, or has a name twice */
export function yamlDocuments(text: string): Record<string, unknown>[] {
  return text.split(/^---$/m).map((part) => {
    const document = parseDocument(part, { version: '1.1', merge: false })
    if (document.errors.length > 0 || document.warnings.length > 0) throw new Error(String(document.errors[0] ?? document.warnings[0]))
    return document.toJS() as Record<string, unknown>
  })
}
