import type { Connection, Pool, PoolState } from '../api/contract.ts'
import { duration } from '../format.ts'
import type { Clues } from './clues.ts'
import type { Course, RebuildCourses } from './rebuild-courses.ts'

/** What Wellpool does about a connection. */
export type Doing =
  /** A successor is being connected. `outOfService`: nobody gets the old client meanwhile. */
  | { readonly kind: 'rebuilding'; readonly outOfService: boolean; readonly since: number | undefined }
  /** It will be rebuilt. */
  | { readonly kind: 'queued'; readonly urgent: boolean; readonly since: number | undefined }
  /** A try has failed; it serves on, and another follows. */
  | { readonly kind: 'trying-again'; readonly tries: number; readonly error: string | undefined }
  /** It serves only after it has passed a check, and is checked again soon. */
  | { readonly kind: 'checking-again' }
  /** It serves, slower than it should. */
  | { readonly kind: 'watching' }

/** A connection that is not well, or is to be rebuilt because it is not. */
export interface Ill {
  readonly connection: Connection
  readonly severity: 'bad' | 'poor'
  readonly reason: { readonly kind: string; readonly detail: string } | undefined
  readonly doing: Doing
}

/** What is wrong with a pool as a whole. */
export type PoolTrouble =
  | {
      readonly kind: 'down'
      readonly pool: string
      readonly waiting: number
      readonly error: string | undefined
      readonly nextTryAt: number | undefined
    }
  | { readonly kind: 'connecting-fails'; readonly pool: string; readonly error: string | undefined; readonly nextTryAt: number | undefined }
  | { readonly kind: 'panic'; readonly pool: string; readonly unwell: number; readonly total: number }
  | { readonly kind: 'paused'; readonly pool: string; readonly waiting: number }
  | { readonly kind: 'ending'; readonly pool: string; readonly state: PoolState }
  | { readonly kind: 'saturated'; readonly pool: string; readonly waiting: number; readonly inUse: number; readonly max: number }
  | { readonly kind: 'leak'; readonly pool: string; readonly connectionId: string; readonly since: number }

/** How all of it is: what an operator has to know first. */
export interface Diagnosis {
  readonly troubles: readonly PoolTrouble[]
  /** The worst first. */
  readonly ill: readonly Ill[]
  /** Connections that are being renewed as a matter of course. */
  readonly renewing: number
  readonly connections: number
  readonly idle: number
  readonly inUse: number
  readonly waiting: number
  /** `bad`: requests fail or wait. `poor`: something is wrong and held. */
  readonly level: 'well' | 'poor' | 'bad'
}

/** Reasons for a rebuild that say nothing bad of the connection. */
const ROUTINE = new Set(['max_uses', 'max_lifetime', 'manual', 'rollout', 'retired_by_peer'])
/** Reasons that this page gives itself: the pool has decided nothing. */
export const FINDINGS: ReadonlySet<string> = new Set(['check_failed', 'slow_check'])
const BAD_TROUBLES = new Set<PoolTrouble['kind']>(['down', 'panic'])

/** Finds out what is wrong, why, and what is being done about it. */
export function diagnose(
  pools: readonly Pool[],
  connections: ReadonlyMap<string, Connection>,
  courses: Pick<RebuildCourses, 'of'>,
  clues: Pick<Clues, 'checkFailure' | 'connectTrouble' | 'heldSince'>,
): Diagnosis {
  const ill: Ill[] = []
  let renewing = 0
  let [idle, inUse] = [0, 0]
  const troubles = pools.flatMap((pool) => troublesOf(pool, clues))
  for (const connection of connections.values()) {
    if (connection.state === 'idle') idle++
    else if (connection.state === 'acquired') inUse++
    const course = courses.of(connection.id)
    if (isIll(connection)) ill.push(describe(connection, course, clues))
    else if (connection.mark !== undefined || connection.state === 'rebuilding') renewing++
    const since = connection.state === 'acquired' ? clues.heldSince(connection.id) : undefined
    if (since !== undefined) troubles.push({ kind: 'leak', pool: connection.pool, connectionId: connection.id, since })
  }
  ill.sort((a, b) => rank(a) - rank(b))
  const waiting = pools.reduce((sum, { stats }) => sum + stats.waiting, 0)
  const isBad = ill.some(({ severity }) => severity === 'bad') || troubles.some(({ kind }) => BAD_TROUBLES.has(kind))
  const level = isBad ? 'bad' : ill.length + troubles.length > 0 ? 'poor' : 'well'
  return { troubles, ill, renewing, connections: connections.size, idle, inUse, waiting, level }
}

