import Type from 'typebox'
import type { BatchRebuildResult, RebuildResult } from 'wellpool'
import { toErrorRecord } from '../../observe/pool-event.ts'
import { closed, count, ErrorSchema, ms, time, timeout, words } from './common.ts'

const Reason = Type.Object({ kind: Type.String(), detail: Type.String() })

export const RebuildResultSchema = Type.Object({
  connectionId: Type.String(),
  pool: Type.String(),
  protocol: Type.String(),
  success: Type.Boolean(),
  reason: Reason,
  oldGeneration: Type.Integer(),
  newGeneration: Type.Optional(Type.Integer()),
  durationMs: ms('How long it took'),
  stage: Type.Optional(words(['connect', 'check', 'replace'])),
  error: Type.Optional(ErrorSchema),
  timestamp: time('When it ended'),
})

const counts = { total: count(), succeeded: count(), failed: count(), skipped: count('Not begun: cancelled, or out of time.') }

export const BatchResultSchema = Type.Object({
  ...counts,
  byProtocol: Type.Record(Type.String(), Type.Object(counts)),
  results: Type.Array(RebuildResultSchema),
  startedAt: time('When it began'),
  endedAt: time('When it ended'),
  durationMs: ms('How long it took'),
  cancelled: Type.Boolean(),
})

export const RebuildOneBody = closed({
  urgent: Type.Optional(
    Type.Boolean({
      description: 'Whether the connection leaves service at once, instead of serving until its successor is ready. Default false.',
    }),
  ),
  timeout: Type.Optional(timeout('How long it may take to begin. Default: the acquireTimeout of the pool.')),
})

export const RebuildManyBody = closed({
  all: Type.Optional(Type.Boolean({ description: 'Every connection, or only those that are marked or due. Default false.' })),
  timeout: Type.Optional(timeout('After this nothing more is begun. Default: no limit.')),
})

export const JobSchema = Type.Object({
  id: Type.String(),
  state: words(['running', 'completed', 'failed', 'cancelled']),
  target: Type.Object({ kind: words(['connection', 'pool', 'protocol', 'all']), name: Type.Optional(Type.String()) }),
  createdBy: Type.String(),
  createdAt: time('When it began'),
  endedAt: Type.Optional(time('When it ended')),
  progress: Type.Object({ total: count('Connections that are to be rebuilt.'), succeeded: count(), failed: count() }),
  result: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'What the call would have answered, once it has ended.' }),
  ),
  problem: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'The problem that it ended with.' })),
})

export const JobParams = closed({ job: Type.String({ minLength: 1, maxLength: 50 }) })

/** A result as the API tells it. */
export function toRebuildResult({ error, ...result }: RebuildResult) {
  return { ...result, ...(error !== undefined && { error: toErrorRecord(error) }) }
}

/** The results of a batch as the API tells them. */
export function toBatchResult({ results, ...batch }: BatchRebuildResult) {
  return { ...batch, results: results.map(toRebuildResult) }
}
