import { type BreakerState, DEFAULT_OPTIONS, type PoolState, type PoolStats } from '../index.ts'
import type { ReadablePool } from './observed-pools.ts'
import { REASON_KINDS } from './recorder.ts'

/** A figure that is read from `stats()` when somebody asks for it, so that it costs nothing until then. */
export interface Figure {
  /** As Prometheus has it, without the prefix; a counter's without `_total`. */
  readonly name: string
  readonly kind: 'gauge' | 'counter'
  readonly help: string
  /** What the values are counted in, as UCUM has it for OpenTelemetry. */
  readonly unit: string
  /** With a label: one value for each of its values. */
  readonly label?: string
  read(stats: PoolStats, pool: ReadablePool): number | Readonly<Record<string, number>>
}

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'open', 'half-open']
const POOL_STATES: readonly PoolState[] = ['new', 'running', 'paused', 'draining', 'closing', 'closed']

/** 1 for the one that holds, 0 for the others. */
const oneOf = (values: readonly string[], present: string): Record<string, number> =>
  Object.fromEntries(values.map((value) => [value, value === present ? 1 : 0]))

const maxConnections = ({ options }: ReadablePool): number => options.maxConnections ?? DEFAULT_OPTIONS.maxConnections

/** All figures of `stats()` that are exported. */
export const FIGURES: readonly Figure[] = [
  {
    name: 'connections',
    kind: 'gauge',
    help: 'Connections by what they are doing.',
    unit: '{connection}',
    label: 'state',
    read: ({ connecting, idle, acquired, checking, rebuilding, closing }) => ({
      connecting,
      idle,
      acquired,
      checking,
      rebuilding,
      closing,
    }),
  },
  {
    name: 'connections_by_health',
    kind: 'gauge',
    help: 'Connections by how well they are.',
    unit: '{connection}',
    label: 'health',
    read: ({ health }) => health,
  },
  {
    name: 'connections_needing_rebuild',
    kind: 'gauge',
    help: 'Connections that are marked for a rebuild.',
    unit: '{connection}',
    read: ({ marked }) => marked,
  },
  {
    name: 'open_clients',
    kind: 'gauge',
    help: 'Clients from the start of their connect until their close has settled: what the endpoint may see.',
    unit: '{client}',
    read: ({ open }) => open,
  },
  {
    name: 'retired_clients',
    kind: 'gauge',
    help: 'Replaced clients that a borrower still holds.',
    unit: '{client}',
    read: ({ retired }) => retired,
  },
  { name: 'waiting', kind: 'gauge', help: 'Borrowers in the queue.', unit: '{request}', read: ({ waiting }) => waiting },
  {
    name: 'rebuilds_in_flight',
    kind: 'gauge',
    help: 'Rebuilds under way.',
    unit: '{rebuild}',
    read: ({ rebuildsInFlight }) => rebuildsInFlight,
  },
  {
    name: 'breaker_state',
    kind: 'gauge',
    help: '1 for the state that the circuit breaker is in, 0 for the others.',
    unit: '1',
    label: 'state',
    read: ({ breaker }) => oneOf(BREAKER_STATES, breaker),
  },
  {
    name: 'pool_state',
    kind: 'gauge',
    help: '1 for the state that the pool is in, 0 for the others.',
    unit: '1',
    label: 'state',
    read: ({ state }) => oneOf(POOL_STATES, state),
  },
  {
    name: 'panic',
    kind: 'gauge',
    help: '1 while most connections fail their checks, so that the endpoint or the check is suspected.',
    unit: '1',
    read: ({ panic }) => (panic ? 1 : 0),
  },
  {
    name: 'max_connections',
    kind: 'gauge',
    help: 'The option maxConnections.',
    unit: '{connection}',
    read: (_, pool) => maxConnections(pool),
  },
  {
    name: 'min_connections',
    kind: 'gauge',
    help: 'The option minConnections.',
    unit: '{connection}',
    read: (_, pool) => pool.options.minConnections ?? Math.min(2, maxConnections(pool)),
  },
  { name: 'leases', kind: 'counter', help: 'Leases handed out.', unit: '{lease}', read: ({ leased }) => leased },
  {
    name: 'leases_reused',
    kind: 'counter',
    help: 'Leases handed out on a client that had served before.',
    unit: '{lease}',
    read: ({ reused }) => reused,
  },
  {
    name: 'acquire_timeouts',
    kind: 'counter',
    help: 'Borrowers whose time ran out.',
    unit: '{timeout}',
    read: ({ acquireTimeouts }) => acquireTimeouts,
  },
  {
    name: 'connections_created',
    kind: 'counter',
    help: 'Connects that succeeded.',
    unit: '{connection}',
    read: ({ created }) => created,
  },
  {
    name: 'connect_failures',
    kind: 'counter',
    help: 'Connects that failed.',
    unit: '{connect}',
    read: ({ connectFailures }) => connectFailures,
  },
  {
    name: 'connections_closed',
    kind: 'counter',
    help: 'Clients closed, by reason.',
    unit: '{client}',
    label: 'reason',
    read: ({ closed }) => closed,
  },
  { name: 'checks', kind: 'counter', help: 'Health checks by outcome.', unit: '{check}', label: 'outcome', read: ({ checks }) => checks },
  {
    name: 'second_opinions',
    kind: 'counter',
    help: 'Answers to the question, asked over another connection, whether the peer still works for a silent lease.',
    unit: '{answer}',
    label: 'opinion',
    read: ({ secondOpinions }) => secondOpinions,
  },
  {
    name: 'rebuilds_marked',
    kind: 'counter',
    help: 'Connections marked for a rebuild, by reason.',
    unit: '{connection}',
    label: 'reason',
    read: ({ rebuildsMarked }) => Object.fromEntries(REASON_KINDS.map((kind) => [kind, rebuildsMarked[kind] ?? 0])),
  },
  {
    name: 'rebuilds_by_health_check',
    kind: 'counter',
    help: 'Rebuilds that failed checks have led to.',
    unit: '{rebuild}',
    read: ({ rebuildsByHealthCheck }) => rebuildsByHealthCheck,
  },
  {
    name: 'leaks_suspected',
    kind: 'counter',
    help: 'Leases held for longer than leakDetectionThreshold.',
    unit: '{lease}',
    read: ({ leaksSuspected }) => leaksSuspected,
  },
]

