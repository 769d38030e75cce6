import type { Job } from '../api/contract.ts'
import { duration } from '../format.ts'
import type { Dictionary } from '../text/index.ts'

/** A job can be completed and its rebuild not have succeeded: its result says so. */
export function hasFailed({ state, progress, result }: Job): boolean {
  return state === 'failed' || progress.failed > 0 || result?.success === false
}

/** What came of a job that has ended. */
export function outcomeOf({ state, progress, createdAt, endedAt = createdAt, result, problem }: Job, { jobs }: Dictionary): string {
  const detail = problem?.detail ?? (result?.error as { message?: unknown } | undefined)?.message
  if (state === 'failed' || result?.success === false) return `${jobs.states.failed}: ${String(detail ?? '')}`
  // The progress is counted by events; the result is what the pool says of the whole.
  const [succeeded = progress.succeeded, failed = progress.failed, skipped = 0] = [result?.succeeded, result?.failed, result?.skipped].map(
    (value) => (typeof value === 'number' ? value : undefined),
  )
  const parts = [
    ...(state === 'cancelled' ? [jobs.states.cancelled ?? ''] : []),
    ...(succeeded > 0 || failed > 0 ? [jobs.succeeded(succeeded, duration(endedAt - createdAt))] : []),
    ...(succeeded + failed + skipped === 0 ? [jobs.nothingToDo] : []),
    ...(failed > 0 ? [jobs.failures(failed)] : []),
    ...(skipped > 0 ? [jobs.skipped(skipped)] : []),
  ]
  return parts.join(', ')
}
