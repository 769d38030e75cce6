import { ConfigError } from '../engine/errors.ts'
import type { PoolOptions } from '../engine/options.ts'
import { callback, findProblems, isObject, type OptionRule, wholeNumber } from '../shared/option-rules.ts'

/** Is called with an error, or with a resource. */
export type CreateCallback<T> = (error: Error | null, resource?: T) => unknown

/** How the pool is set up: tarn's options, and what Wellpool adds. Durations are whole numbers of milliseconds from 1. */
export interface TarnPoolOptions<T> {
  /** Makes a resource: returns it, fulfils with it, or calls back with it. */
  create: (callback: CreateCallback<T>) => unknown
  /** Ends a resource. */
  destroy: (resource: T) => unknown
  /** Looks whether a resource still works, each time before somebody gets it. Whatever is not true says that it does not. Default: it does. */
  validate?: ((resource: T) => unknown) | undefined
  /** Is told of faults that nobody else hears of. Default: nobody is. */
  log?: ((message: string, level: string) => unknown) | undefined
  /** Resources that are kept. 0 to `max`. */
  min: number
  /** The most resources that there are. At least 1. */
  max: number
  /** How long a borrower waits. Default 30000. */
  acquireTimeoutMillis?: number | undefined
  /** How long a create may take. Default 30000. */
  createTimeoutMillis?: number | undefined
  /** How long a destroy may take. Default 5000. */
  destroyTimeoutMillis?: number | undefined
  /** Resources above `min` are destroyed after being free for this long. Default 30000. */
  idleTimeoutMillis?: number | undefined
  /** The longest wait after a create that failed, while somebody waits. Default 200. */
  createRetryIntervalMillis?: number | undefined
  /** Has no effect: what is free for too long is destroyed in time. */
  reapIntervalMillis?: number | undefined
  /** Whether a create that fails is told to who has waited longest. Default false. */
  propagateCreateError?: boolean | undefined
  /** Options of the pool underneath, which win over what follows from the others: `metrics`, `verifyIdleAfter`, `maxUses`, … */
  wellpool?: PoolOptions | undefined
}

/** The options as the pool uses them; what is left out there is there. */
export interface ResolvedTarnPoolOptions<T> extends TarnPoolOptions<T> {
  log: (message: string, level: string) => unknown
  createTimeoutMillis: number
  destroyTimeoutMillis: number
  propagateCreateError: boolean
  /** What the pool underneath is told. */
  readonly pool: PoolOptions
}

const MAX_DELAY = 2 ** 31 - 1
/** How much longer than its own time the pool waits for a destroy, ms. */
const GRACE = 1000
const duration: OptionRule = wholeNumber(1, MAX_DELAY)

/**
 * Completes options as tarn does.
 *
 * @throws ConfigError naming everything that is wrong, unknown or missing
 */
export function resolveTarnPoolOptions<T>(given: TarnPoolOptions<T>): ResolvedTarnPoolOptions<T> {
  const problems = findProblems<TarnPoolOptions<T>>(given, {
    create: callback,
    destroy: callback,
    validate: callback,
    log: callback,
    min: wholeNumber(0),
    max: wholeNumber(1),
    acquireTimeoutMillis: duration,
    createTimeoutMillis: duration,
    destroyTimeoutMillis: duration,
    idleTimeoutMillis: duration,
    createRetryIntervalMillis: duration,
    reapIntervalMillis: duration,
    propagateCreateError: { fits: () => true, allowed: 'true or false' },
    wellpool: { fits: isObject, allowed: 'an object with options of the pool underneath' },
  })
  for (const path of ['create', 'destroy', 'min', 'max'] as const) {
    const isNumber = path === 'min' || path === 'max'
    if (given?.[path] === undefined) problems.push({ path, given: 'nothing', allowed: isNumber ? 'a whole number' : 'a function' })
  }
  if (problems.length === 0 && given.min > given.max) {
    problems.push({ path: 'min', given: String(given.min), allowed: `at most max (${given.max})` })
  }
  if (problems.length > 0) throw new ConfigError(problems)
  const { createTimeoutMillis = 30_000, destroyTimeoutMillis = 5000, createRetryIntervalMillis: retry = 200 } = given
  return {
    ...given,
    log: given.log ?? (() => {}),
    createTimeoutMillis,
    destroyTimeoutMillis,
    propagateCreateError: Boolean(given.propagateCreateError),
    pool: {
      maxConnections: given.max,
      minConnections: given.min,
      maxConnecting: given.max,
      acquireTimeout: given.acquireTimeoutMillis ?? 30_000,
      maxWaiting: Number.POSITIVE_INFINITY,
      idleTimeout: given.idleTimeoutMillis ?? 30_000,
      connectTimeout: createTimeoutMillis,
      // The time of a destroy is kept where its end is told; the pool would be done with it, and nobody told.
      closeTimeout: Math.min(destroyTimeoutMillis + GRACE, MAX_DELAY),
      backoff: { base: retry, max: Math.max(retry, 30_000), maxWhileWaited: retry },
      ...(given.validate === undefined ? { verifyIdleAfter: Number.POSITIVE_INFINITY, healthCheckInterval: 0 } : { verifyIdleAfter: 0 }),
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
