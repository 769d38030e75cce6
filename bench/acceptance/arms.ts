import type { PoolOptions } from 'wellpool'

/** What is compared: the same pool, with and without what is to be measured. */
export interface Arm {
  /** While it is being measured. */
  readonly options: PoolOptions
  /**
   * What happens once in each slice: `rebuild` of the connection whose client is the oldest, so that all have been rebuilt
   * within {@link REBUILD_ALL_MS}; `login`, a client of `pg` that logs in and hangs up again, without any pool: what every
   * rebuild needs at least, whoever makes it.
   */
  readonly meanwhile: 'rebuild' | 'login' | 'nothing'
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
  off: { options: NO_HEALTH, meanwhile: 'nothing' },
  health: { options: HEALTH, meanwhile: 'nothing' },
  login: { options: NO_HEALTH, meanwhile: 'login' },
  rebuild: { options: NO_HEALTH, meanwhile: 'rebuild' },
  on: { options: HEALTH, meanwhile: 'rebuild' },
} as const satisfies Readonly<Record<string, Arm>>

export type ArmName = keyof typeof ARMS

export const ARM_NAMES = Object.keys(ARMS) as ArmName[]
