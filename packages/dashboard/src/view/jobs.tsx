import type { Job } from '../api/contract.ts'
import type { Notice } from '../state/steering.ts'
import { titleOf } from './consequences.ts'
import { useApp, useText } from './context.ts'
import { hasFailed, outcomeOf } from './job-outcome.ts'

/** What was asked for by hand: how far it is, and what came of it. */
export function Jobs() {
  const { steering } = useApp()
  const text = useText()
  const jobs = steering.jobs.value
  const notices = steering.notices.value
  return (
    // One row at a time is read out, and not how far each is: that changes every moment.
    <section class="jobs" role="status" aria-atomic="false" aria-label={text.jobs.title}>
      {notices.map((notice) => (
        <NoticeRow key={notice.id} notice={notice} />
      ))}
      {jobs.map((job) => (
        <JobRow key={job.id} job={job} />
      ))}
    </section>
  )
}

function NoticeRow({ notice: { id, action, problem } }: { readonly notice: Notice }) {
  const { steering } = useApp()
  const text = useText()
  const isDone = problem === undefined
  const done =
    action.kind === 'pause'
      ? text.jobs.paused(action.pool)
      : action.kind === 'resume'
        ? text.jobs.resumed(action.pool)
        : action.kind === 'evict'
          ? text.jobs.evicted(action.pool)
          : ''
  return (
    <div class={`job ${isDone ? 'completed' : 'failed'}`} aria-atomic="true">
      <span class="job-sign" aria-hidden="true">
        {isDone ? '✓' : '×'}
      </span>
      <strong>{isDone ? done : titleOf(action, text)}</strong>
      {!isDone && <span class="error-text">{problem}</span>}
      <span class="spring" />
      <Dismiss onClick={() => steering.dismissNotice(id)} />
    </div>
  )
}

function JobRow({ job }: { readonly job: Job }) {
  const app = useApp()
  const text = useText()
  const { id, state, target, createdBy, progress } = job
  const { total, succeeded, failed } = progress
  const isRunning = state === 'running'
  const what = text.jobs.target(target.kind, target.name)
  return (
    <div class={`job ${hasFailed(job) ? 'failed' : state}`} aria-atomic="true">
      <span class="job-sign" aria-hidden="true">
        {isRunning ? '↻' : hasFailed(job) ? '×' : state === 'cancelled' ? '–' : '✓'}
      </span>
      <strong>{what}</strong>
      <span class="muted">{text.jobs.by(createdBy)}</span>
      {isRunning ? (
        <>
          <progress max={Math.max(1, total)} value={succeeded + failed} aria-label={what} />
          <span class="figures" aria-live="off">
            {text.jobs.progress(succeeded + failed, total)} {failed > 0 && <span class="error-text">{text.jobs.failures(failed)}</span>}
          </span>
        </>
      ) : (
        <span class="figures">{outcomeOf(job, text)}</span>
      )}
      <span class="spring" />
      {isRunning ? (
        <button type="button" disabled={!app.maySteer.value} onClick={() => void app.steering.cancel(id)}>
          {text.actions.cancel}
        </button>
      ) : (
        <Dismiss onClick={() => app.steering.dismissJob(id)} />
      )}
    </div>
  )
}

function Dismiss({ onClick }: { readonly onClick: () => void }) {
  const { dismiss } = useText().actions
  return (
    <button type="button" class="quiet" aria-label={dismiss} title={dismiss} onClick={onClick}>
      <span aria-hidden="true">✕</span>
    </button>
  )
}