/** A counter that `stats()` has not: the recorder keeps it. */
export interface RecordedFigure {
  readonly name: string
  readonly help: string
  readonly unit: string
  readonly label: string
  readonly key: 'acquireFailures' | 'rebuildsStarted' | 'rebuildsCompleted' | 'rebuildsFailed'
}

/** All counters that the recorder keeps. */
export const RECORDED_FIGURES: readonly RecordedFigure[] = [
  {
    name: 'acquire_failures',
    help: 'Borrowers that got no lease: timed out, aborted, refused.',
    unit: '{request}',
    label: 'failure',
    key: 'acquireFailures',
  },
  { name: 'rebuilds_started', help: 'Rebuilds begun, by reason.', unit: '{rebuild}', label: 'reason', key: 'rebuildsStarted' },
  { name: 'rebuilds_completed', help: 'Rebuilds that succeeded, by reason.', unit: '{rebuild}', label: 'reason', key: 'rebuildsCompleted' },
  { name: 'rebuilds_failed', help: 'Rebuilds that failed, by reason.', unit: '{rebuild}', label: 'reason', key: 'rebuildsFailed' },
]

/** A duration that is exported as a histogram, in seconds. */
export interface DurationFigure {
  readonly name: string
  readonly help: string
  readonly label?: string
}

/** All durations, by what the recorder calls them. */
export const DURATION_FIGURES = {
  wait: { name: 'acquire_wait', help: 'How long borrowers waited for their lease; 0 when a connection was free.' },
  use: { name: 'use', help: 'How long leases were held.' },
  connect: { name: 'connect', help: 'How long successful connects took.' },
  check: { name: 'check', help: 'How long health checks took, by outcome.', label: 'outcome' },
  rebuild: { name: 'rebuild', help: 'How long successful rebuilds took, by reason.', label: 'reason' },
} as const satisfies Record<string, DurationFigure>
