import type { ErrorClass } from '../engine/driver.ts'
import { classifyCauses, isDeadSocket, isTlsMismatch } from '../shared/network-errors.ts'

/** What each code of {@link TcpError} says about the connection. */
export const TCP_ERRORS = {
  /** The connection has ended, or it never will be used again. */
  CLOSED: 'fatal',
  /** The peer has sent a frame longer than `maxFrameSize`, or one with a length that can't be. */
  BAD_FRAME: 'fatal',
  /** The peer has sent a frame that nobody has asked for: answers can't be told apart any more. */
  UNASKED_FRAME: 'fatal',
  /** A borrower has left the conversation in the middle. */
  OUT_OF_STEP: 'fatal',
  /** No frame has come within the time-out. */
  TIMEOUT: 'transient',
  /** The data can't be sent as one frame; nothing has been sent. */
  BAD_DATA: 'application',
  /** Somebody still waited for frames when the client was released. */
  RELEASED: 'application',
} as const satisfies Record<string, ErrorClass>

/** What went wrong, for programs. */
export type TcpErrorCode = keyof typeof TCP_ERRORS

/** What `wellpool/tcp` finds out by itself. Errors of sockets stay what they are, or are the `cause`. */
export class TcpError extends Error {
  override readonly name = 'TcpError'
  readonly code: TcpErrorCode

  constructor(code: TcpErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * What an error says about the connection that it came over.
 *
 * @param connecting whether it is a failed connect's
 */
export function classifyTcpError(error: unknown, connecting: boolean): ErrorClass {
  return classifyCauses(error, connecting ? classifyAtConnect : classifyInUse)
}

function classifyAtConnect(error: Error): ErrorClass | undefined {
  return isTlsMismatch((error as NodeJS.ErrnoException).code) ? 'fatal' : undefined
}

function classifyInUse(error: Error): ErrorClass | undefined {
  if (error instanceof TcpError) return TCP_ERRORS[error.code]
  return isDeadSocket((error as NodeJS.ErrnoException).code) ? 'fatal' : undefined
}