/** Whether something is wrong with a connection: a rebuild that is due to its age alone is no illness. */
export function isIll({ health, mark, state }: Pick<Connection, 'health' | 'mark' | 'state'>): boolean {
  if (state === 'closing' || state === 'closed') return false
  return health === 'degraded' || health === 'unhealthy' || (mark !== undefined && !ROUTINE.has(mark.kind))
}

/** What is being done about a connection. */
export function doingOf(connection: Connection, course: Course | undefined): Doing {
  const { state, mark, health } = connection
  if (state === 'rebuilding') return { kind: 'rebuilding', outOfService: true, since: course?.startedAt ?? course?.markedAt }
  if (mark !== undefined) {
    if (course?.outcome === 'running') return { kind: 'rebuilding', outOfService: false, since: course.startedAt }
    if (course?.outcome === 'failed') return { kind: 'trying-again', tries: course.tries, error: course.error }
    return { kind: 'queued', urgent: mark.urgent, since: course?.markedAt }
  }
  return health === 'degraded' ? { kind: 'watching' } : { kind: 'checking-again' }
}

function describe(connection: Connection, course: Course | undefined, clues: Pick<Clues, 'checkFailure'>): Ill {
  const { health, mark, state } = connection
  const failure = clues.checkFailure(connection.id)
  const doing = doingOf(connection, course)
  return {
    connection,
    severity: health === 'unhealthy' || mark?.urgent === true || state === 'rebuilding' ? 'bad' : 'poor',
    reason: mark ?? findingOf(connection, failure),
    doing: doing.kind === 'watching' && failure !== undefined ? { kind: 'checking-again' } : doing,
  }
}

/** What was found where nothing has been decided. */
function findingOf({ health, lastCheckMs }: Connection, failure: string | undefined): Ill['reason'] {
  if (failure !== undefined) return { kind: 'check_failed', detail: failure }
  return health === 'degraded' && lastCheckMs !== undefined ? { kind: 'slow_check', detail: duration(lastCheckMs) } : undefined
}

function troublesOf({ name, canServe, maxConnections, stats }: Pool, clues: Pick<Clues, 'connectTrouble'>): PoolTrouble[] {
  const { state, breaker, panic, waiting, acquired, health, total, idle } = stats
  if (state === 'paused') return [{ kind: 'paused', pool: name, waiting }]
  if (state !== 'running' && state !== 'new') return [{ kind: 'ending', pool: name, state }]
  const found: PoolTrouble[] = []
  if (breaker !== 'closed') {
    const { error, nextTryAt } = clues.connectTrouble(name) ?? {}
    found.push(
      canServe ? { kind: 'connecting-fails', pool: name, error, nextTryAt } : { kind: 'down', pool: name, waiting, error, nextTryAt },
    )
  }
  if (panic) found.push({ kind: 'panic', pool: name, unwell: health.degraded + health.unhealthy, total })
  const isFull = acquired >= maxConnections && idle === 0
  if (waiting > 0 && isFull) found.push({ kind: 'saturated', pool: name, waiting, inUse: acquired, max: maxConnections })
  return found
}

const rank = ({ severity, connection }: Ill): number => (severity === 'bad' ? 0 : 2) + (connection.health === 'unhealthy' ? 0 : 1)
