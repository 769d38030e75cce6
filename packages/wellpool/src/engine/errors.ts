import type { BatchRebuildResult } from './rebuild-result.ts'

/**
 * Every code an error of Wellpool can have, with the one sentence that says when.
 * `docs/troubleshooting.md` has a section for each; a test compares the two.
 */
export const ERROR_CODES = {
  ACQUIRE_TIMEOUT: 'no connection became available within the time-out',
  POOL_CLOSED: 'the pool is closed, closing or draining',
  POOL_PAUSED: 'the pool is paused with failWaiting',
  QUEUE_FULL: 'maxWaiting borrowers wait already',
  CIRCUIT_OPEN: 'the endpoint cannot be reached and the breaker is open',
  CONNECT_FAILED: 'a connection could not be made',
  HEALTH_CHECK_FAILED: 'a connection did not pass its health check',
  CONNECTION_LOST: 'the connection was lost while it was in use',
  CONNECTION_BUSY: 'the connection was not released in time',
  CONNECTION_STATE: 'the connection is connecting or closing',
  CONNECTION_NOT_FOUND: 'no connection has this id',
  REBUILD_FAILED: 'every rebuild of the batch failed',
  INVALID_CONFIG: 'an option is wrong',
  LEASE_RELEASED: 'the lease was released before',
} as const

/** One of the stable codes in {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What all errors of Wellpool have in common. */
export class WellpoolError extends Error {
  /** Stable, for programs: one of {@link ERROR_CODES}. */
  readonly code: ErrorCode
  /** Whether the same call may succeed later without anything being changed. */
  readonly retryable: boolean

  constructor(code: ErrorCode, retryable: boolean, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = retryable
  }
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

/** No connection became available within the time-out; `verdict` says why. */
export class AcquireTimeoutError extends WellpoolError implements AcquireTimeoutDetails {
  readonly verdict: AcquireVerdict
  readonly waitedMs: number
  readonly total: number
  readonly idle: number
  readonly acquired: number
  readonly waiting: number

  constructor(message: string, details: AcquireTimeoutDetails, cause?: unknown) {
    super('ACQUIRE_TIMEOUT', true, message, cause)
    this.verdict = details.verdict
    this.waitedMs = details.waitedMs
    this.total = details.total
    this.idle = details.idle
    this.acquired = details.acquired
    this.waiting = details.waiting
  }
}

/** The pool is closed, closing or draining and takes no more borrowers. */
export class PoolClosedError extends WellpoolError {
  constructor(message: string) {
    super('POOL_CLOSED', false, message)
  }
}

/** The pool is paused with `failWaiting`. */
export class PoolPausedError extends WellpoolError {
  constructor(message: string) {
    super('POOL_PAUSED', true, message)
  }
}

/** `maxWaiting` borrowers wait already. */
export class QueueFullError extends WellpoolError {
  constructor(message: string) {
    super('QUEUE_FULL', true, message)
  }
}

/** The endpoint cannot be reached; the pool waits before its next try. `cause` is the last connect error. */
export class CircuitOpenError extends WellpoolError {
  constructor(message: string, cause?: unknown) {
    super('CIRCUIT_OPEN', true, message, cause)
  }
}

/** A connection could not be made. `cause` is a copy of the driver's error. */
export class ConnectError extends WellpoolError {
  constructor(message: string, cause?: unknown, retryable = true) {
    super('CONNECT_FAILED', retryable, message, cause)
  }
}

/** A connection did not pass its check. `cause` is a copy of the driver's error. */
export class HealthCheckError extends WellpoolError {
  constructor(message: string, cause?: unknown) {
    super('HEALTH_CHECK_FAILED', true, message, cause)
  }
}

/** The connection was lost while it was in use. What the peer did of the work is not known. */
export class ConnectionLostError extends WellpoolError {
  constructor(message: string, cause?: unknown) {
    super('CONNECTION_LOST', true, message, cause)
  }
}

/** The connection was not released within the time-out of a manual rebuild. */
export class ConnectionBusyError extends WellpoolError {
  constructor(message: string) {
    super('CONNECTION_BUSY', true, message)
  }
}

/** The connection is connecting or closing, so it can't be rebuilt. */
export class ConnectionStateError extends WellpoolError {
  constructor(message: string) {
    super('CONNECTION_STATE', true, message)
  }
}

/** No connection of the pool has this id, or none has it any more. */
export class ConnectionNotFoundError extends WellpoolError {
  constructor(message: string) {
    super('CONNECTION_NOT_FOUND', false, message)
  }
}

/** Every rebuild of a batch failed. */
export class RebuildFailedError extends WellpoolError {
  /** What became of each connection. */
  readonly result: BatchRebuildResult

  constructor(message: string, result: BatchRebuildResult, cause?: unknown) {
    super('REBUILD_FAILED', true, message, cause)
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
export class ConfigError extends WellpoolError {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ path, given, allowed }) => `${path}: got ${given}, allowed is ${allowed}`)
    super(
      'INVALID_CONFIG',
      false,
      lines.length === 1 ? `wrong option: ${lines[0]}` : `${lines.length} wrong options:\n  ${lines.join('\n  ')}`,
    )
    this.problems = problems
  }
}

/** `release` was called a second time. */
export class LeaseReleasedError extends WellpoolError {
  constructor(message: string) {
    super('LEASE_RELEASED', false, message)
  }
}

// On the prototype, as the classes of the language have it, and by its text: a bundler may rename the class.
for (const [name, errorClass] of Object.entries({
  WellpoolError,
  AcquireTimeoutError,
  PoolClosedError,
  PoolPausedError,
  QueueFullError,
  CircuitOpenError,
  ConnectError,
  HealthCheckError,
  ConnectionLostError,
  ConnectionBusyError,
  ConnectionStateError,
  ConnectionNotFoundError,
  RebuildFailedError,
  ConfigError,
  LeaseReleasedError,
})) {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true })
}
