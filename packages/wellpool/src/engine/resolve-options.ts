import { MAX_DELAY, NEVER } from './clock.ts'
import { parseDuration } from './duration.ts'
import { ConfigError, type ConfigProblem } from './errors.ts'
import { EVENT_NAMES } from './events.ts'
import { nearest } from './nearest.ts'
import { DEFAULT_COLLABORATORS, DEFAULT_OPTIONS, type PoolOptions, type ResolvedOptions } from './options.ts'
import type { AcquireOptions } from './pool-types.ts'

export const problem = (path: string, given: string, allowed: string): ConfigProblem => ({ path, given, allowed })

/** @throws ConfigError naming one problem */
export function refuse(path: string, given: string, allowed: string): never {
  throw new ConfigError([problem(path, given, allowed)])
}

/** What an option may be. */
interface Rule {
  /** In words. */
  readonly allowed: string
  /** @returns the value as the engine uses it; undefined if it is not allowed */
  read(given: unknown): unknown
}

type Rules = Readonly<Record<string, Rule>>
type Values = Record<string, unknown>

const rule = (allowed: string, fits: (given: never) => boolean): Rule => ({
  allowed,
  read: (given) => (fits(given as never) ? given : undefined),
})
const OR_INFINITY = ' or Infinity'
const OR_OFF = ' or 0 for never'
const DURATION = "a duration (ms, or text such as '30s') from"
const number = (allowed: string, fits: (given: number) => boolean, also = ''): Rule => ({
  allowed: allowed + also,
  read: (given) => {
    if (typeof given !== 'number') return undefined
    if (also !== '' && (given === NEVER || (given === 0 && also === OR_OFF))) return NEVER
    return fits(given) ? given : undefined
  },
})
const count = (min: number, also?: string): Rule =>
  number(`a whole number from ${min}`, (given) => Number.isSafeInteger(given) && given >= min, also)
export const COUNT_OR_INFINITY = count(1, OR_INFINITY)
const share = (also?: string): Rule => number('a number from 0 up to 1', (given) => given >= 0 && given <= 1, also)
const timed = ({ allowed, read }: Rule): Rule => ({
  allowed,
  read: (given) => read(typeof given === 'string' ? parseDuration(given) : given),
})
const duration = (min: number, also?: string): Rule =>
  timed(number(`${DURATION} ${min} ms up to 24 days`, (given) => given === min || (given >= 1 && given <= MAX_DELAY), also))
/** An interval or a time-out: 0 turns it off. */
const interval = duration(1, OR_OFF)
const choice = (...values: string[]): Rule => rule(values.map((value) => `'${value}'`).join(' or '), (given) => values.includes(given))
const flag = rule('true or false', (given) => typeof given === 'boolean')
const methods = (...names: string[]): Rule =>
  rule(
    `an object with the functions ${names.join(', ')}`,
    (given) => isObject(given) && names.every((name) => typeof given[name] === 'function'),
  )

const BACKOFF_RULES: Rules = { base: duration(1), max: duration(1), maxWhileWaited: duration(1) }
const BACKOFF = rule('an object { base, max, maxWhileWaited }', isObject)

/** One rule for each option of {@link PoolOptions}. */
const RULES: Rules = {
  name: rule('a text that is not empty', (given) => typeof given === 'string' && given !== ''),
  metrics: rule('an object', isObject),
  clock: methods('now', 'wallNow', 'setTimeout', 'clearTimeout', 'afterPoll'),
  random: rule('a function', (given) => typeof given === 'function'),
  logger: methods('debug', 'info', 'warn', 'error'),
  minConnections: count(0),
  maxConnections: count(1),
  acquireTimeout: interval,
  maxWaiting: count(0, OR_INFINITY),
  failFast: flag,
  attempts: count(1),
  allowExitOnIdle: flag,
  idleOrder: choice('lifo', 'fifo'),
  idleTimeout: interval,
  connectTimeout: duration(1),
  closeTimeout: duration(1),
  resetTimeout: interval,
  maxConnecting: count(1),
  healthCheckInterval: interval,
  healthCheckTimeout: interval,
  healthRecheckInterval: duration(1),
  healthCheckTriggerRebuild: flag,
  unhealthyThreshold: COUNT_OR_INFINITY,
  degradedThreshold: duration(1, OR_INFINITY),
  rebuildOnDegraded: flag,
  outlierFactor: number('a number above 1', (given) => given > 1, OR_INFINITY),
  verifyIdleAfter: duration(0, OR_INFINITY),
  hedgeDelay: duration(0, OR_INFINITY),
  smartRebuildEnabled: flag,
  rebuildStrategy: choice('any', 'all', 'max_uses', 'max_lifetime', 'error_rate'),
  maxUses: COUNT_OR_INFINITY,
  maxLifetime: interval,
  maxLifetimeJitter: share(),
  maxErrorRate: share(OR_INFINITY),
  minRequestsForErrorRate: count(1),
  rebuildMinInterval: duration(0, OR_INFINITY),
  rebuildCheckInterval: interval,
  rebuildBatchSize: COUNT_OR_INFINITY,
  rebuildBatchDelay: duration(0),
  rebuildConcurrency: COUNT_OR_INFINITY,
  rebuildTimeout: interval,
  rebuildMaxSurge: count(0),
  maxUnavailable: share(),
  panicThreshold: share(),
  leakDetectionThreshold: interval,
  backoff: BACKOFF,
}

