import type { PoolOptions } from 'wellpool'

/** Requests that become due each second, whatever became of those before them. */
export const REQUESTS_PER_SECOND = 80

/** They come from so many callers, in turn. */
export const CALLERS = 8

/** How long the server works for a request of each caller, ms; a caller takes the next one in the list. */
export const WORK_MS: readonly number[] = [2, 5, 10, 20]

/** The longest that a request waits for a connection, over all its attempts, counted from when it was due. */
export const DEADLINE_MS = 2_000

/** The longest that the application waits for one answer. */
export const QUERY_TIMEOUT_MS = 500

/** A request is bad when it fails, or when it is answered later than this, counted from when it was due. */
export const SLOW_MS = 100

/** So long must all be well after the last bad request before a fault counts as healed. */
export const QUIET_MS = 1_000

/**
 * Between the verdict on one fault and the next that comes by itself: with somebody to read the verdict, and in a
 * run whose time is limited.
 */
export const PAUSE_MS = { endless: 4_000, limited: 1_000 } as const

/** The last part of a limited run: the load ends and everything is closed. */
export const CLOSING_MS = 500

/**
 * The pool's options, as far as they differ from the defaults. A demo lasts minutes, so what the pool does by the
 * clock comes more often, and what it would wait for is shorter, as the queries are.
 */
export const POOL_OPTIONS = {
  name: 'demo',
  minConnections: 6,
  maxConnections: 6,
  healthCheckInterval: '2s',
  healthCheckTimeout: '1s',
  healthRecheckInterval: '250ms',
  resetTimeout: '500ms',
  rebuildMinInterval: '1s',
} as const satisfies PoolOptions

/** Commands that become due for the router each second. */
export const COMMANDS_PER_SECOND = 5

/** How many sessions the router allows: for the pool, and for the people who need one beside it. */
export const ROUTER_SESSION_LIMIT = 5

/** The options of the router's pool. What the driver says of devices (no surge, few connections) holds beside them. */
export const ROUTER_POOL_OPTIONS = {
  name: 'router',
  minConnections: 1,
  maxConnections: 2,
  healthCheckInterval: '2s',
  healthCheckTimeout: '1s',
  healthRecheckInterval: '250ms',
} as const satisfies PoolOptions

/** The most clients that the pool may have open: its connections, and one more while a successor is being built. */
export const MOST_OPEN = POOL_OPTIONS.maxConnections + 1
