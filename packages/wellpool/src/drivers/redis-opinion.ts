import { setTimeout as delay } from 'node:timers/promises'
import type { SecondOpinion } from '../engine/reason.ts'
import { Batch } from '../shared/batch.ts'

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
  /** For how long no command was sent and none was answered, ms. */
  readonly quietFor: number
  /** How many bytes have come in; undefined where that can't be seen. */
  readonly bytesRead: number | undefined
}

type Ask = (...command: string[]) => Promise<unknown>

/** A request or a reply that is on its way in parts has stalled when nothing was heard for this many times the limit. */
const STALLED_FACTOR = 10

/** Asks a new session whose it is. Undefined where the server can't tell, or may not tell this user. */
export async function identifyPeer(ask: Ask): Promise<Peer | undefined> {
  const [id, info] = await Promise.all([ask('CLIENT', 'ID'), ask('INFO', 'server')].map((answer) => answer.catch(() => undefined)))
  const run = /^run_id:(\w+)/m.exec(String(info))?.[1]
  return typeof id === 'number' && run !== undefined ? { id, run } : undefined
}

/** Reads over one session what the server says of others: many at the same time by one command. */
export type PeerReader = Batch<number, string>

export function createPeerReader(ask: Ask): PeerReader {
  return new Batch(async (ids) => String(await ask('CLIENT', 'LIST', 'ID', ...ids.map(String))))
}

/**
 * Asks over another session what the server is doing for this one. It is `gone` when a command has been on its way for
 * longer than `limit`, and the session has ended, or waits for a command without any part of a command or of a reply
 * being left in the server. As Redis does one thing at a time, it has either not received the command, or sent the
 * reply; and after another `limit` without a byte that won't come any more either.
 *
 * @param reader reads over that session
 * @param otherPeer whose that session is
 * @param limit ms
 */
export async function askAboutPeer(
  flow: Flow,
  reader: PeerReader,
  otherPeer: Peer | undefined,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal },
): Promise<SecondOpinion> {
  const { peer, bytesRead } = flow
  if (flow.inFlight === 0) return 'working'
  if (peer === undefined || otherPeer?.run !== peer.run || bytesRead === undefined) return 'unknown'
  const isQuiet = (): boolean => flow.inFlight > 0 && flow.quietFor > limit && flow.bytesRead === bytesRead
  const list = await reader.with(peer.id)
  if (!isQuiet()) return 'working'
  const session = parseSession(list, peer.id)
  if (session === undefined) return 'gone'
  // Blocked on purpose (BLPOP, XREAD, WAIT), or about to be ended.
  if (/[bAc]/.test(session.flags)) return 'working'
  if (session.unfinished) return flow.quietFor > STALLED_FACTOR * limit ? 'gone' : 'working'
  await delay(limit, undefined, { signal })
  return isQuiet() ? 'gone' : 'working'
}

/** The line of a session in the answer of `CLIENT LIST`; undefined if there is none. */
function parseSession(list: string, id: number): { flags: string; unfinished: boolean } | undefined {
  const line = list.split('\n').find((text) => text.startsWith(`id=${id} `))
  if (line === undefined) return undefined
  const fields = new Map(line.split(' ').map((field) => field.split('=', 2) as [string, string]))
  // A command that has come in part, and a reply that has not been sent yet.
  const unfinished = ['qbuf', 'obl', 'oll', 'omem'].some((name) => Number(fields.get(name) ?? 0) > 0)
  return { flags: fields.get('flags') ?? '', unfinished }
}
