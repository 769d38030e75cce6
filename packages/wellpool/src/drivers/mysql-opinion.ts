import type { SecondOpinion } from '../engine/reason.ts'
import { Batch } from '../shared/batch.ts'
import { timeToAnswer } from '../shared/socket-activity.ts'

/** Which thread of which run of which server a session belongs to. */
export interface Thread {
  /** The server gives no number twice while it runs. */
  readonly id: number
  /** Names the server and, by its start, its run. */
  readonly server: string
}

/** What is known of a session on this side. */
export interface Flow {
  /** Undefined where it could not be found out, or where a proxy stands in between. */
  readonly thread: Thread | undefined
  readonly hasRequestInFlight: boolean
  /** For how long nothing has been sent or heard, ms. */
  readonly quietFor: number
  /** How much has been sent since something was last heard, bytes. */
  readonly sentBytes: number
}

type Ask = <Row>(sql: string) => Promise<readonly Row[]>

/** A result has stalled when nothing was heard of it for this many times the limit. */
const STALLED_FACTOR = 10

/** The states of a thread that has rows which can't be sent: of MariaDB, and of MySQL. */
const WRITES_TO_CLIENT = /^(writing to net|sending to client)$/i

/** MySQL counts whole seconds: of them the last may have been any part. */
const activitiesOf = (ids: readonly number[], isMariadb: boolean): string => `SELECT ID AS id, COMMAND AS command, STATE AS state,
  ${isMariadb ? 'TIME_MS' : '(TIME - 1) * 1000'} AS waited FROM information_schema.PROCESSLIST WHERE ID IN (${ids.join(', ')})`

interface Activity {
  readonly id: number | string
  readonly command: string
  readonly state: string | null
  /** For how long it has been doing that, ms. */
  readonly waited: number | string
}

/** Reads over one session what the server's threads are doing: many at the same time by one query. */
export type ThreadReader = Batch<number, readonly Activity[]>

export function createThreadReader(ask: Ask, isMariadb: () => boolean): ThreadReader {
  return new Batch((ids) => ask<Activity>(activitiesOf(ids, isMariadb())))
}

/**
 * Asks over another session what the server's thread of this one is doing. It is `gone` when a request has been on
 * its way for longer than `limit` without a byte in either direction, and the thread has ended, or has been waiting
 * for a command all that time, and for as long as a large one may take to arrive.
 *
 * @param reader reads over that session
 * @param otherThread whose that session is
 * @param limit ms
 */
export async function askAboutThread(
  flow: Flow,
  reader: ThreadReader,
  otherThread: Thread | undefined,
  limit: number,
): Promise<SecondOpinion> {
  const { thread } = flow
  if (!flow.hasRequestInFlight) return 'working'
  if (thread === undefined || otherThread?.server !== thread.server) return 'unknown'
  const activity = (await reader.with(thread.id)).find(({ id }) => Number(id) === thread.id)
  // Looked at after the answer: what has arrived on the other flow meanwhile has been read as well.
  if (!flow.hasRequestInFlight || flow.quietFor <= limit) return 'working'
  if (activity === undefined) return 'gone'
  const { command, state, waited } = activity
  // The server calls itself asleep until it has all of a statement.
  if (command === 'Sleep') return Number(waited) > limit && flow.quietFor > timeToAnswer(flow.sentBytes, limit) ? 'gone' : 'working'
  // It has an answer that can't be delivered, and this side is reading all the time.
  if (WRITES_TO_CLIENT.test(state ?? '') && flow.quietFor > STALLED_FACTOR * limit) return 'gone'
  return 'working'
}
