import type { SshLogin } from './ssh-auth.ts'
import { SshError, saysNoSessions } from './ssh-errors.ts'

/** What ssh2 adds to its errors: where they arose, and the reason of the peer's disconnect as a number. */
export type ClientError = Error & { readonly level?: string; readonly code?: unknown }

/** What is known of a connection that has not come about. */
export interface FailedConnect {
  /** `host:port`. */
  readonly name: string
  /** The peer's greeting and banner. */
  readonly said: string
  readonly login: SshLogin | undefined
}

/** How servers end a log-in that has failed too often for them, instead of refusing the last try. */
const TOO_MANY_TRIES = /authentication failures/i

/** Why a connect has failed, in an error that says what it means. */
export function connectFailure(error: ClientError, { name, said, login }: FailedConnect): Error {
  const { level, code, message } = error
  // Of the system, which names the address and has a code of its own.
  if (level === 'client-socket') return error
  if (level === 'handshake' && message.includes('no matching')) {
    const hint = "Old devices need the option algorithms: 'legacy', or lists"
    return new SshError('SSH_ALGORITHMS', `${name} and this side have no algorithm in common: ${message}. ${hint}`, error)
  }
  const words = said.trim() === '' ? '' : `; it said: ${JSON.stringify(said.trim())}`
  const full = `${name} ended the connection during the log-in${login?.describe() ?? ''}: ${message}${words}`
  // Who is told so before he has tried anything has been locked out for a while.
  const refused = login?.refused === true || (login?.tried === true && TOO_MANY_TRIES.test(message))
  if (refused) return new SshError('SSH_AUTHENTICATION', full, error)
  return new SshError(saysNoSessions(message, code) || saysNoSessions(said) ? 'SSH_NO_SESSIONS' : 'SSH_CONNECTION_LOST', full, error)
}

/** Why a connection that was in use has ended. */
export function lossInUse(error: ClientError, name: string): SshError {
  return new SshError('SSH_CONNECTION_LOST', `${name}: ${error.message}`, error)
}
