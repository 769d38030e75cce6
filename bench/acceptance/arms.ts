import type { PoolOptions } from 'wellpool'

/** What is compared: the same pool, with and without what is to be measured. */
export interface Arm {
  /** While it is being measured. */
  readonly options: PoolOptions
  /** Whether one connection after the other is rebuilt, so that all have been within {@link REBUILD_ALL_MS}. */
  readonly rebuilds: boolean
}

export const CONNECTIONS = 10
/** How often each connection is checked, ms. */
export const CHECK_EVERY_MS = 1_000
/** Within this time each connection is rebuilt, ms. */
export const REBUILD_ALL_MS = 10_000

const NO_HEALTH = { healthCheckInterval: 0, verifyIdleAfter: Number.POSITIVE_INFINITY }
const HEALTH = { healthCheckInterval: CHECK_EVERY_MS, verifyIdleAfter: CHECK_EVERY_MS }
/** Rebuilds are asked for by hand, so that their rate is known; what the pool would decide by itself is off in all arms. */
const NO_REBUILD = { smartRebuildEnabled: false, rebuildCheckInterval: 0, maxLifetime: 0 }

/** How every arm's pool is made, and what it is while another is being measured: it does nothing by itself. */
export const AT_REST: PoolOptions = { minConnections: CONNECTIONS, maxConnections: CONNECTIONS, ...NO_HEALTH, ...NO_REBUILD }

/** `off` is what all others are measured against. */
export const ARMS = {
  off: { options: NO_HEALTH, rebuilds: false },
  health: { options: HEALTH, rebuilds: false },
  rebuild: { options: NO_HEALTH, rebuilds: true },
  on: { options: HEALTH, rebuilds: true },
} as const satisfies Readonly<Record<string, Arm>>

export type ArmName = keyof typeof ARMS

export const ARM_NAMES = Object.keys(ARMS) as ArmName[]
