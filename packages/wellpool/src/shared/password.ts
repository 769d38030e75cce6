import { ConfigError } from '../engine/errors.ts'
import { abortable } from './abortable.ts'
import { describe } from './option-rules.ts'

/** What a function that is asked for a password is given. */
export interface PasswordContext {
  /** Aborted when the log-in that needs the password is given up. */
  readonly signal: AbortSignal
}

/** A password, or a function that is asked for it (or for a short-lived token) at each log-in. */
export type Password = string | ((context: PasswordContext) => string | Promise<string>)

/**
 * The password for the log-in that begins now; undefined when none was given.
 *
 * @param path the option that it was given as
 * @throws ConfigError when the function returns no text, which it won't the next time either; it does not show what
 *   it returned.
 * @throws the reason of the signal when that is aborted first.
 */
export async function askForPassword(given: Password | undefined, signal: AbortSignal, path = 'password'): Promise<string | undefined> {
  if (typeof given !== 'function') return given
  const password: unknown = await abortable(ask(given, signal), signal)
  if (typeof password === 'string') return password
  throw new ConfigError([{ path, given: `a function that returned ${describe(password)}`, allowed: 'a function that returns a text' }])
}

async function ask(giver: (context: PasswordContext) => unknown, signal: AbortSignal): Promise<unknown> {
  return giver({ signal })
}
