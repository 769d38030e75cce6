import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/engine/clock.ts'
import { ConfigError, type ConfigProblem } from '../../src/engine/errors.ts'
import { DEFAULT_OPTIONS, type PoolOptions, type ResolvedOptions } from '../../src/engine/options.ts'
import { OPTION_NAMES, resolveOptions } from '../../src/engine/resolve-options.ts'

const NEVER = Number.POSITIVE_INFINITY

/** Resolves what a user of JavaScript may pass: anything. */
const resolve = (...layers: object[]): ResolvedOptions => resolveOptions(layers as PoolOptions[], 'pool-1')

/** What is wrong with these options, by path. */
function problemsOf(...layers: object[]): readonly ConfigProblem[] {
  try {
    resolve(...layers)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const INTERVALS = [
  'acquireTimeout',
  'idleTimeout',
  'resetTimeout',
  'healthCheckInterval',
  'healthCheckTimeout',
  'maxLifetime',
  'rebuildCheckInterval',
  'rebuildTimeout',
  'leakDetectionThreshold',
]
const POSITIVE_DURATIONS = ['connectTimeout', 'closeTimeout', 'healthRecheckInterval']
const DURATIONS_FROM_ZERO = ['verifyIdleAfter', 'hedgeDelay', 'rebuildMinInterval', 'rebuildBatchDelay']
const COUNTS_FROM_ONE = [
  'maxConnections',
  'attempts',
  'maxConnecting',
  'unhealthyThreshold',
  'maxUses',
  'minRequestsForErrorRate',
  'rebuildBatchSize',
  'rebuildConcurrency',
]
const COUNTS_FROM_ZERO = ['minConnections', 'maxWaiting', 'rebuildMaxSurge']
const SHARES = ['maxLifetimeJitter', 'maxUnavailable', 'panicThreshold', 'maxErrorRate']
const FLAGS = ['failFast', 'allowExitOnIdle', 'healthCheckTriggerRebuild', 'rebuildOnDegraded', 'smartRebuildEnabled']
const CHOICES = { idleOrder: ['lifo', 'fifo'], rebuildStrategy: ['any', 'all', 'max_lifetime', 'error_rate'] }
const OTHERS = ['name', 'metrics', 'clock', 'random', 'logger', 'backoff', 'outlierFactor', 'degradedThreshold']
/** Limits and thresholds that `Infinity` turns off. */
const UNLIMITED = ['maxWaiting', 'unhealthyThreshold', 'maxUses', 'maxErrorRate', 'degradedThreshold', 'outlierFactor', 'verifyIdleAfter']

const accepted = (name: string, value: unknown): unknown => resolve({ minConnections: 0, [name]: value })[name as keyof ResolvedOptions]
const refused = (name: string, value: unknown): string[] => problemsOf({ [name]: value }).map(({ path }) => path)

test('every option is in this test', () => {
  const groups = [INTERVALS, POSITIVE_DURATIONS, DURATIONS_FROM_ZERO, COUNTS_FROM_ONE, COUNTS_FROM_ZERO, SHARES, FLAGS, OTHERS]
  expect([...groups.flat(), ...Object.keys(CHOICES)].sort()).toEqual([...OPTION_NAMES].sort())
})

describe('without options', () => {
  test('the defaults hold, durations in ms, what is off as Infinity', () => {
    expect(resolve()).toEqual({
      ...DEFAULT_OPTIONS,
      name: 'pool-1',
      metrics: undefined,
      logger: undefined,
      clock: systemClock,
      random: Math.random,
      minConnections: 2,
      acquireTimeout: 30_000,
      idleTimeout: 600_000,
      connectTimeout: 10_000,
      closeTimeout: 5000,
      resetTimeout: 5000,
      backoff: { base: 50, max: 30_000, maxWhileWaited: 250 },
      healthCheckInterval: 30_000,
      healthCheckTimeout: 5000,
      healthRecheckInterval: 1000,
      degradedThreshold: 1000,
      verifyIdleAfter: 1000,
      maxLifetime: 1_800_000,
      rebuildMinInterval: 300_000,
      rebuildCheckInterval: 300_000,
      rebuildTimeout: 30_000,
      leakDetectionThreshold: NEVER,
    })
  })

  test('there is a default for every option that has a plain value', () => {
    const without = ['name', 'metrics', 'clock', 'random', 'logger', 'minConnections']
    expect(Object.keys(DEFAULT_OPTIONS).sort()).toEqual(OPTION_NAMES.filter((name) => !without.includes(name)).sort())
  })

  test.each([
    [1, 1],
    [2, 2],
    [50, 2],
  ])('with maxConnections %d, minConnections is %d', (maxConnections, minConnections) => {
    expect(resolve({ maxConnections }).minConnections).toBe(minConnections)
  })
})

describe('values', () => {
  test.each(INTERVALS)('%s takes text, ms, 0 and Infinity for never', (name) => {
    expect(accepted(name, '1m30s')).toBe(90_000)
    expect(accepted(name, 1)).toBe(1)
    for (const never of [0, '0', '0s', NEVER, 'infinity']) expect(accepted(name, never)).toBe(NEVER)
  })

  test.each(POSITIVE_DURATIONS)('%s takes a duration, and neither 0 nor Infinity', (name) => {
    expect(accepted(name, '2s')).toBe(2000)
    for (const value of [0, '0s', NEVER, 'infinity', 0.5]) expect(refused(name, value)).toEqual([name])
  })

  test.each(DURATIONS_FROM_ZERO)('%s takes a duration, 0 being no time at all', (name) => {
    expect(accepted(name, '2s')).toBe(2000)
    expect(accepted(name, 0)).toBe(0)
  })

  test.each([...INTERVALS, ...POSITIVE_DURATIONS, ...DURATIONS_FROM_ZERO, 'degradedThreshold'])(
    '%s refuses what is no duration, less than 1 ms, and more than a timer can wait',
    (name) => {
      for (const value of [0.5, 'soon', '', '10', -1, '-1s', Number.NaN, -NEVER, true, [], {}, 10n, 2 ** 31, '25d']) {
        expect(refused(name, value), String(value)).toEqual([name])
      }
      expect(refused(name, 2 ** 31 - 1)).toEqual([])
    },
  )

  test.each([...COUNTS_FROM_ONE, ...COUNTS_FROM_ZERO])('%s takes whole numbers only', (name) => {
    expect(accepted(name, 7)).toBe(7)
    for (const value of [1.5, -1, '7', Number.NaN, -NEVER, true, {}]) expect(refused(name, value), String(value)).toEqual([name])
  })

  test.each(COUNTS_FROM_ONE)('%s is at least 1', (name) => {
    expect(accepted(name, 1)).toBe(1)
    expect(refused(name, 0)).toContain(name)
  })

  test.each(COUNTS_FROM_ZERO)('%s may be 0', (name) => {
    expect(accepted(name, 0)).toBe(0)
  })

  test.each(SHARES)('%s is a share from 0 to 1', (name) => {
    for (const value of [0, 0.5, 1]) expect(accepted(name, value)).toBe(value)
    for (const value of [-0.1, 1.1, '0.5', Number.NaN]) expect(refused(name, value), String(value)).toEqual([name])
  })

  test.each(UNLIMITED)('%s is turned off by Infinity', (name) => {
    expect(accepted(name, NEVER)).toBe(NEVER)
  })

  test.each(['maxConnections', 'minConnections', 'rebuildMaxSurge', 'maxConnecting', 'attempts', 'maxUnavailable', 'panicThreshold'])(
    '%s can’t be Infinity',
    (name) => {
      expect(refused(name, NEVER)).toContain(name)
    },
  )

  test.each(FLAGS)('%s is true or false, nothing like it', (name) => {
    for (const value of [true, false]) expect(accepted(name, value)).toBe(value)
    for (const value of ['true', 1, 0, {}]) expect(refused(name, value), String(value)).toEqual([name])
  })

  test.each(Object.entries(CHOICES))('%s is one of its words', (name, words) => {
    for (const word of words) expect(accepted(name, word)).toBe(word)
    for (const value of ['LIFO', '', 1, ['any']]) expect(refused(name, value), String(value)).toEqual([name])
  })

  test('outlierFactor is above 1', () => {
    expect(accepted('outlierFactor', 1.01)).toBe(1.01)
    for (const value of [1, 0, -1, '5']) expect(refused('outlierFactor', value)).toEqual(['outlierFactor'])
  })

  test('degradedThreshold is at least 1 ms', () => {
    expect(accepted('degradedThreshold', '250ms')).toBe(250)
    expect(refused('degradedThreshold', 0)).toEqual(['degradedThreshold'])
  })

  test('undefined is as if the option were not given', () => {
    const nothing = Object.fromEntries(OPTION_NAMES.map((name) => [name, undefined]))
    expect(resolve(nothing)).toEqual(resolve())
  })
})

test.each(OPTION_NAMES)('null is no value of %s', (name) => {
  expect(refused(name, null)).toEqual([name])
})

describe('backoff', () => {
  test('is completed part by part', () => {
    expect(resolve({ backoff: { base: '10ms' } }).backoff).toEqual({ base: 10, max: 30_000, maxWhileWaited: 250 })
    expect(resolve({ backoff: { base: 10, max: 20 } }, { backoff: { max: '1m' } }).backoff).toMatchObject({ base: 10, max: 60_000 })
  })

  test.each([
    [{ base: 0 }, 'backoff.base'],
    [{ base: 'x' }, 'backoff.base'],
    [{ max: NEVER }, 'backoff.max'],
    [{ maxWhileWaited: -1 }, 'backoff.maxWhileWaited'],
    [{ base: 100, max: 99 }, 'backoff.max'],
    [{ minimum: 1 }, 'backoff.minimum'],
    [100, 'backoff'],
    [[], 'backoff'],
  ])('refuses %j at %s', (backoff, path) => {
    expect(problemsOf({ backoff }).map((problem) => problem.path)).toEqual([path])
  })
})

test.each(['toString', 'constructor', 'hasOwnProperty'])('%s, which every object has, is no option', (name) => {
  expect(problemsOf({ [name]: 1 }).map(({ path }) => path)).toEqual([name])
  expect(problemsOf({ backoff: { [name]: 1 } }).map(({ path }) => path)).toEqual([`backoff.${name}`])
})

describe('collaborators', () => {
  test.each([
    ['name', ''],
    ['name', 5],
    ['random', 0.5],
    ['clock', {}],
    ['clock', { now: () => 0 }],
    ['logger', console.log],
    ['logger', { info: () => undefined }],
    ['metrics', 'prometheus'],
  ])('%s: %j is refused', (name, value) => {
    expect(refused(name, value)).toEqual([name])
  })

  test('are passed on as they are', () => {
    const metrics = {}
    const random = (): number => 0.5
    const clock = { ...systemClock }
    expect(resolve({ metrics, logger: console, random, clock, name: 'orders' })).toMatchObject({ name: 'orders' })
    const options = resolve({ metrics, logger: console, random, clock })
    expect(options.metrics).toBe(metrics)
    expect(options.logger).toBe(console)
    expect(options.random).toBe(random)
    expect(options.clock).toBe(clock)
  })
})

describe('layers', () => {
  test('the later one wins, option by option, and undefined does not count', () => {
    const options = resolve({ maxConnections: 2, maxUses: 200 }, { maxConnections: 5, maxUses: undefined })
    expect(options).toMatchObject({ maxConnections: 5, maxUses: 200 })
  })

  test('what an earlier one has wrong is refused only if it is not overridden', () => {
    expect(problemsOf({ maxUses: 0 }, { maxUses: 5 })).toEqual([])
    expect(problemsOf({ maxUses: 0 }, {}).map(({ path }) => path)).toEqual(['maxUses'])
  })

  test.each(['text', 5, null, []])('%j is no layer', (layer) => {
    expect(problemsOf(layer as unknown as object).map(({ path }) => path)).toEqual(['options'])
  })
})

describe('contradictions', () => {
  test('minConnections above maxConnections', () => {
    expect(problemsOf({ minConnections: 6, maxConnections: 5 })).toEqual([
      { path: 'minConnections', given: '6', allowed: 'at most maxConnections (5)' },
    ])
  })

  test.each([
    ['max_uses', {}],
    ['max_lifetime', { maxLifetime: 0 }],
    ['error_rate', { maxErrorRate: NEVER }],
  ])('rebuildStrategy %s although that limit is off', (rebuildStrategy, options) => {
    expect(problemsOf({ rebuildStrategy, ...options }).map(({ path }) => path)).toEqual(['rebuildStrategy'])
  })

  test('a strategy whose limit is on is none', () => {
    expect(problemsOf({ rebuildStrategy: 'max_uses', maxUses: 100 })).toEqual([])
  })
})

describe('the refusal', () => {
  test('names every problem at once, each with what was given and what is allowed', () => {
    const problems = problemsOf({ maxConnections: 0, acquireTimeout: 'soon', idleOrder: 'random', failFast: 1, maxConections: 3 })
    expect(problems).toEqual([
      { path: 'maxConections', given: 'an unknown option', allowed: 'maxConnections?' },
      { path: 'maxConnections', given: '0', allowed: 'a whole number from 1' },
      expect.objectContaining({ path: 'acquireTimeout', given: "'soon'" }),
      { path: 'failFast', given: '1', allowed: 'true or false' },
      { path: 'idleOrder', given: "'random'", allowed: "'lifo' or 'fifo'" },
    ])
  })

  test('says where an option stands when it belongs to one pool of several', () => {
    expect(() => resolveOptions([{ maxConnections: 0 }], 'x', 'orders.')).toThrow('orders.maxConnections: got 0')
  })

  test.each([
    ['max_connections', 'maxConnections?'],
    ['MaxUses', 'maxUses?'],
    ['idleTimout', 'idleTimeout?'],
    ['healthcheckinterval', 'healthCheckInterval?'],
  ])('of %s asks whether %s was meant', (name, allowed) => {
    expect(problemsOf({ [name]: 1 })).toEqual([{ path: name, given: 'an unknown option', allowed }])
  })

  test.each([
    ['max', 'maxConnections?'],
    ['maximum', 'maxConnections?'],
    ['poolSize', 'maxConnections?'],
    ['connectionLimit', 'maxConnections?'],
    ['min', 'minConnections?'],
    ['queueLimit', 'maxWaiting?'],
    ['connectionTimeoutMillis', 'acquireTimeout?'],
    ['acquireTimeoutMillis', 'acquireTimeout?'],
    ['idleTimeoutMillis', 'idleTimeout?'],
  ])('of %s, as other pools have it, asks whether %s was meant', (name, allowed) => {
    expect(problemsOf({ [name]: 1 })).toEqual([{ path: name, given: 'an unknown option', allowed }])
  })

  test.each([
    ['maxWaitingClients', 'maxWaiting, maxConnecting, maxLifetimeJitter, maxLifetime, …'],
    ['timeout', 'idleTimeout, closeTimeout, resetTimeout, acquireTimeout, …'],
    ['toString', expect.stringMatching(/^(\w+, ){4}…$/)],
    ['', expect.stringMatching(/^(\w+, ){4}…$/)],
  ])('of %j, which may be one thing or the other, lists the nearest alone', (name, allowed) => {
    expect(problemsOf({ [name]: 1 })).toEqual([{ path: name, given: 'an unknown option', allowed }])
  })

  test('of an unknown part of backoff lists them all', () => {
    expect(problemsOf({ backoff: { min: 1 } })).toEqual([
      { path: 'backoff.min', given: 'an unknown option', allowed: 'base, max, maxWhileWaited' },
    ])
  })

  test('is a ConfigError for whatever is passed, and nothing else is thrown', () => {
    const value = fc.oneof(fc.anything(), fc.constantFrom('30s', '5m', 0, 1, NEVER, true, 'any', 'lifo'))
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...OPTION_NAMES, 'constructor', '__proto__', 'toString'), value), (layer) => {
        problemsOf(layer)
      }),
    )
  })
})