const TIMEOUT = timed(number(`${DURATION} 0 up to 24 days`, (given) => given >= 0 && given <= MAX_DELAY, OR_INFINITY))

/** The names of all options. */
export const OPTION_NAMES: readonly string[] = Object.keys(RULES)

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
  // Copied from a literal: an object that grows key by key becomes a hash table, which every acquire would search.
  const options = {
    ...DEFAULT_OPTIONS,
    ...DEFAULT_COLLABORATORS,
    name: fallbackName,
    minConnections: undefined as number | undefined,
    backoff: { ...DEFAULT_OPTIONS.backoff },
  }
  for (const layer of layers) put(layer, options, RULES, 'an object', path, problems)
  readAll(options, RULES, path, problems)
  readAll(options.backoff, BACKOFF_RULES, `${path}backoff.`, problems)
  options.minConnections ??= Math.min(2, options.maxConnections)
  const resolved = options as unknown as ResolvedOptions
  checkTogether(resolved, path, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return resolved
}

/** Puts what a layer has over what is there already. */
function put(layer: unknown, into: Values, rules: Rules, shape: string, path: string, problems: ConfigProblem[]): void {
  if (!isObject(layer)) {
    problems.push(problem(path.slice(0, -1) || 'options', describe(layer), shape))
    return
  }
  for (const [key, given] of Object.entries(layer)) {
    if (given === undefined) continue
    if (!Object.hasOwn(rules, key)) problems.push(problem(path + key, 'an unknown option', nearest(key, Object.keys(rules))))
    else if (key === 'backoff') put(given, into.backoff as Values, BACKOFF_RULES, BACKOFF.allowed, `${path}backoff.`, problems)
    else into[key] = given
  }
}

/** Has each value as its rule reads it. */
function readAll(values: Values, rules: Rules, path: string, problems: ConfigProblem[]): void {
  for (const [key, { allowed, read }] of Object.entries(rules)) {
    const given = values[key]
    if (given === undefined) continue
    values[key] = read(given)
    if (values[key] === undefined) problems.push(problem(path + key, show(given), allowed))
  }
}

function checkTogether(options: ResolvedOptions, path: string, problems: ConfigProblem[]): void {
  const { minConnections, maxConnections, backoff, rebuildStrategy: strategy } = options
  const wrong = (key: string, given: unknown, allowed: string): void => {
    problems.push(problem(path + key, show(given), allowed))
  }
  if (minConnections > maxConnections) wrong('minConnections', minConnections, `at most maxConnections (${maxConnections})`)
  if (backoff.max < backoff.base) wrong('backoff.max', backoff.max, `at least backoff.base (${backoff.base})`)
  const limits = { any: 0, all: 0, max_uses: options.maxUses, max_lifetime: options.maxLifetime, error_rate: options.maxErrorRate }
  if (limits[strategy] === NEVER) wrong('rebuildStrategy', strategy, 'a limit that is enabled: this one is turned off')
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}

/** As `show`, for what may be an address with a password in it. */
export function describe(value: unknown): string {
  return typeof value === 'string' ? 'a text' : show(value)
}

/** One rule for each option that a method takes. */
const METHOD_RULES: Rules = {
  signal: rule('an AbortSignal', (given) => typeof (given as AbortSignal | null)?.throwIfAborted === 'function'),
  timeout: TIMEOUT,
  idempotent: flag,
  urgent: flag,
  all: flag,
  failWaiting: flag,
  interruptInUse: flag,
}

/**
 * Checks the options of a method. Costs next to nothing: this is on the way of every call that has some.
 *
 * @returns its `timeout` in ms; undefined when none was given
 * @throws ConfigError for what is wrong among them; the signal's reason when it is aborted
 */
export function readCall(options: object | undefined): number | undefined {
  if (options === undefined) return undefined
  if (!isObject(options)) refuse('options', describe(options), 'an object')
  for (const key in options) {
    const given = options[key]
    const known = Object.hasOwn(METHOD_RULES, key) ? METHOD_RULES[key] : undefined
    if (known === undefined) refuse(key, 'an unknown option', nearest(key, Object.keys(METHOD_RULES)))
    if (given !== undefined && known.read(given) === undefined) refuse(key, show(given), known.allowed)
  }
  const { signal, timeout } = options as AcquireOptions
  signal?.throwIfAborted()
  return timeout === undefined ? undefined : (TIMEOUT.read(timeout) as number)
}

/** @throws ConfigError when there is no event of this name, or who is to hear it can't */
export function checkListener(name: string, listener: unknown): void {
  if (!EVENT_NAMES.includes(name)) refuse('event', show(name), nearest(String(name), EVENT_NAMES))
  if (typeof listener !== 'function') refuse('listener', describe(listener), 'a function')
}
