import type { ExecuteRequest } from '../api/context.ts'

/** What is wrong with a request for a database. */
export function statementMisfit({ statement, command }: ExecuteRequest): string | undefined {
  if (command !== undefined) return 'a database takes a statement, and no command'
  return statement === undefined || statement.trim() === '' ? 'a database needs a statement' : undefined
}

/** What is wrong with a request for a command line. */
export function commandLineMisfit({ statement, parameters, command }: ExecuteRequest): string | undefined {
  if (statement !== undefined || parameters !== undefined) return 'a host or a device takes a command, and no statement'
  return typeof command === 'string' && command.trim() !== '' ? undefined : 'a host or a device needs a command, as one text'
}

/** What is wrong with a request for a command that is a list of words. */
export function wordsMisfit({ statement, parameters, command }: ExecuteRequest): string | undefined {
  if (statement !== undefined || parameters !== undefined) return 'Redis takes a command, and no statement'
  return Array.isArray(command) && command[0] !== '' ? undefined : 'Redis needs a command, as a list: its name and its arguments'
}
