import { type Clock, NEVER, systemClock } from './clock.ts'
import { type Duration, parseDuration } from './duration.ts'
import { ConfigError, type ConfigProblem } from './errors.ts'
import type { Logger } from './logger.ts'
import type { MetricsCollector } from './metrics.ts'

/** How the limits (`maxUses`, `maxLifetime`, `maxErrorRate`) combine to a planned rebuild. */
export type RebuildStrategy = 'any' | 'all' | 'max_uses' | 'max_lifetime' | 'error_rate'

/** The waits between connects to an endpoint that cannot be reached: full jitter over an exponential. */
export interface BackoffOptions {
  /** The longest first wait. At least 1 ms. Default 50 ms. */
  base?: Duration | undefined
  /** The longest wait of all. At least `base`. Default 30 s. */
  max?: Duration | undefined
  /** The longest wait while a borrower waits, unless the connect error is `fatal`. At least 1 ms. Default 250 ms. */
  maxWhileWaited?: Duration | undefined
}

/**
 * What a pool can be told. Durations are numbers of milliseconds or texts (`'30s'`). 0 turns an interval or a
 * time-out off; `Infinity` turns a limit or a threshold off. What is not given comes from the driver's
 * `defaults`, then from {@link DEFAULT_OPTIONS}. What is wrong is refused with a {@link ConfigError}.
 */
export interface PoolOptions {
  /** The pool's name in events, metrics and errors. Default: made up from the protocol. */
  name?: string | undefined
  /** Receives every measurement. Default: none. */
  metrics?: MetricsCollector | undefined
  /** Where the time comes from. Default: the real clock. For tests. */
  clock?: Clock | undefined
  /** A number from 0 up to, not including, 1: the source of jitter. Default: `Math.random`. For tests. */
  random?: (() => number) | undefined
  /** Where decisions are written. Default: nowhere. */
  logger?: Logger | undefined

  /** Connections that are kept open without anybody asking. 0 to `maxConnections`. Default: the smaller of 2 and `maxConnections`. */
  minConnections?: number | undefined
  /** The most clients that are open, but for `rebuildMaxSurge`. At least 1. Default 10. */
  maxConnections?: number | undefined

  /** How long a borrower waits. 0: for ever. Default 30 s. */
  acquireTimeout?: Duration | undefined
  /** How many borrowers may wait; one more gets a `QueueFullError`. 0 or more. Default 10000. */
  maxWaiting?: number | undefined
  /** Whether borrowers get a `CircuitOpenError` at once while the endpoint is down. Default false. */
  failFast?: boolean | undefined
  /** How often `use` runs an `idempotent` function at most. At least 1. Default 3. */
  attempts?: number | undefined
  /** Whether the process may end although idle connections are open. Default false. */
  allowExitOnIdle?: boolean | undefined

  /** Which idle connection serves next: the one released last (`lifo`) or first (`fifo`). Default `lifo`. */
  idleOrder?: 'lifo' | 'fifo' | undefined
  /** Connections above `minConnections` are closed after being idle for this long. 0: never. Default 10 min. */
  idleTimeout?: Duration | undefined

  /** The longest that one connect may take. More than 0. Default 10 s. */
  connectTimeout?: Duration | undefined
  /** The longest that a goodbye may take before the client is destroyed. More than 0. Default 5 s. */
  closeTimeout?: Duration | undefined
  /** The longest that a reset at release may take. 0: for ever. Default 5 s. */
  resetTimeout?: Duration | undefined
  /** How many connects run at the same time. At least 1. Default 2. */
  maxConnecting?: number | undefined
  /** The waits after a failed connect. */
  backoff?: BackoffOptions | undefined

