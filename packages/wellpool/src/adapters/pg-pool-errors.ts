import { AcquireTimeoutError, CircuitOpenError, ConnectError, PoolClosedError } from '../engine/errors.ts'

/** Messages that programs know from pg-pool and tell errors by. */
export const MESSAGES = {
  afterEnd: 'Cannot use a pool after calling end on the pool',
  endedTwice: 'Called end on pool more than once',
  releasedTwice: 'Release called on client which has already been released to the pool.',
  functionFirst: 'Passing a function as the first parameter to pool.query is not supported',
  queueTimeout: 'timeout exceeded when trying to connect',
  connectTimeout: 'Connection terminated due to connection timeout',
} as const

/** What pg's client says then. */
const CLIENT_TIMEOUT = 'timeout expired'

/**
 * Why a borrower gets no client, as pg-pool says it: with the error of the client that could not be connected, or
 * with one of the messages above and the pool's own error as cause.
 *
 * @param max how many clients there may be: with so many, a borrower has waited for one that others had
 * @param connectFailure what the latest connect failed with
 */
export function toPgPoolError(error: unknown, max: number, connectFailure: unknown): unknown {
  if (error instanceof PoolClosedError) return new Error(MESSAGES.afterEnd, { cause: error })
  if (error instanceof AcquireTimeoutError) {
    return new Error(error.total >= max ? MESSAGES.queueTimeout : MESSAGES.connectTimeout, { cause: error })
  }
  const failed = error instanceof CircuitOpenError ? error.cause : error
  if (!(failed instanceof ConnectError)) return error
  // The pool shows a copy of what a client says, and its own error when the client said nothing in time. A client
  // has the same time, and may be the first to notice that it is up.
  const { name, message } = failed.cause instanceof Error ? failed.cause : failed
  return name === ConnectError.prototype.name || message === CLIENT_TIMEOUT
    ? new Error(MESSAGES.connectTimeout, { cause: error })
    : (connectFailure ?? error)
}
