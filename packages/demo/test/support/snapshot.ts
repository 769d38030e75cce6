import type { ConnectionRecord, PoolStats } from 'wellpool'
import { createPool } from 'wellpool'
import { createFakeDriver, FakeClock } from 'wellpool/testing'
import type { Snapshot } from '../../src/snapshot.ts'
import type { Seen } from '../../src/tally.ts'

/** What the tests say about it; the rest is a calm pool after 42 s. */
export interface Parts extends Partial<Omit<Snapshot, 'stats' | 'connections'>> {
  readonly stats?: Partial<PoolStats>
  readonly connections?: readonly Partial<ConnectionRecord>[]
}

const calmStats: PoolStats = {
  ...createPool(createFakeDriver({ clock: new FakeClock() }), { name: 'demo' }).stats(),
  state: 'running',
  open: 6,
  total: 6,
  idle: 4,
  acquired: 2,
}

const calmRecord: ConnectionRecord = {
  id: 'demo-1',
  pool: 'demo',
  protocol: 'postgres',
  generation: 1,
  state: 'idle',
  health: 'healthy',
  uses: 10,
  requests: 10,
  errors: 0,
  createdAt: 0,
  lastProvenAt: 0,
}

/** A snapshot for a picture. */
export function snapshot({ stats, connections = Array.from({ length: 6 }, () => ({})), ...parts }: Parts = {}): Snapshot {
  return {
    now: 142_000,
    startedAt: 100_000,
    endsAt: Number.POSITIVE_INFINITY,
    api: { url: 'http://127.0.0.1:7710', hasDashboard: true },
    server: 'PostgreSQL 18.4, embedded',
    stats: { ...calmStats, ...stats },
    connections: connections.map((record, index) => ({ ...calmRecord, id: `demo-${index + 1}`, ...record })),
    reasonOf: () => undefined,
    invariants: { broken: new Map(), mostOpen: 6, backends: 6, mostBackends: 6, cutOff: 0 },
    requests: { ok: 3_360, failed: 0, underWay: 2 },
    latency: { p50: 11, p99: 24, max: 31 },
    router: {
      label: 'router, simulated',
      sessions: 1,
      sessionLimit: 5,
      connections: [{ ...calmRecord, id: 'router-1', pool: 'router', protocol: 'ssh' }],
      requests: { ok: 210, failed: 0, underWay: 1 },
      latency: { p50: 6, p99: 9, max: 12 },
    },
    slices: (count) => Array.from({ length: count }, () => 'ok'),
    marks: [],
    stage: { name: 'paused', next: undefined },
    seen: undefined,
    verdicts: [],
    entries: [],
    ...parts,
  }
}

/** What the application saw, when it saw nothing bad. */
export function nothingBad(parts: Partial<Seen> = {}): Seen {
  return { requests: 100, failed: 0, slow: 0, slowestMs: 20, lastBadDue: undefined, errors: [], ...parts }
}