  /** How often an idle connection is checked. 0: never. Default 30 s. */
  healthCheckInterval?: Duration | undefined
  /** How long a check may take. 0: for ever. Default 5 s. */
  healthCheckTimeout?: Duration | undefined
  /** How soon a connection is checked again after a failed or slow check. At least 1 ms. Default 1 s. */
  healthRecheckInterval?: Duration | undefined
  /** Whether an unhealthy connection is rebuilt; otherwise it is closed and the pool refills. Default true. */
  healthCheckTriggerRebuild?: boolean | undefined
  /** Failed checks in a row that make a connection unhealthy. At least 1. Default 3. */
  unhealthyThreshold?: number | undefined
  /** A check slower than this makes a connection degraded. Default 1 s. */
  degradedThreshold?: Duration | undefined
  /** Whether a connection that is degraded by slowness is rebuilt. Default false. */
  rebuildOnDegraded?: boolean | undefined
  /** A check slower than this many times the pool's usual, twice in a row, makes an outlier. More than 1. Default 5. */
  outlierFactor?: number | undefined
  /** A connection that has not proven itself for this long is checked before it serves. 0: always; `Infinity`: never. Default 1 s. */
  verifyIdleAfter?: Duration | undefined
  /** How long such a check may be silent before another connection is tried beside it; at least 3 × the usual check. Default 50 ms. */
  hedgeDelay?: Duration | undefined

  /** Whether limits and outliers lead to rebuilds. Default true. */
  smartRebuildEnabled?: boolean | undefined
  /** How the limits combine. Default `any`. */
  rebuildStrategy?: RebuildStrategy | undefined
  /** Leases after which a client is replaced. At least 1. Default `Infinity`. */
  maxUses?: number | undefined
  /** How long a client lives. 0 or `Infinity`: for ever. Default 30 min. */
  maxLifetime?: Duration | undefined
  /** The share of `maxLifetime` that is left to chance. 0 to 1. Default 0.25: clients live 75 to 100 % of it. */
  maxLifetimeJitter?: number | undefined
  /** The share of failed requests, among the last 100, above which a client is replaced. 0 to 1, or `Infinity`. Default 0.2. */
  maxErrorRate?: number | undefined
  /** Requests before `maxErrorRate` counts. At least 1. Default 10. */
  minRequestsForErrorRate?: number | undefined
  /** The least time between two rebuilds of a connection for slowness or errors. Default 5 min. */
  rebuildMinInterval?: Duration | undefined
  /** How often all connections are evaluated. 0: never. Default 5 min. */
  rebuildCheckInterval?: Duration | undefined
  /** Planned rebuilds in one batch. At least 1. Default 5. */
  rebuildBatchSize?: number | undefined
  /** The wait between two batches. Default 100 ms. */
  rebuildBatchDelay?: Duration | undefined
  /** Planned rebuilds at the same time. At least 1. Default 3. */
  rebuildConcurrency?: number | undefined
  /** The longest that connecting and checking a successor may take. 0: for ever. Default 30 s. */
  rebuildTimeout?: Duration | undefined
  /** Clients above `maxConnections` while a successor or a hedge is being built. 0: close first, connect then. Default 1. */
  rebuildMaxSurge?: number | undefined
  /** With `rebuildMaxSurge: 0`, the share of connections that may be out of service at once, one at least. 0 to 1. Default 0.2. */
  maxUnavailable?: number | undefined
  /** When a larger share than this fails its checks, the check or the endpoint is suspected. 0 to 1; 1: never. Default 0.5. */
  panicThreshold?: number | undefined

  /** How long a lease may be held before `leakSuspected` is emitted. 0: never. Default 0. */
  leakDetectionThreshold?: Duration | undefined
}

/** Options as the engine uses them: complete, durations in ms, a 0 that means "never" made `Infinity`. */
export interface ResolvedOptions {
  name: string
  metrics: MetricsCollector | undefined
  clock: Clock
  random: () => number
  logger: Logger | undefined
  minConnections: number
  maxConnections: number
  acquireTimeout: number
  maxWaiting: number
  failFast: boolean
  attempts: number
  allowExitOnIdle: boolean
  idleOrder: 'lifo' | 'fifo'
  idleTimeout: number
  connectTimeout: number
  closeTimeout: number
  resetTimeout: number
  maxConnecting: number
  backoff: { base: number; max: number; maxWhileWaited: number }
  healthCheckInterval: number
  healthCheckTimeout: number
  healthRecheckInterval: number
  healthCheckTriggerRebuild: boolean
  unhealthyThreshold: number
  degradedThreshold: number
  rebuildOnDegraded: boolean
  outlierFactor: number
  verifyIdleAfter: number
  hedgeDelay: number
  smartRebuildEnabled: boolean
  rebuildStrategy: RebuildStrategy
  maxUses: number
  maxLifetime: number
  maxLifetimeJitter: number
  maxErrorRate: number
  minRequestsForErrorRate: number
  rebuildMinInterval: number
  rebuildCheckInterval: number
  rebuildBatchSize: number
  rebuildBatchDelay: number
  rebuildConcurrency: number
  rebuildTimeout: number
  rebuildMaxSurge: number
  maxUnavailable: number
  panicThreshold: number
  leakDetectionThreshold: number
}

