import { abortable } from './abortable.ts'

/** What a function that is asked for a password is given. */
export interface PasswordContext {
  /** Aborted when the connect that needs the password is given up. */
  readonly signal: AbortSignal
}

/** A password, or a function that is asked for it (or for a short-lived token) at each connect. */
export type Password = string | ((context: PasswordContext) => string | Promise<string>)

/**
 * The password for the connect that begins now; undefined when none was given.
 *
 * @throws TypeError when the function returns no text; it does not show what it returned.
 * @throws the reason of the signal when that is aborted first.
 */
export async function askForPassword(given: Password | undefined, signal: AbortSignal): Promise<string | undefined> {
  return typeof given === 'function' ? abortable(ask(given, signal), signal) : given
}

async function ask(giver: (context: PasswordContext) => string | Promise<string>, signal: AbortSignal): Promise<string> {
  const password: unknown = await giver({ signal })
  if (typeof password !== 'string')
    throw new TypeError(`the function for the password returned a value of type ${typeof password}, not a text`)
  return password
}
