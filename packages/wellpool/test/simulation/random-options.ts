import type { PoolOptions } from '../../src/index.ts'
import type { Random } from './random.ts'

/** How fast the endpoint is when all is well. Time-outs are chosen so that it never needs longer. */
export interface Pace {
  readonly connectMs: number
  readonly checkMs: number
  readonly closeMs: number
}

/** What a well-behaved call may take at most, as a multiple of its pace. */
export const SLOWEST = 1.5

/** Every option given, none of them undefined. */
type Complete<Options> = { [Key in keyof Options]-?: Exclude<Options[Key], undefined> }

/** The options that the model has to know, every one of them given. */
export type SimulatedOptions = Complete<Omit<PoolOptions, 'name' | 'metrics' | 'clock' | 'random' | 'logger' | 'backoff'>> & {
  readonly backoff: { readonly base: number; readonly max: number; readonly maxWhileWaited: number }
} & { readonly [Key in NumericOption]: number }

type NumericOption =
  | 'acquireTimeout'
  | 'idleTimeout'
  | 'connectTimeout'
  | 'closeTimeout'
  | 'resetTimeout'
  | 'healthCheckInterval'
  | 'healthCheckTimeout'
  | 'healthRecheckInterval'
  | 'degradedThreshold'
  | 'verifyIdleAfter'
  | 'hedgeDelay'
  | 'maxLifetime'
  | 'rebuildMinInterval'
  | 'rebuildCheckInterval'
  | 'rebuildBatchDelay'
  | 'rebuildTimeout'
  | 'leakDetectionThreshold'

export function randomPace(random: Random): Pace {
  return { connectMs: random.pick([1, 5, 20, 60]), checkMs: random.pick([1, 2, 5]), closeMs: random.pick([1, 3, 10]) }
}

const NEVER = Number.POSITIVE_INFINITY

/** Options within what the pool allows, the extremes included. `Infinity` stands for whatever turns an option off. */
export function randomOptions(random: Random, pace: Pace): SimulatedOptions {
  const maxConnections = random.pick([1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 14, 20])
  const base = random.pick([1, 20, 50, 100])
  const longEnough = (ms: number, pick: readonly number[]): number => Math.max(ms * 3, random.pick(pick))
  const limits = {
    maxUses: random.pick([NEVER, NEVER, 3, 10]),
    maxLifetime: random.pick([NEVER, 600, 5000, 30_000, 1_800_000]),
    maxErrorRate: random.pick([0.2, 0.2, 0.5, 0, NEVER]),
  }
  const strategies = [
    'any',
    'any',
    'all',
    ...(limits.maxUses === NEVER ? [] : (['max_uses'] as const)),
    ...(limits.maxLifetime === NEVER ? [] : (['max_lifetime'] as const)),
    ...(limits.maxErrorRate === NEVER ? [] : (['error_rate'] as const)),
  ] as const
  return {
    maxConnections,
    minConnections: random.chance(0.3) ? random.int(0, maxConnections) : Math.min(maxConnections, random.int(0, 3)),
    acquireTimeout: random.pick([NEVER, 20, 100, 1000, 5000, 30_000]),
    maxWaiting: random.pick([10_000, 10_000, 10_000, 5, 1, 0]),
    failFast: random.chance(0.2),
    attempts: random.int(1, 4),
    allowExitOnIdle: random.chance(0.2),
    idleOrder: random.pick(['lifo', 'fifo']),
    idleTimeout: random.pick([NEVER, 300, 2000, 60_000, 600_000]),
    connectTimeout: longEnough(pace.connectMs, [30, 200, 1000, 10_000]),
    closeTimeout: longEnough(pace.closeMs, [20, 200, 5000]),
    resetTimeout: random.pick([NEVER, 50, 500]),
    maxConnecting: random.pick([1, 2, 2, 3, 5]),
    backoff: { base, max: Math.max(base, random.pick([50, 500, 5000])), maxWhileWaited: random.pick([20, 100, 250]) },
    healthCheckInterval: random.pick([NEVER, 200, 1000, 1000, 5000, 30_000]),
    healthCheckTimeout: longEnough(pace.checkMs, [15, 50, 200, 1000, 5000, NEVER]),
    healthRecheckInterval: random.pick([5, 50, 200, 1000]),
    healthCheckTriggerRebuild: random.chance(0.85),
    unhealthyThreshold: random.pick([1, 2, 3, 3, 3, NEVER]),
    degradedThreshold: random.pick([5, 50, 1000, NEVER]),
    rebuildOnDegraded: random.chance(0.3),
    outlierFactor: random.pick([2, 5, 5, NEVER]),
    verifyIdleAfter: random.pick([0, 100, 1000, 1000, 10_000, NEVER]),
    hedgeDelay: random.pick([0, 5, 50, 50, NEVER]),
    smartRebuildEnabled: random.chance(0.85),
    rebuildStrategy: random.pick(strategies),
    ...limits,
    maxLifetimeJitter: random.pick([0, 0.25, 0.25, 1]),
    minRequestsForErrorRate: random.pick([1, 3, 10]),
    rebuildMinInterval: random.pick([0, 1000, 300_000]),
    rebuildCheckInterval: random.pick([NEVER, 500, 5000, 300_000]),
    rebuildBatchSize: random.pick([1, 2, 5]),
    rebuildBatchDelay: random.pick([0, 10, 100]),
    rebuildConcurrency: random.pick([1, 2, 3]),
    // Never the same as connectTimeout: a bystander has to tell the two apart.
    rebuildTimeout: random.pick([NEVER, 230, 1100, 29_000]),
    rebuildMaxSurge: random.pick([0, 0, 1, 1, 1, 2, 3]),
    maxUnavailable: random.pick([0, 0.2, 0.5, 1]),
    panicThreshold: random.pick([0, 0.3, 0.5, 0.5, 1]),
    leakDetectionThreshold: random.pick([NEVER, NEVER, 100, 1000]),
  }
}

const OFF_BY_ZERO = new Set<string>([
  'acquireTimeout',
  'idleTimeout',
  'resetTimeout',
  'healthCheckInterval',
  'healthCheckTimeout',
  'maxLifetime',
  'rebuildCheckInterval',
  'rebuildTimeout',
  'leakDetectionThreshold',
])

/** As a user would write them: what is off is 0 or `Infinity`, by chance, and a duration is a number or a text. */
export function asWritten(options: Partial<SimulatedOptions>, random: Random): PoolOptions {
  const written = Object.entries(options).map(([key, value]) => {
    if (OFF_BY_ZERO.has(key) && value === NEVER && random.chance(0.5)) return [key, 0]
    if (key.endsWith('Interval') && typeof value === 'number' && value !== NEVER && random.chance(0.1)) return [key, `${value}ms`]
    return [key, value]
  })
  return Object.fromEntries(written) as PoolOptions
}