/** The longest duration that a timer can be set to: 2,147,483,647 ms, a little under 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

interface NumberRule {
  readonly min: number
  readonly max: number
  readonly infinity: boolean
  readonly integer: boolean
  /** Whether 0 means "never", beside what `min` allows. */
  readonly zeroIsOff: boolean
  readonly duration: boolean
  /** Whether `min` itself is refused. */
  readonly exclusive: boolean
}

type Rule = NumberRule | 'boolean' | readonly string[]

const number = (rule: Partial<NumberRule>): NumberRule => ({
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
  infinity: false,
  integer: false,
  zeroIsOff: false,
  duration: false,
  exclusive: false,
  ...rule,
})
const count = (min: number, infinity = false): NumberRule => number({ min, infinity, integer: true })
const duration = (rule: Partial<NumberRule> = {}): NumberRule => number({ min: 1, max: MAX_TIMER_MS, duration: true, ...rule })
/** An interval or a time-out: 0 turns it off. */
const interval = duration({ zeroIsOff: true, infinity: true })
const share = number({ min: 0, max: 1 })

/** One rule for each option of {@link PoolOptions} that has a plain value. */
const RULES = {
  minConnections: count(0),
  maxConnections: count(1),
  acquireTimeout: interval,
  maxWaiting: count(0, true),
  failFast: 'boolean',
  attempts: count(1),
  allowExitOnIdle: 'boolean',
  idleOrder: ['lifo', 'fifo'],
  idleTimeout: interval,
  connectTimeout: duration(),
  closeTimeout: duration(),
  resetTimeout: interval,
  maxConnecting: count(1),
  healthCheckInterval: interval,
  healthCheckTimeout: interval,
  healthRecheckInterval: duration(),
  healthCheckTriggerRebuild: 'boolean',
  unhealthyThreshold: count(1, true),
  degradedThreshold: duration({ infinity: true }),
  rebuildOnDegraded: 'boolean',
  outlierFactor: number({ min: 1, exclusive: true, infinity: true }),
  verifyIdleAfter: duration({ min: 0, infinity: true }),
  hedgeDelay: duration({ min: 0, infinity: true }),
  smartRebuildEnabled: 'boolean',
  rebuildStrategy: ['any', 'all', 'max_uses', 'max_lifetime', 'error_rate'],
  maxUses: count(1, true),
  maxLifetime: interval,
  maxLifetimeJitter: share,
  maxErrorRate: number({ min: 0, max: 1, infinity: true }),
  minRequestsForErrorRate: count(1),
  rebuildMinInterval: duration({ min: 0, infinity: true }),
  rebuildCheckInterval: interval,
  rebuildBatchSize: count(1, true),
  rebuildBatchDelay: duration({ min: 0 }),
  rebuildConcurrency: count(1, true),
  rebuildTimeout: interval,
  rebuildMaxSurge: count(0),
  maxUnavailable: share,
  panicThreshold: share,
  leakDetectionThreshold: interval,
} as const satisfies Partial<Record<keyof PoolOptions, Rule>>

const BACKOFF_RULES = { base: duration(), max: duration(), maxWhileWaited: duration() } as const

/** The built-in defaults, as one would write them. `minConnections` is the smaller of 2 and `maxConnections`. */
export const DEFAULT_OPTIONS = {
  maxConnections: 10,
  acquireTimeout: '30s',
  maxWaiting: 10_000,
  failFast: false,
  attempts: 3,
  allowExitOnIdle: false,
  idleOrder: 'lifo',
  idleTimeout: '10m',
  connectTimeout: '10s',
  closeTimeout: '5s',
  resetTimeout: '5s',
  maxConnecting: 2,
  backoff: { base: 50, max: '30s', maxWhileWaited: 250 },
  healthCheckInterval: '30s',
  healthCheckTimeout: '5s',
  healthRecheckInterval: '1s',
  healthCheckTriggerRebuild: true,
  unhealthyThreshold: 3,
  degradedThreshold: '1s',
  rebuildOnDegraded: false,
  outlierFactor: 5,
  verifyIdleAfter: '1s',
  hedgeDelay: 50,
  smartRebuildEnabled: true,
  rebuildStrategy: 'any',
  maxUses: NEVER,
  maxLifetime: '30m',
  maxLifetimeJitter: 0.25,
  maxErrorRate: 0.2,
  minRequestsForErrorRate: 10,
  rebuildMinInterval: '5m',
  rebuildCheckInterval: '5m',
  rebuildBatchSize: 5,
  rebuildBatchDelay: 100,
  rebuildConcurrency: 3,
  rebuildTimeout: '30s',
  rebuildMaxSurge: 1,
  maxUnavailable: 0.2,
  panicThreshold: 0.5,
  leakDetectionThreshold: 0,
} as const satisfies PoolOptions

