import type { BatchRebuildResult } from './rebuild-result.ts'

/**
 * Every code an error of Wellpool can have, and whether the same call may succeed later without anything being
 * changed. `docs/troubleshooting.md` has a section for each; a test compares the two.
 */
export const ERROR_CODES = {
  ACQUIRE_TIMEOUT: true,
  POOL_CLOSED: false,
  POOL_PAUSED: true,
  QUEUE_FULL: true,
  CIRCUIT_OPEN: true,
  CONNECT_FAILED: true,
  HEALTH_CHECK_FAILED: true,
  CONNECTION_LOST: true,
  CONNECTION_BUSY: true,
  CONNECTION_STATE: true,
  CONNECTION_NOT_FOUND: false,
  REBUILD_FAILED: true,
  INVALID_CONFIG: false,
  LEASE_RELEASED: false,
} as const

/** One of the stable codes in {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What all errors of Wellpool have in common. */
export class WellpoolError extends Error {
  /** Stable, for programs: one of {@link ERROR_CODES}. */
  readonly code: ErrorCode
  /** Whether the same call may succeed later without anything being changed. */
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, cause?: unknown, retryable: boolean = ERROR_CODES[code]) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = retryable
  }
}
nameClass(WellpoolError, 'WellpoolError')

/** The class under an error's own: it has the code and the name. */
type CodedError = new (message: string, cause?: unknown, retryable?: boolean) => WellpoolError

function coded(code: ErrorCode, name: string): CodedError {
  return nameClass(
    class extends WellpoolError {
      constructor(message: string, cause?: unknown, retryable?: boolean) {
        super(code, message, cause, retryable)
      }
    },
    name,
  )
}

/** On the prototype, as the classes of the language have it, and by its text: a bundler may rename the class. */
function nameClass<Class extends { prototype: Error }>(errorClass: Class, name: string): Class {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true })
  return errorClass
}

/** Why a borrower got nothing: all connections in use, one being made, the pool paused, or the endpoint down. */
export type AcquireVerdict = 'saturated' | 'connecting' | 'paused' | 'down'

/** The numbers that an {@link AcquireTimeoutError} carries. */
export interface AcquireTimeoutDetails {
  readonly verdict: AcquireVerdict
  /** How long the borrower has waited, ms. */
  readonly waitedMs: number
  readonly total: number
  readonly idle: number
  readonly acquired: number
  /** Borrowers in the queue, this one included. */
  readonly waiting: number
}

/** No connection became available within the time-out; `verdict` says why, and `cause` is the failed connect that is to blame, if one is. */
export class AcquireTimeoutError extends coded('ACQUIRE_TIMEOUT', 'AcquireTimeoutError') implements AcquireTimeoutDetails {
  declare readonly verdict: AcquireVerdict
  declare readonly waitedMs: number
  declare readonly total: number
  declare readonly idle: number
  declare readonly acquired: number
  declare readonly waiting: number

  constructor(message: string, details: AcquireTimeoutDetails, cause?: unknown) {
    super(message, cause)
    Object.assign(this, details)
  }
}

/** The pool is closed, closing or draining and takes no more borrowers. */
export class PoolClosedError extends coded('POOL_CLOSED', 'PoolClosedError') {}

/** The pool is paused with `failWaiting`. */
export class PoolPausedError extends coded('POOL_PAUSED', 'PoolPausedError') {}

/** `maxWaiting` borrowers wait already. */
export class QueueFullError extends coded('QUEUE_FULL', 'QueueFullError') {}

/** The endpoint cannot be reached; the pool waits before its next try. `cause` is the last connect error. */
export class CircuitOpenError extends coded('CIRCUIT_OPEN', 'CircuitOpenError') {}

/** A connection could not be made. `cause` is a copy of the driver's error. */
export class ConnectError extends coded('CONNECT_FAILED', 'ConnectError') {}

/** A connection did not pass its check. `cause` is a copy of the driver's error. */
export class HealthCheckError extends coded('HEALTH_CHECK_FAILED', 'HealthCheckError') {}

/** The connection was lost while it was in use. What the peer did of the work is not known. */
export class ConnectionLostError extends coded('CONNECTION_LOST', 'ConnectionLostError') {}

/** The connection was not released within the time-out of a manual rebuild. */
export class ConnectionBusyError extends coded('CONNECTION_BUSY', 'ConnectionBusyError') {}

/** The connection is connecting or closing, so it can't be rebuilt. */
export class ConnectionStateError extends coded('CONNECTION_STATE', 'ConnectionStateError') {}

/** No connection of the pool has this id, or none has it any more. */
export class ConnectionNotFoundError extends coded('CONNECTION_NOT_FOUND', 'ConnectionNotFoundError') {}

/** Every rebuild of a batch failed. */
export class RebuildFailedError extends coded('REBUILD_FAILED', 'RebuildFailedError') {
  /** What became of each connection. */
  readonly result: BatchRebuildResult

  constructor(message: string, result: BatchRebuildResult, cause?: unknown) {
    super(message, cause)
    this.result = result
  }
}

/** One wrong option in a {@link ConfigError}. */
export interface ConfigProblem {
  /** Where it stands: `maxConnections`, `backoff.base`, `orders.maxUses`. */
  readonly path: string
  /** What was given, as text. */
  readonly given: string
  /** What is allowed. */
  readonly allowed: string
}

/** Options are wrong: all that are, at once. Nothing has been changed. */
export class ConfigError extends coded('INVALID_CONFIG', 'ConfigError') {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ path, given, allowed }) => `${path}: got ${given}, allowed is ${allowed}`)
    super(lines.length === 1 ? `wrong option: ${lines[0]}` : `${lines.length} wrong options:\n  ${lines.join('\n  ')}`)
    this.problems = problems
  }
}

/** `release` was called a second time. */
export class LeaseReleasedError extends coded('LEASE_RELEASED', 'LeaseReleasedError') {}
