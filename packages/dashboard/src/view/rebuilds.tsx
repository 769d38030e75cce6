import { age, dayAndTime, duration, timeOfDay } from '../format.ts'
import type { Course } from '../state/rebuild-courses.ts'
import { useApp, useText } from './context.ts'

const SHOWN = 60
/** The overview goes back so far, ms. */
const SPAN = 600_000
/** In units of the picture. */
const WIDTH = 1000
const NARROWEST = 3

/** Rebuilds, each from its reason to what came of it. */
export function Rebuilds() {
  const { model } = useApp()
  const text = useText().rebuilds
  model.eventsChanged.value
  const courses = model.courses.list()
  return (
    <section class="panel" aria-labelledby="rebuilds-title">
      <div class="panel-head">
        <h2 id="rebuilds-title">{text.title}</h2>
      </div>
      {courses.length === 0 ? (
        <p class="empty">
          {text.empty} {text.emptyHint}
        </p>
      ) : (
        <>
          <Overview courses={courses} />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
          <ol class="courses" tabIndex={0} aria-labelledby="rebuilds-title">
            {courses.slice(0, SHOWN).map((course) => (
              <CourseRow key={course.key} course={course} />
            ))}
          </ol>
        </>
      )}
    </section>
  )
}

/** When they were, on one line: bursts are seen before anything is read. */
function Overview({ courses }: { readonly courses: readonly Course[] }) {
  const { model } = useApp()
  const text = useText().rebuilds
  const now = model.agentNow
  const from = now - SPAN
  const shown = courses.filter((course) => (course.endedAt ?? now) > from)
  const failed = shown.filter(({ outcome }) => outcome === 'failed').length
  return (
    <figure class="overview">
      <svg viewBox={`0 0 ${WIDTH} 20`} preserveAspectRatio="none" aria-hidden="true">
        {shown.map((course) => {
          const begin = course.markedAt ?? course.startedAt ?? course.endedAt ?? now
          const x = Math.max(0, ((begin - from) / SPAN) * WIDTH)
          const end = (((course.endedAt ?? now) - from) / SPAN) * WIDTH
          const isFailed = course.outcome === 'failed'
          return (
            <rect
              key={course.key}
              class={course.outcome}
              x={Math.min(x, WIDTH - NARROWEST)}
              y={isFailed ? 0 : 6}
              width={Math.max(NARROWEST, end - x)}
              height={isFailed ? 20 : 14}
            />
          )
        })}
      </svg>
      <figcaption class="muted figures">
        <span>{timeOfDay(from)}</span>
        <span>{text.overview(shown.length, failed)}</span>
        <span>{timeOfDay(now)}</span>
      </figcaption>
    </figure>
  )
}

function CourseRow({ course }: { readonly course: Course }) {
  const app = useApp()
  const text = useText()
  const { connectionId, kind, detail, urgent, markedAt, startedAt, endedAt } = course
  const begin = markedAt ?? startedAt ?? endedAt ?? 0
  return (
    <li class={`course ${course.outcome}`}>
      <div class="course-cause">
        <time class="figures muted" title={dayAndTime(begin)}>
          {timeOfDay(begin)}
        </time>
        <button
          type="button"
          class="name"
          onClick={() => {
            app.selected.value = connectionId
          }}
        >
          {connectionId}
        </button>
        <code title={text.reasons[kind]}>{kind}</code>
        {urgent && <span class="badge poor">{text.rebuilds.urgent}</span>}
        <span class="course-detail">{detail}</span>
      </div>
      <Steps course={course} />
    </li>
  )
}

/** marked → started → what came of it, with the time between. */
function Steps({ course }: { readonly course: Course }) {
  const { model } = useApp()
  const text = useText().rebuilds
  const { markedAt, startedAt, endedAt, outcome, durationMs, tries, stage, error, newGeneration } = course
  // Only what has not ended grows older.
  const now = outcome === 'marked' || outcome === 'running' ? model.agentNow : 0
  const waited = markedAt === undefined || startedAt === undefined ? undefined : startedAt - markedAt
  const took = durationMs ?? (startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt)
  return (
    <ol class="steps figures">
      {markedAt !== undefined && <li class="step">{text.marked}</li>}
      {startedAt !== undefined && (
        <li class="step">
          {waited !== undefined && <Gap label={duration(waited)} />}
          {text.started}
          {tries > 1 && ` (${text.tries(tries)})`}
        </li>
      )}
      <li class={`step end ${outcome}`}>
        {outcome === 'marked' && <Gap label={age(now - (markedAt ?? now))} />}
        {outcome === 'running' && <Gap label={age(now - (startedAt ?? now))} />}
        {took !== undefined && outcome !== 'closed' && outcome !== 'dropped' && <Gap label={duration(took)} />}
        <span>
          {outcome === 'marked' && text.waitingForTurn}
          {outcome === 'running' && text.running}
          {outcome === 'completed' && `✓ ${text.completed}`}
          {outcome === 'failed' && `× ${text.failed(stage)}`}
          {outcome === 'closed' && `– ${text.closed}`}
          {outcome === 'dropped' && `– ${text.dropped}`}
        </span>
        {outcome === 'completed' && newGeneration !== undefined && <span class="muted">{text.generation(newGeneration)}</span>}
        {outcome === 'failed' && error !== undefined && <span class="error-text">{error}</span>}
      </li>
    </ol>
  )
}

function Gap({ label }: { readonly label: string }) {
  return (
    <span class="gap">
      <span class="gap-line" aria-hidden="true" />
      <span>{label}</span>
      <span class="gap-line" aria-hidden="true" />
    </span>
  )
}