/** The names of all options. */
export const OPTION_NAMES: readonly string[] = ['name', 'metrics', 'clock', 'random', 'logger', 'backoff', ...Object.keys(RULES)]

/**
 * Completes and checks options.
 *
 * @param layers from the weakest (the driver's defaults) to the strongest (the user's own)
 * @param fallbackName the name if none is given
 * @param path what stands before an option's name in a problem (`'orders.'`)
 * @throws ConfigError naming every problem at once
 */
export function resolveOptions(layers: readonly PoolOptions[], fallbackName: string, path = ''): ResolvedOptions {
  const problems: ConfigProblem[] = []
  const given: Record<string, unknown> = {}
  const backoff: Record<string, unknown> = { ...DEFAULT_OPTIONS.backoff }
  for (const layer of layers) {
    if (layer === undefined) continue
    if (!isPlainObject(layer)) {
      problems.push({ path: path === '' ? 'options' : path.slice(0, -1), given: show(layer), allowed: 'an object' })
      continue
    }
    for (const [key, value] of Object.entries(layer)) {
      if (value === undefined) continue
      if (!OPTION_NAMES.includes(key)) problems.push({ path: path + key, given: 'an unknown option', allowed: nearest(key) })
      else if (key === 'backoff') mergeBackoff(value, backoff, path, problems)
      else given[key] = value
    }
  }

  // Copied from a literal: an object that grows key by key becomes a hash table, which every acquire would search.
  const resolved: Record<string, unknown> = { ...DEFAULT_OPTIONS }
  for (const [key, rule] of Object.entries<Rule>(RULES)) {
    const value = key in given ? given[key] : (DEFAULT_OPTIONS as Record<string, unknown>)[key]
    if (value !== undefined) resolved[key] = checkValue(path + key, value, rule, problems)
  }
  resolved.backoff = Object.fromEntries(
    Object.entries(BACKOFF_RULES).map(([key, rule]) => [key, checkValue(`${path}backoff.${key}`, backoff[key], rule, problems)]),
  )
  resolved.minConnections ??= Math.min(2, resolved.maxConnections as number)
  resolved.name = 'name' in given ? given.name : fallbackName
  resolved.metrics = given.metrics
  resolved.logger = given.logger
  resolved.clock = 'clock' in given ? given.clock : systemClock
  resolved.random = 'random' in given ? given.random : Math.random

  const options = resolved as unknown as ResolvedOptions
  checkCollaborators(options, path, problems)
  checkTogether(options, path, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return options
}

function mergeBackoff(value: unknown, into: Record<string, unknown>, path: string, problems: ConfigProblem[]): void {
  if (!isPlainObject(value)) {
    problems.push({ path: `${path}backoff`, given: show(value), allowed: 'an object { base, max, maxWhileWaited }' })
    return
  }
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue
    if (Object.hasOwn(BACKOFF_RULES, key)) into[key] = part
    else problems.push({ path: `${path}backoff.${key}`, given: 'an unknown option', allowed: 'base, max, maxWhileWaited' })
  }
}

function checkValue(path: string, value: unknown, rule: Rule, problems: ConfigProblem[]): unknown {
  const fail = (): unknown => {
    problems.push({ path, given: show(value), allowed: describe(rule) })
    return undefined
  }
  if (rule === 'boolean') return typeof value === 'boolean' ? value : fail()
  if (!('min' in rule)) return typeof value === 'string' && rule.includes(value) ? value : fail()

  const parsed = typeof value === 'string' && rule.duration ? parseDuration(value) : value
  if (typeof parsed !== 'number' || Number.isNaN(parsed)) return fail()
  if (parsed === 0 && rule.zeroIsOff) return NEVER
  if (parsed === NEVER) return rule.infinity ? parsed : fail()
  if (parsed < rule.min || parsed > rule.max || (rule.duration && parsed > 0 && parsed < 1) || (rule.exclusive && parsed === rule.min))
    return fail()
  return rule.integer && !Number.isInteger(parsed) ? fail() : parsed
}

