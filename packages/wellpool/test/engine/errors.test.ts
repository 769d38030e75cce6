import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import * as errors from '../../src/engine/errors.ts'
import type { BatchRebuildResult } from '../../src/index.ts'

const batch: BatchRebuildResult = {
  total: 1,
  succeeded: 0,
  failed: 1,
  skipped: 0,
  byProtocol: {},
  results: [],
  startedAt: 1,
  endedAt: 2,
  durationMs: 1,
  cancelled: false,
}
const numbers = { verdict: 'saturated', waitedMs: 5, total: 2, idle: 0, acquired: 2, waiting: 3 } as const
const cause = new Error('the cause')

/** One of each class, with its code and whether the same call may succeed later. */
const CASES: [make: () => errors.WellpoolError, code: errors.ErrorCode, retryable: boolean][] = [
  [() => new errors.AcquireTimeoutError('text', numbers, cause), 'ACQUIRE_TIMEOUT', true],
  [() => new errors.PoolClosedError('text'), 'POOL_CLOSED', false],
  [() => new errors.PoolPausedError('text'), 'POOL_PAUSED', true],
  [() => new errors.QueueFullError('text'), 'QUEUE_FULL', true],
  [() => new errors.CircuitOpenError('text', cause), 'CIRCUIT_OPEN', true],
  [() => new errors.ConnectError('text', cause), 'CONNECT_FAILED', true],
  [() => new errors.HealthCheckError('text', cause), 'HEALTH_CHECK_FAILED', true],
  [() => new errors.ConnectionLostError('text', cause), 'CONNECTION_LOST', true],
  [() => new errors.ConnectionBusyError('text'), 'CONNECTION_BUSY', true],
  [() => new errors.ConnectionStateError('text'), 'CONNECTION_STATE', true],
  [() => new errors.ConnectionNotFoundError('text'), 'CONNECTION_NOT_FOUND', false],
  [() => new errors.RebuildFailedError('text', batch, cause), 'REBUILD_FAILED', true],
  [() => new errors.ConfigError([]), 'INVALID_CONFIG', false],
  [() => new errors.LeaseReleasedError('text'), 'LEASE_RELEASED', false],
]

describe.each(CASES.map(([make, code, retryable]) => ({ name: make().constructor.name, make, code, retryable })))('$name', (expected) => {
  const { name, make, code, retryable } = expected

  test('has its code, its name and its base class', () => {
    const error = make()
    expect(error).toBeInstanceOf(errors.WellpoolError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ code, retryable })
    expect(error.name).toBe(name)
    expect(Object.hasOwn(error, 'name')).toBe(false)
    expect(error.stack).toContain(name)
  })

  test('keeps its cause if it was given one, and has none otherwise', () => {
    const error = make()
    const takesCause = /, cause/.test(make.toString())
    expect(Object.hasOwn(error, 'cause')).toBe(takesCause)
    expect(error.cause).toBe(takesCause ? cause : undefined)
  })
})

test('every code belongs to exactly one class, and every exported class is in this test', () => {
  expect(CASES.map(([, code]) => code).sort()).toEqual(Object.keys(errors.ERROR_CODES).sort())
  const classes = Object.entries(errors).filter(([, value]) => typeof value === 'function' && value !== errors.WellpoolError)
  expect(CASES.map(([make]) => make().constructor.name).sort()).toEqual(classes.map(([name]) => name).sort())
})

test('a connect error that was classified as fatal is not retryable', () => {
  expect(new errors.ConnectError('text', cause, false).retryable).toBe(false)
})

test('an acquire time-out carries the verdict and the numbers', () => {
  expect(new errors.AcquireTimeoutError('text', numbers)).toMatchObject(numbers)
})

test('a failed batch carries its result', () => {
  expect(new errors.RebuildFailedError('text', batch).result).toBe(batch)
})

describe('ConfigError', () => {
  const first = { path: 'maxConnections', given: '0', allowed: 'a whole number from 1' }
  const second = { path: 'backoff.base', given: "'x'", allowed: 'a duration' }

  test('says of one problem what was given and what is allowed', () => {
    expect(new errors.ConfigError([first]).message).toBe('wrong option: maxConnections: got 0, allowed is a whole number from 1')
  })

  test('names every problem on a line of its own', () => {
    const error = new errors.ConfigError([first, second])
    expect(error.message.split('\n')).toHaveLength(3)
    expect(error.message).toContain('2 wrong options')
    expect(error.message).toContain("backoff.base: got 'x', allowed is a duration")
    expect(error.problems).toEqual([first, second])
  })
})

test('the names survive a bundler that shortens those of classes', async () => {
  const entry = fileURLToPath(new URL('../../src/engine/errors.ts', import.meta.url))
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, minify: true, format: 'esm', write: false })
  const bundled: typeof errors = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`)
  const names = Object.entries<unknown>(bundled).filter(([, value]) => typeof value === 'function')
  expect(names.length).toBeGreaterThan(CASES.length)
  for (const [name, value] of names) expect((value as typeof Error).prototype.name).toBe(name)
})
