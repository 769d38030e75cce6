import type pg from 'pg'
import type { SecondOpinion } from '../engine/reason.ts'
import { Batch } from '../shared/batch.ts'
import { timeToAnswer } from '../shared/socket-activity.ts'
import { endsSession } from './postgres-errors.ts'

/** Which process of which run of which server a session belongs to. */
export interface Backend {
  readonly pid: number
  /** When the process started, and the server's first one: seconds since 1970 on the server's clock, as it writes them. */
  readonly startedAt: string
  readonly serverStartedAt: string
}

/** What is known of a session on this side. */
export interface Flow {
  /** Undefined where it could not be found out, or where a pooler stands in between. */
  readonly backend: Backend | undefined
  readonly hasRequestInFlight: boolean
  /** For how long nothing has been sent or heard, ms. */
  readonly quietFor: number
  /** How much has been sent since something was last heard, bytes. */
  readonly sentBytes: number
}

/** A download has stalled when nothing was heard of it for this many times the limit. */
const STALLED_FACTOR = 10

const IDENTIFY = `select pg_catalog.pg_backend_pid() as pid,
  extract(epoch from pg_catalog.pg_postmaster_start_time())::text as server_started_at,
  (select extract(epoch from backend_start)::text
    from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())) as started_at`

/** By process ids, not through the view pg_stat_activity: that looks up names nobody asks for here. */
const activitiesOf = (pids: readonly number[]): string => `select a.pid, extract(epoch from a.backend_start)::text as started_at,
  a.state, a.wait_event, extract(epoch from pg_catalog.clock_timestamp() - a.state_change)::float8 * 1000 as waited
  from pg_catalog.unnest(array[${pids.join(',')}]::int[]) as asked(pid), lateral pg_catalog.pg_stat_get_activity(asked.pid) as a`

interface Activity {
  readonly pid: number | string
  /** Null without the privilege to see it. */
  readonly started_at: string | null
  readonly state: string | null
  readonly wait_event: string | null
  /** For how long it has been in this state, ms. */
  readonly waited: number | null
}

/**
 * Asks a new session whose it is.
 *
 * @param pid the process that the server named at log-in. A pooler names itself, and the process behind it is another
 *   one from transaction to transaction
 * @returns undefined where the server can't tell (not every one that speaks the protocol is a PostgreSQL)
 */
export async function identify(client: pg.Client, pid: number | undefined): Promise<Backend | undefined> {
  try {
    const { rows } = await client.query<{ pid: number | string; server_started_at: string; started_at: string | null }>(IDENTIFY)
    const [row] = rows
    if (row === undefined || row.started_at === null || pid === undefined || Number(row.pid) !== pid) return undefined
    return { pid, startedAt: row.started_at, serverStartedAt: row.server_started_at }
  } catch (error) {
    // The server has answered and goes on. Not by the severity ERROR: it is translated on some servers.
    if (typeof (error as { severity?: unknown }).severity === 'string' && !endsSession(error)) return undefined
    throw error
  }
}

/** Reads over one client what the server's processes are doing: many at the same time by one query. */
export type ActivityReader = Batch<number, readonly Activity[]>

export function createActivityReader(client: pg.Client): ActivityReader {
  return new Batch(async (pids) => (await client.query<Activity>(activitiesOf(pids))).rows)
}

/**
 * Asks over another session what the server's process of this one is doing. It is `gone` when a request has been on
 * its way for longer than `limit` without a byte in either direction, and the process has ended, or has been waiting
 * for a command all that time, and for as long as a large one may take to arrive.
 *
 * @param reader reads over that session
 * @param otherBackend whose that session is
 * @param limit ms
 */
export async function askAbout(
  flow: Flow,
  reader: ActivityReader,
  otherBackend: Backend | undefined,
  limit: number,
): Promise<SecondOpinion> {
  const { backend } = flow
  if (!flow.hasRequestInFlight) return 'working'
  if (backend === undefined || otherBackend?.serverStartedAt !== backend.serverStartedAt) return 'unknown'
  const activity = (await reader.with(backend.pid)).find(({ pid }) => Number(pid) === backend.pid)
  // Looked at after the answer: what has arrived on the other flow meanwhile has been read as well.
  if (!flow.hasRequestInFlight || flow.quietFor <= limit) return 'working'
  if (activity === undefined) return 'gone'
  const { started_at: startedAt, state, wait_event: waitEvent, waited } = activity
  if (startedAt === null || state === null || state === 'disabled') return 'unknown'
  if (startedAt !== backend.startedAt) return 'gone'
  // The server calls itself idle until it has all of a statement.
  if (state.startsWith('idle')) return Number(waited) > limit && flow.quietFor > timeToAnswer(flow.sentBytes, limit) ? 'gone' : 'working'
  // It has an answer that can't be delivered, and this side is reading all the time.
  if (waitEvent === 'ClientWrite' && flow.quietFor > STALLED_FACTOR * limit) return 'gone'
  return 'working'
}
