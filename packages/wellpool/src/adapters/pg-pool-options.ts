import pg from 'pg'
import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import type { PoolOptions } from '../engine/options.ts'
import { describe } from '../shared/option-rules.ts'

/** What the pool can be told: all that pg-pool takes, which its clients are given as well, and what Wellpool adds. */
export interface PgPoolOptions extends pg.PoolConfig {
  /**
   * Options of the pool underneath, which win over what follows from the others: `metrics`, `healthCheckInterval`,
   * `failFast: false`, …
   */
  wellpool?: PoolOptions | undefined
}

/** The options as `pool.options` shows them: complete, as in pg-pool. */
export interface ResolvedPgPoolOptions extends PgPoolOptions {
  max: number
  min: number
  maxUses: number
  maxLifetimeSeconds: number
  allowExitOnIdle: boolean
  idleTimeoutMillis: number | null
}

/** Tries that fail are this far apart at most, ms: somebody who was refused comes back soon. */
const MAX_BACKOFF = 250
/** What Node's timers take, ms. */
const MAX_DELAY = 2 ** 31 - 1

/**
 * Completes options as pg-pool does. The password and the key of TLS are there, and are not shown.
 *
 * @throws ConfigError when they are no object
 */
export function completeOptions(options?: PgPoolOptions | null): ResolvedPgPoolOptions {
  const given = options ?? {}
  // Not shown: the usual mistake is the address itself.
  if (typeof given !== 'object') throw new ConfigError([{ path: 'options', given: describe(given), allowed: 'an object' }])
  const { poolSize } = given as { poolSize?: number }
  const complete: ResolvedPgPoolOptions = {
    ...given,
    max: given.max || poolSize || 10,
    min: given.min || 0,
    maxUses: given.maxUses || Number.POSITIVE_INFINITY,
    maxLifetimeSeconds: given.maxLifetimeSeconds || 0,
    allowExitOnIdle: given.allowExitOnIdle || false,
    idleTimeoutMillis: given.idleTimeoutMillis === undefined ? 10_000 : given.idleTimeoutMillis,
  }
  if ('password' in given) hide(complete, 'password', given.password)
  if (typeof complete.ssl === 'object' && complete.ssl.key) hide(complete.ssl, 'key', complete.ssl.key)
  return complete
}

/**
 * What the pool underneath is told.
 *
 * @throws ConfigError naming every number that is none; numbers as texts are taken, as pg-pool takes them
 */
export function toPoolOptions(options: ResolvedPgPoolOptions): PoolOptions {
  const problems: ConfigProblem[] = []
  const number = (path: keyof PgPoolOptions, fits: (value: number) => boolean, allowed: string): number => {
    const given = options[path] ?? 0
    const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
    if (typeof value === 'number' && fits(value)) return value
    problems.push({ path, given: typeof given === 'object' ? 'an object' : String(given), allowed })
    return 0
  }
  const duration = (path: keyof PgPoolOptions, unit = 1): number => {
    const longest = Math.floor(MAX_DELAY / unit)
    const value = number(
      path,
      (given) => given === Number.POSITIVE_INFINITY || (given >= 0 && given <= longest),
      `a number from 0, for never, to ${longest}`,
    )
    return value === Number.POSITIVE_INFINITY ? 0 : Math.ceil(value * unit)
  }
  const isCount = (from: number) => (value: number) => Number.isSafeInteger(value) && value >= from
  const maxConnections = number('max', isCount(1), 'a whole number from 1')
  const minConnections = number('min', isCount(0), 'a whole number from 0')
  const maxUses = number(
    'maxUses',
    (value) => value === Number.POSITIVE_INFINITY || isCount(1)(value),
    'a whole number from 1, or Infinity',
  )
  const patience = duration('connectionTimeoutMillis')
  const idleTimeout = duration('idleTimeoutMillis')
  const maxLifetime = duration('maxLifetimeSeconds', 1000)
  if (problems.length === 0 && minConnections > maxConnections) {
    problems.push({ path: 'min', given: String(minConnections), allowed: `at most max (${maxConnections})` })
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    maxConnections,
    minConnections,
    maxUses,
    maxLifetime,
    idleTimeout,
    acquireTimeout: patience,
    ...(patience > 0 && { connectTimeout: patience }),
    allowExitOnIdle: Boolean(options.allowExitOnIdle),
    maxWaiting: Number.POSITIVE_INFINITY,
    // Who can't be served hears why, as soon as that is known.
    failFast: true,
    backoff: { max: MAX_BACKOFF, maxWhileWaited: MAX_BACKOFF },
    ...(options.log !== undefined && { logger: loggerOf(options.log) }),
    ...options.wellpool,
  }
}

/** pg-pool's `log` takes what comes: here each decision of the pool, in words and with its numbers. */
function loggerOf(log: NonNullable<pg.PoolConfig['log']>): NonNullable<PoolOptions['logger']> {
  const write = (details: object, message?: string): void => log(message, details)
  return { debug: write, info: write, warn: write, error: write }
}

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { configurable: true, enumerable: false, writable: true, value })
}

/** The class of the clients: the one in the options wins over the one given beside them. */
export function clientClass(options: PgPoolOptions, beside: unknown): typeof pg.Client {
  return (options.Client ?? beside ?? pg.Client) as typeof pg.Client
}
