import type { Thread } from './mysql-opinion.ts'

/**
 * Has the server report with each answer whether the statement has changed the session. In MySQL since 5.7, in MariaDB
 * since 10.2.
 */
export const TRACKING_STATEMENT = 'SET SESSION session_track_state_change = ON'

/** How a session interprets texts, as agreed at the log-in. */
export interface SessionSettings {
  readonly client: string
  readonly results: string
  readonly collation: string
}

/** What a new session tells of itself. */
export interface Greeting {
  readonly settings: SessionSettings | undefined
  /** Undefined where it was not asked for, where the server can't tell, and where a proxy stands in between. */
  readonly thread: Thread | undefined
}

/** Whom to greet. */
export interface Greeted {
  /** The number that the server gave itself, when the connection was made. */
  readonly threadId: number
  readonly isMariadb: boolean
}

type Ask = <Row>(sql: string) => Promise<readonly Row[]>

const SETTINGS = '@@character_set_client AS client, @@character_set_results AS results, @@collation_connection AS collation'

/** Names the server and, by its start, its run. A proxy answers a bare `SELECT CONNECTION_ID()` itself; this goes on to the server. */
const identity = (isMariadb: boolean): string => `CONNECTION_ID() AS id, CONCAT_WS('/', @@hostname, @@port, @@server_id,
  ${isMariadb ? '' : '@@server_uuid, '}UNIX_TIMESTAMP() - (SELECT VARIABLE_VALUE
    FROM ${isMariadb ? 'information_schema' : 'performance_schema'}.global_status WHERE VARIABLE_NAME = 'UPTIME')) AS server`

interface Row extends SessionSettings {
  readonly id: number | string
  readonly server: string | null
}

/** Asks a new session for its settings, which a reset may lose, and for nothing else. */
export async function askForSettings(ask: Ask): Promise<Greeting> {
  const [settings] = await ask<SessionSettings>(`SELECT ${SETTINGS}`)
  return { settings, thread: undefined }
}

/** Asks a new session for its settings and whose it is. */
export async function askForIdentity(ask: Ask, { threadId, isMariadb }: Greeted): Promise<Greeting> {
  let row: Row | undefined
  try {
    row = (await ask<Row>(`SELECT ${identity(isMariadb)}, ${SETTINGS}`))[0]
  } catch (error) {
    // The server's own no: it is one that only speaks the protocol, or keeps no such statistics.
    if (typeof (error as { sqlState?: unknown }).sqlState === 'string') return askForSettings(ask)
    throw error
  }
  if (row === undefined) return { settings: undefined, thread: undefined }
  const { id, server, ...settings } = row
  // A proxy gives its own number, and the thread behind it is another one from transaction to transaction.
  const own = server !== null && Number(id) === threadId
  return { settings, thread: own ? { id: threadId, server } : undefined }
}

/**
 * Sets up a session that was reset. That may have given it the server's own character sets (MySQL) or those of the
 * log-in (MariaDB), and turns the reports off.
 *
 * @param reported whether there are any to turn on
 */
export function setUpStatement({ client, results, collation }: SessionSettings, reported: boolean): string {
  const sets = `character_set_client = ${client}, character_set_results = ${results}, collation_connection = ${collation}`
  return `SET SESSION ${sets}${reported ? ', session_track_state_change = ON' : ''}`
}
