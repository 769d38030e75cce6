import type { EventRecord } from '../api/contract.ts'
import { duration } from '../format.ts'
import { detailsOf } from '../state/event-details.ts'

/** What an event carries, on one line: as the pool has said it, in every language the same. */
export function eventLine(event: EventRecord): string {
  const { reason, word, error, urgent, stage, from, to, durationMs, heldMs, retryInMs, failures, oldGeneration, newGeneration } =
    detailsOf(event)
  const parts: (string | undefined)[] = [
    urgent ? 'urgent' : undefined,
    reason === undefined ? undefined : [reason.kind, reason.detail].filter((part) => part !== '').join(': '),
    word,
    from === undefined || to === undefined ? undefined : `${from} → ${to}`,
    stage,
    error,
    failures === undefined ? undefined : `× ${failures}`,
    oldGeneration === undefined || newGeneration === undefined ? undefined : `${oldGeneration} → ${newGeneration}`,
    durationMs === undefined ? undefined : duration(durationMs),
    heldMs === undefined ? undefined : duration(heldMs),
    retryInMs === undefined ? undefined : `↻ ${duration(retryInMs)}`,
  ]
  return parts.filter((part) => part !== undefined && part !== '').join(' · ')
}
