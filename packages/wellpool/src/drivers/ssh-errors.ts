import type { ErrorClass } from '../engine/driver.ts'
import { ConfigError } from '../engine/errors.ts'
import { classifyCauses, isDeadSocket } from '../shared/network-errors.ts'

/**
 * Every code that an error of this driver can have, with what it means: first as the error of a failed connect, then
 * as that of a session in use.
 */
export const SSH_ERROR_CODES = {
  /** The peer takes none of the credentials. */
  SSH_AUTHENTICATION: ['fatal', 'fatal'],
  /** The peer's host key is unknown, has changed, or is revoked. */
  SSH_HOST_KEY: ['fatal', 'fatal'],
  /** The two sides have no algorithm in common. */
  SSH_ALGORITHMS: ['fatal', 'fatal'],
  /** The peer serves as many sessions as it is willing to. */
  SSH_NO_SESSIONS: ['transient', 'transient'],
  /** A jump host does not get through to the next host. */
  SSH_JUMP: ['transient', 'transient'],
  /** The connection has ended. */
  SSH_CONNECTION_LOST: ['transient', 'fatal'],
  /** The command did not end within its time. Its channel is closed. */
  SSH_TIMEOUT: ['transient', 'transient'],
  /** The command wrote more than `maxOutput`. Its channel is closed. */
  SSH_OUTPUT_LIMIT: ['transient', 'application'],
  /** The peer runs no commands over exec channels, or not this one. */
  SSH_EXEC_REFUSED: ['transient', 'application'],
  /** The peer opens no shell. */
  SSH_SHELL_REFUSED: ['transient', 'transient'],
  /** The CLI came up in a way that the platform does not know: no prompt, or one that cannot be told from output. */
  CLI_NO_PROMPT: ['transient', 'transient'],
  /** The device refused the enable secret, or asks for one and none was given. */
  CLI_SECRET: ['fatal', 'application'],
  /** The device did not answer in time, in the middle of whatever it was saying. The CLI is of no more use. */
  CLI_TIMEOUT: ['transient', 'fatal'],
  /** The CLI has lost step with the device by an earlier time-out or abort. */
  CLI_OUT_OF_STEP: ['transient', 'fatal'],
  /** The CLI's channel has been closed, by the device or by `close()`. */
  CLI_CLOSED: ['transient', 'transient'],
  /** The device answered a command with an error. */
  CLI_COMMAND: ['transient', 'application'],
} as const satisfies Readonly<Record<string, readonly [connecting: ErrorClass, inUse: ErrorClass]>>

/** One of the stable codes in {@link SSH_ERROR_CODES}. */
export type SshErrorCode = keyof typeof SSH_ERROR_CODES

/** What all errors of this driver have in common. No message ever shows a secret. */
export class SshError extends Error {
  /** Stable, for programs: one of {@link SSH_ERROR_CODES}. */
  readonly code: SshErrorCode

  constructor(code: SshErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
Object.defineProperty(SshError.prototype, 'name', { value: 'SshError', configurable: true, writable: true })

/** A device answered a command with an error: what it said is in `output`. */
export class CliCommandError extends SshError {
  /** The command as it was sent; hidden input is masked. */
  readonly command: string
  /** All that the device answered. */
  readonly output: string

  constructor(message: string, command: string, output: string) {
    super('CLI_COMMAND', message)
    this.command = command
    this.output = output
  }
}
Object.defineProperty(CliCommandError.prototype, 'name', { value: 'CliCommandError', configurable: true, writable: true })

/**
 * What devices say, in a banner, a disconnect or the first words of a shell, when all their sessions are taken.
 * Matched against one line.
 */
const NO_SESSIONS =
  /no (?:more|free|available) (?:\w+ )?(?:sessions?|lines?|vtys?|connections?|resources?)|too many (?:\w+ )?(?:users?|sessions?|connections?|logins?)|all (?:\w+ )?(?:vtys?|lines?|sessions?|user interfaces) (?:are |is )?(?:\w+ )?(?:busy|occupied|in use|used)|(?:max(?:imum)?|limit)[^.]*(?:users?|sessions?|connections?|logins?)|(?:users?|sessions?|connections?|logins?)[^.]*(?:max(?:imum)?|limit)|resource shortage/i

/** RFC 4253, 11.1: SSH_DISCONNECT_TOO_MANY_CONNECTIONS. */
const TOO_MANY_CONNECTIONS = 12

/** Of ssh2, which gives them no code: the client is of no more use. */
const DEAD_CLIENT = /^(Not connected|No response from server|Keepalive timeout|Instance unusable after)/
const NO_CHANNEL = /^\(SSH\) Channel open failure/

/** Whether this is how a peer says that all its sessions are taken. */
export function saysNoSessions(text: string, disconnectReason?: unknown): boolean {
  return disconnectReason === TOO_MANY_CONNECTIONS || NO_SESSIONS.test(text)
}

/**
 * What an error says about the connection that it came over.
 *
 * @param connecting whether it is a failed connect's
 */
export function classifySshError(error: unknown, connecting: boolean): ErrorClass {
  return classifyCauses(error, (inner) => {
    const { code, message } = inner as NodeJS.ErrnoException
    if (typeof code === 'string' && Object.hasOwn(SSH_ERROR_CODES, code)) {
      return SSH_ERROR_CODES[code as SshErrorCode][connecting ? 0 : 1]
    }
    if (connecting) return inner instanceof ConfigError ? 'fatal' : undefined
    // What a borrower meets who uses ssh2's client directly.
    if (isDeadSocket(code) || DEAD_CLIENT.test(message)) return 'fatal'
    return NO_CHANNEL.test(message) ? 'transient' : undefined
  })
}
