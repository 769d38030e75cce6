import { systemClock } from '../engine/clock.ts'
import type { SecondOpinion } from '../engine/reason.ts'
import { Batch } from '../shared/batch.ts'
import { timeToAnswer } from '../shared/socket-activity.ts'

/** Which session of which run of which server a client is. */
export interface Peer {
  /** The server gives no number twice while it runs. */
  readonly id: number
  /** Random, and anew at each start. */
  readonly run: string
}

/** What is known of a session on this side. */
export interface Flow {
  /** Undefined where it could not be found out. */
  readonly peer: Peer | undefined
  readonly inFlight: number
  /** How much of the commands in flight has been sent, about bytes. */
  readonly sentBytes: number
  /** When a command was last sent or answered, ms of the system's clock. */
  readonly lastAt: number
  /** How many bytes have come in, and had then; undefined where that can't be seen. */
  readonly bytesRead: number | undefined
  readonly bytesReadThen: number | undefined
}

/** A session that was seen to have nothing to do while a command was on its way to it. */
interface Sighting {
  readonly at: number
  readonly lastAt: number
  readonly bytesRead: number
}

type Ask = (...command: string[]) => Promise<unknown>

/** A command or a reply that is on its way in parts has stalled when nothing was heard for this many times the limit. */
const STALLED_FACTOR = 10

/** Asks a new session whose it is. Undefined where the server can't tell, or may not tell this user. */
export async function identifyPeer(ask: Ask): Promise<Peer | undefined> {
  const [id, info] = await Promise.all([ask('CLIENT', 'ID'), ask('INFO', 'server')].map((answer) => answer.catch(() => undefined)))
  const run = /^run_id:(\w+)/m.exec(String(info))?.[1]
  // An application may have numbers read as texts.
  return Number(id) > 0 && run !== undefined ? { id: Number(id), run } : undefined
}

/** Reads over one session what the server says of others: many at the same time by one command. */
export type PeerReader = Batch<number, string>

export function createPeerReader(ask: Ask): PeerReader {
  return new Batch(async (ids) => String(await ask('CLIENT', 'LIST', 'ID', ...ids.map(String))))
}

/**
 * Finds out about one session by what the server says of it over others. It is `gone` when a command has been on its
 * way for longer than the limit, and the session has ended, or has nothing to do for longer than the command may take
 * to arrive.
 *
 * Redis does one thing at a time. So a session that waits for a command, and of which no part of a command or of a
 * reply is left in the server, has either not received the command, or sent the reply. How long ago that was the
 * server tells in whole seconds. What is not proven by them is when the session is found like that a second time, more
 * than the limit later, and not a byte has come in between.
 */
export class PeerInquiry {
  readonly #flow: Flow
  #sighting: Sighting | undefined

  constructor(flow: Flow) {
    this.#flow = flow
  }

  /**
   * @param reader reads over another session
   * @param otherPeer whose that session is
   * @param limit ms
   */
  async ask(reader: PeerReader, otherPeer: Peer | undefined, limit: number): Promise<SecondOpinion> {
    const flow = this.#flow
    const { peer, bytesRead } = flow
    if (flow.inFlight === 0) return 'working'
    if (peer === undefined || otherPeer?.run !== peer.run || bytesRead === undefined) return 'unknown'
    const list = await reader.with(peer.id)
    const quietFor = systemClock.now() - flow.lastAt
    if (flow.inFlight === 0 || quietFor <= limit || flow.bytesRead !== bytesRead) return 'working'
    const session = parseSession(list, peer.id)
    if (session === undefined) return 'gone'
    // Blocked on purpose (BLPOP, XREAD, WAIT), or about to be ended.
    if (/[bAc]/.test(session.flags)) return 'working'
    // What is large takes its time to arrive, and nothing is heard meanwhile.
    if (quietFor <= timeToAnswer(flow.sentBytes, limit)) return 'working'
    if (session.unfinished || bytesRead !== flow.bytesReadThen) {
      return this.#hasSeen(bytesRead, STALLED_FACTOR * limit) ? 'gone' : 'working'
    }
    // Of the last second any part may have passed.
    return (session.idle - 1) * 1000 > limit || this.#hasSeen(bytesRead, limit) ? 'gone' : 'unknown'
  }

  /** Whether this is what was to be seen longer than the limit ago. If not, it is remembered. */
  #hasSeen(bytesRead: number, limit: number): boolean {
    const { lastAt } = this.#flow
    const now = systemClock.now()
    const before = this.#sighting
    if (before?.lastAt === lastAt && before.bytesRead === bytesRead) return now - before.at > limit
    this.#sighting = { at: now, lastAt, bytesRead }
    return false
  }
}

/** The line of a session in the answer of `CLIENT LIST`; undefined if there is none. */
function parseSession(list: string, id: number): { flags: string; idle: number; unfinished: boolean } | undefined {
  const line = list.split('\n').find((text) => text.startsWith(`id=${id} `))
  if (line === undefined) return undefined
  const fields = new Map(line.split(' ').map((field) => field.split('=', 2) as [string, string]))
  // A command that has come in part, and a reply that has not been sent yet.
  const unfinished = ['qbuf', 'obl', 'oll', 'omem'].some((name) => Number(fields.get(name) ?? 0) > 0)
  return { flags: fields.get('flags') ?? '', idle: Number(fields.get('idle') ?? 0), unfinished }
}
