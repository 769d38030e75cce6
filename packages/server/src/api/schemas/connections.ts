import Type from 'typebox'
import type { ConnectionRecord } from 'wellpool'
import { closed, count, ms, time, words } from './common.ts'

const STATES = ['connecting', 'idle', 'acquired', 'checking', 'rebuilding', 'closing', 'closed'] as const
const HEALTHS = ['unknown', 'healthy', 'degraded', 'unhealthy'] as const

export const MarkSchema = Type.Object({
  kind: Type.String({ description: 'The reason: one of a small set.' }),
  detail: Type.String({ description: 'The reason, for people.' }),
  urgent: Type.Boolean(),
})

export const ConnectionSchema = Type.Object({
  id: Type.String({ description: 'Unique in the process; the same over all generations.' }),
  pool: Type.String(),
  protocol: Type.String(),
  generation: count('1 when first connected, +1 at each rebuild.'),
  state: words(STATES),
  health: words(HEALTHS),
  mark: Type.Optional(MarkSchema),
  uses: count('Leases on the present client.'),
  requests: count('Uses that ended with a result or an error.'),
  errors: count("Requests that ended with an error other than the application's own."),
  createdAt: time('When the connection was first made'),
  lastProvenAt: time('When the present client last proved to work'),
  lastRebuiltAt: Type.Optional(time('When it was last rebuilt')),
  lastCheckMs: Type.Optional(ms('How long its last check took that it has passed')),
  ageMs: ms('How old the present client is'),
})

export const ConnectionParams = closed({ id: Type.String({ minLength: 1, maxLength: 250, description: "The connection's id." }) })

export const ConnectionQuery = closed({
  pool: Type.Optional(Type.String()),
  protocol: Type.Optional(Type.String()),
  state: Type.Optional(words(STATES)),
  health: Type.Optional(words(HEALTHS)),
  marked: Type.Optional(Type.Boolean({ description: 'Only those that are, or are not, to be rebuilt.' })),
})

/** A connection as the API tells it. */
export function toConnection(record: ConnectionRecord, now: number) {
  // The copy last: V8 takes far longer to add a property to an object that began as one.
  return { ageMs: Math.max(0, now - (record.lastRebuiltAt ?? record.createdAt)), ...record }
}