function checkCollaborators(options: ResolvedOptions, path: string, problems: ConfigProblem[]): void {
  const need = (key: keyof ResolvedOptions, value: unknown, methods: readonly string[]): void => {
    const complete =
      value !== null &&
      typeof value === 'object' &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')
    if (!complete) problems.push({ path: path + key, given: show(value), allowed: `an object with the functions ${methods.join(', ')}` })
  }
  if (typeof options.name !== 'string' || options.name === '')
    problems.push({ path: `${path}name`, given: show(options.name), allowed: 'a text that is not empty' })
  if (typeof options.random !== 'function') problems.push({ path: `${path}random`, given: show(options.random), allowed: 'a function' })
  need('clock', options.clock, ['now', 'wallNow', 'setTimeout', 'clearTimeout', 'afterPoll'])
  if (options.logger !== undefined) need('logger', options.logger, ['debug', 'info', 'warn', 'error'])
  if (options.metrics !== undefined) need('metrics', options.metrics, [])
}

function checkTogether(options: ResolvedOptions, path: string, problems: ConfigProblem[]): void {
  if (options.minConnections > options.maxConnections) {
    problems.push({
      path: `${path}minConnections`,
      given: `${options.minConnections}`,
      allowed: `at most maxConnections (${options.maxConnections})`,
    })
  }
  if (options.backoff.max < options.backoff.base) {
    problems.push({
      path: `${path}backoff.max`,
      given: `${options.backoff.max}`,
      allowed: `at least backoff.base (${options.backoff.base})`,
    })
  }
  const limits = { max_uses: options.maxUses, max_lifetime: options.maxLifetime, error_rate: options.maxErrorRate }
  const { rebuildStrategy: strategy } = options
  if (strategy !== 'any' && strategy !== 'all' && limits[strategy] === NEVER) {
    problems.push({ path: `${path}rebuildStrategy`, given: show(strategy), allowed: 'a limit that is enabled: this one is turned off' })
  }
}

function describe(rule: Rule): string {
  if (rule === 'boolean') return 'true or false'
  if (!('min' in rule)) return rule.map((value) => `'${value}'`).join(' or ')
  const unit = rule.duration ? ' ms' : ''
  const upper = rule.duration ? '24 days' : rule.max === 1 ? '1' : undefined
  const parts = [
    `${rule.integer ? 'a whole number' : rule.duration ? "a duration (ms, or text such as '30s')" : 'a number'} ${rule.exclusive ? 'above' : 'from'} ${rule.min}${unit}`,
  ]
  if (upper !== undefined) parts.push(`up to ${upper}`)
  if (rule.zeroIsOff) parts.push('or 0 for never')
  else if (rule.infinity) parts.push('or Infinity')
  return parts.join(' ')
}

/** The name closest to a misspelt one, or all of them. */
function nearest(key: string): string {
  const plain = (text: string): string => text.replaceAll(/[^a-z]/gi, '').toLowerCase()
  const ranked = OPTION_NAMES.map((name) => ({ name, distance: editDistance(plain(key), plain(name)) })).sort(
    (a, b) => a.distance - b.distance,
  )
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(2, key.length / 3) ? `${best.name}?` : OPTION_NAMES.join(', ')
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length] as number
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}

/**
 * A method's `timeout` in ms; undefined when none was given.
 *
 * @throws ConfigError when it is no duration from 0 up
 */
export function resolveTimeout(timeout: Duration | undefined): number | undefined {
  if (timeout === undefined) return undefined
  const ms = typeof timeout === 'string' ? parseDuration(timeout) : timeout
  if (typeof ms === 'number' && ms >= 0 && (ms <= MAX_TIMER_MS || ms === NEVER)) return ms
  throw new ConfigError([
    { path: 'timeout', given: show(timeout), allowed: "a duration (ms, or text such as '30s') from 0 up to 24 days, or Infinity" },
  ])
}
