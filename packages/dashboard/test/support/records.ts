import type { Connection, EventName, EventRecord, Pool, PoolStats, Sample } from '../../src/api/contract.ts'

/** A connection that is well, but for what is given. */
export function connection(id: string, changes: Partial<Connection> = {}): Connection {
  return {
    id,
    pool: id.replace(/-\d+$/, ''),
    protocol: 'postgres',
    generation: 1,
    state: 'idle',
    health: 'healthy',
    uses: 0,
    requests: 0,
    errors: 0,
    createdAt: 0,
    lastProvenAt: 0,
    ageMs: 0,
    ...changes,
  }
}

/** A pool that is well, but for what is given. */
export function pool(name: string, stats: Partial<PoolStats> = {}, changes: Partial<Pool> = {}): Pool {
  return {
    name,
    protocol: 'postgres',
    canServe: true,
    minConnections: 2,
    maxConnections: 10,
    stats: {
      state: 'running',
      open: 2,
      total: 2,
      idle: 2,
      acquired: 0,
      checking: 0,
      connecting: 0,
      rebuilding: 0,
      closing: 0,
      retired: 0,
      waiting: 0,
      health: { unknown: 0, healthy: 2, degraded: 0, unhealthy: 0 },
      marked: 0,
      rebuildsInFlight: 0,
      breaker: 'closed',
      panic: false,
      ...stats,
    },
    ...changes,
  }
}

export function event(
  seq: number,
  name: EventName,
  details: Record<string, unknown> = {},
  changes: Partial<EventRecord> = {},
): EventRecord {
  return {
    seq,
    name,
    level: 'info',
    timestamp: seq * 100,
    pool: 'orders',
    protocol: 'postgres',
    connectionId: 'orders-1',
    details,
    ...changes,
  }
}

export function sample(second: number, changes: Partial<Sample> = {}): Sample {
  const nothing = { count: 0, p50: 0, p90: 0, p99: 0, max: 0 }
  return {
    timestamp: second * 1000,
    state: 'running',
    breaker: 'closed',
    panic: false,
    open: 2,
    total: 2,
    idle: 2,
    acquired: 0,
    waiting: 0,
    leased: 0,
    wait: nothing,
    use: nothing,
    check: nothing,
    ...changes,
  }
}

export const byId = (...connections: readonly Connection[]): ReadonlyMap<string, Connection> =>
  new Map(connections.map((each) => [each.id, each]))
