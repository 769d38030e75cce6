import { NEVER } from './clock.ts'
import type { Connection, Generation } from './connection.ts'
import { formatMs } from './duration.ts'
import type { ResolvedOptions } from './options.ts'
import type { Reason } from './reason.ts'

/** Whether the last rebuild is long enough ago for one more because of slowness or errors. */
export function isRested<Client>(connection: Connection<Client>, options: ResolvedOptions, now: number): boolean {
  return connection.lastRebuiltAt === undefined || now - connection.lastRebuiltAt >= options.rebuildMinInterval
}

/**
 * Whether a connection has reached the limits for a planned rebuild, as `rebuildStrategy` combines them.
 *
 * @param now ms of the clock
 */
export function limitReached<Client>(connection: Connection<Client>, options: ResolvedOptions, now: number): Reason | undefined {
  const generation = connection.current
  if (generation === undefined || !options.smartRebuildEnabled) return undefined
  const limits = enabledLimits(generation, connection, options, now)
  const { rebuildStrategy: strategy } = options
  const counted = strategy === 'any' || strategy === 'all' ? limits : limits.filter(({ kind }) => kind === strategy)
  const reached = counted.filter(({ isReached }) => isReached)
  const [first] = reached
  if (first === undefined || (strategy === 'all' && reached.length < counted.length)) return undefined
  return { kind: first.kind, detail: reached.map(({ detail }) => detail).join('; ') }
}

interface Limit extends Reason {
  readonly isReached: boolean
}

function enabledLimits<Client>(
  generation: Generation<Client>,
  connection: Connection<Client>,
  options: ResolvedOptions,
  now: number,
): Limit[] {
  const limits: Limit[] = []
  const { maxUses, maxLifetime, maxErrorRate, minRequestsForErrorRate } = options
  if (maxUses !== NEVER) {
    limits.push({
      kind: 'max_uses',
      isReached: generation.uses >= maxUses,
      detail: `used ${generation.uses} times, allowed are ${maxUses}`,
    })
  }
  if (maxLifetime !== NEVER) {
    const age = now - generation.connectedAt
    limits.push({
      kind: 'max_lifetime',
      isReached: now >= generation.expiresAt,
      detail: `${formatMs(age)} old, its share of ${formatMs(maxLifetime)}`,
    })
  }
  if (maxErrorRate !== NEVER) {
    const rate = generation.errorRate
    limits.push({
      kind: 'error_rate',
      isReached: isRested(connection, options, now) && generation.requests >= minRequestsForErrorRate && rate > maxErrorRate,
      detail: `${Math.round(rate * 100)} % of the last requests failed, allowed are ${Math.round(maxErrorRate * 100)} %`,
    })
  }
  return limits
}
