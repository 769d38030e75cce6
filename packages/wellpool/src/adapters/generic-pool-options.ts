import { ConfigError, type ConfigProblem } from '../engine/errors.ts'
import type { PoolOptions } from '../engine/options.ts'

/** How the pool is set up: generic-pool's options, and what Wellpool adds. Durations are numbers of milliseconds. */
export interface GenericPoolOptions {
  /** The most resources that there are. Below 1 it is 1. Default 1. */
  max?: number | undefined
  /** Resources that are kept; above `max` it is `max`. Default 0. */
  min?: number | undefined
  /** How many borrowers may wait. Default: any number. */
  maxWaitingClients?: number | undefined
  /** Whether a resource is validated each time before somebody gets it. Default false. */
  testOnBorrow?: boolean | undefined
  /** Whether a resource is validated each time when it comes back. Default false. */
  testOnReturn?: boolean | undefined
  /** How long a borrower waits. Default: for ever. */
  acquireTimeoutMillis?: number | undefined
  /** How long a `destroy` may take before it counts as failed. Default: one minute, and nothing is said of it. */
  destroyTimeoutMillis?: number | undefined
  /** Whether the resource that was released first serves next, or else the last. Default true. */
  fifo?: boolean | undefined
  /** How many priorities there are. Default 1. */
  priorityRange?: number | undefined
  /** Whether `min` resources are created at once, or else at `start()` or the first `acquire()`. Default true. */
  autostart?: boolean | undefined
  /** Above 0: idle resources are evicted, as the two options below say. Default 0. */
  evictionRunIntervalMillis?: number | undefined
  /** How many of the `min` that are kept are renewed in one run. Default 3. */
  numTestsPerEvictionRun?: number | undefined
  /** Above 0: resources above `min` that have been idle for longer are destroyed. Default -1. */
  softIdleTimeoutMillis?: number | undefined
  /** Resources that have been idle for longer are destroyed, and down to `min` replaced. Default 30000. */
  idleTimeoutMillis?: number | undefined
  /** The class of the promises that methods return. Default: the language's. */
  Promise?: PromiseConstructor | undefined
  /** Options of the pool underneath, which win over what follows from the others: `metrics`, `maxUses`, `rebuildMaxSurge`, … */
  wellpool?: PoolOptions | undefined
}

/** The options as the pool uses them. */
export interface ResolvedGenericPoolOptions {
  readonly max: number
  readonly min: number
  readonly maxWaitingClients: number
  readonly acquireTimeout: number | undefined
  readonly destroyTimeout: number | undefined
  readonly priorityRange: number
  readonly autostart: boolean
  readonly testOnReturn: boolean
  /** How often the resources that are kept are looked at, and after how long idle, and how many at a time; ms. */
  readonly renewal: { readonly interval: number; readonly idleFor: number; readonly atOnce: number } | undefined
  readonly Promise: PromiseConstructor
  /** What the pool underneath is told. */
  readonly pool: PoolOptions
}

/** A create may be the start of a browser. */
const PATIENCE = '1m'
/** How much longer than its own time the pool waits for a destroy, ms. */
const GRACE = 1000
const MAX_DELAY = 2 ** 31 - 1

/**
 * Reads options as generic-pool does: numbers may be written as texts, and what is out of range is brought into it.
 *
 * @param validates whether the factory can tell whether a resource works
 * @throws ConfigError naming every number that is none
 */
export function resolveGenericPoolOptions(given: GenericPoolOptions, validates: boolean): ResolvedGenericPoolOptions {
  const problems: ConfigProblem[] = []
  const number = <Default>(path: keyof GenericPoolOptions, byDefault: Default): number | Default => {
    const value = given[path]
    if (value === undefined || value === null) return byDefault
    const parsed = typeof value === 'string' ? Number.parseInt(value, 10) : value
    if (typeof parsed === 'number' && !Number.isNaN(parsed)) return Math.trunc(parsed)
    problems.push({ path, given: String(value), allowed: 'a number' })
    return byDefault
  }
  const max = Math.max(number('max', 1), 1)
  const min = Math.min(Math.max(number('min', 0), 0), max)
  /** What Node's timers don't take would be over at once; none is what is meant by it. */
  const time = (path: keyof GenericPoolOptions): number | undefined => {
    const ms = number(path, 0)
    return ms > 0 && ms <= MAX_DELAY ? ms : undefined
  }
  const interval = time('evictionRunIntervalMillis')
  const soft = number('softIdleTimeoutMillis', -1)
  const hard = number('idleTimeoutMillis', 0) || 30_000
  const atOnce = number('numTestsPerEvictionRun', 0) || 3
  const acquireTimeout = time('acquireTimeoutMillis')
  const destroyTimeout = time('destroyTimeoutMillis')
  const maxWaitingClients = number('maxWaitingClients', Number.POSITIVE_INFINITY)
  const priorityRange = number('priorityRange', 1)
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    max,
    min,
    maxWaitingClients,
    acquireTimeout,
    destroyTimeout,
    priorityRange,
    autostart: given.autostart ?? true,
    testOnReturn: given.testOnReturn ?? false,
    renewal: interval !== undefined && min > 0 ? { interval, idleFor: hard, atOnce } : undefined,
    Promise: given.Promise ?? Promise,
    pool: {
      maxConnections: max,
      minConnections: min,
      maxConnecting: max,
      idleOrder: (given.fifo ?? true) ? 'fifo' : 'lifo',
      idleTimeout: interval === undefined ? 0 : soft > 0 ? Math.min(soft, hard) : hard,
      // The queue in front has the time-outs.
      acquireTimeout: 0,
      maxWaiting: Number.POSITIVE_INFINITY,
      connectTimeout: PATIENCE,
      // The time of a destroy is kept where its end is told.
      closeTimeout: destroyTimeout === undefined ? PATIENCE : Math.min(destroyTimeout + GRACE, MAX_DELAY),
      verifyIdleAfter: given.testOnBorrow === true ? 0 : Number.POSITIVE_INFINITY,
      ...(!validates && { healthCheckInterval: 0 }),
      // A resource lives until it is destroyed, or found to be of no more use; there are never more than `max`, and
      // what can't be validated serves nobody, however many they are.
      maxLifetime: 0,
      outlierFactor: Number.POSITIVE_INFINITY,
      rebuildMaxSurge: 0,
      panicThreshold: 1,
      ...given.wellpool,
    },
  }
}
