import Type from 'typebox'
import { closed, count, words } from './common.ts'

const byOutcome = <const Name extends string>(names: readonly Name[]) =>
  Type.Object(Object.fromEntries(names.map((name) => [name, count()])) as Record<Name, ReturnType<typeof count>>)

export const HealthCounts = byOutcome(['unknown', 'healthy', 'degraded', 'unhealthy'])

export const PoolStatsSchema = Type.Object(
  {
    name: Type.String(),
    protocol: Type.String(),
    state: words(['new', 'running', 'paused', 'draining', 'closing', 'closed']),
    open: count('Clients from the start of their connect until their close has settled.'),
    total: count('Connections that are present.'),
    idle: count(),
    acquired: count(),
    checking: count(),
    connecting: count(),
    rebuilding: count(),
    closing: count(),
    retired: count('Replaced clients that a borrower still holds.'),
    waiting: count('Borrowers in the queue.'),
    health: HealthCounts,
    marked: count('Connections that are to be rebuilt.'),
    rebuildsInFlight: count(),
    breaker: words(['closed', 'open', 'half-open']),
    panic: Type.Boolean({ description: 'Whether most connections fail their checks.' }),
    leased: count(),
    reused: count(),
    acquireTimeouts: count(),
    created: count(),
    connectFailures: count(),
    checks: byOutcome(['healthy', 'degraded', 'rejected', 'timed_out']),
    secondOpinions: byOutcome(['working', 'gone', 'unknown']),
    closed: byOutcome(['idle', 'surplus', 'evicted', 'unhealthy', 'lost', 'rebuilt', 'rebuild_failed', 'pool_closed']),
    rebuildsMarked: Type.Record(Type.String(), Type.Integer(), {
      description: 'Marks by reason kind; kinds that have not occurred are absent.',
    }),
    rebuildsStarted: count(),
    rebuildsCompleted: count(),
    rebuildsFailed: count(),
    rebuildsByHealthCheck: count(),
    leaksSuspected: count(),
  },
  { description: 'The pool in numbers; docs/monitoring.md explains each.' },
)

export const PoolSchema = Type.Object({
  name: Type.String(),
  protocol: Type.String(),
  canServe: Type.Boolean({ description: 'Whether it takes borrowers and has, or can have, connections for them.' }),
  minConnections: Type.Integer(),
  maxConnections: Type.Integer(),
  stats: PoolStatsSchema,
})

export const PoolParams = closed({ pool: Type.String({ minLength: 1, maxLength: 200, description: "The pool's name." }) })
