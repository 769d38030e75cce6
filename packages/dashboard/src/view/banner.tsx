import { age } from '../format.ts'
import { dataAge } from '../state/model.ts'
import { useApp, useText } from './context.ts'

/** Samples come once a second: after so long without a word something is wrong, ms. */
export const SILENT_MS = 3500

/** Says when the agent can't be reached, and how old that is which is shown. */
export function Banner() {
  const { model, sync } = useApp()
  const { link: text, headline } = useText()
  const link = model.link.value
  const { streaming, heardAt, nextTryAt } = link
  const now = model.now.value
  const oldFor = dataAge(link, now)
  const isStale = oldFor >= SILENT_MS
  if (!isStale && (streaming || nextTryAt === undefined)) return null
  const isUnreachable = isStale && (!streaming || now - heardAt >= SILENT_MS)
  const wait = (nextTryAt ?? now) - now
  const what = isStale ? text.unread : text.noStream
  return (
    <div class={`banner ${isStale ? 'bad' : 'poor'}`}>
      {/* What is read out has no times: they change every moment, and who listens can't skip. */}
      <span class="visually-hidden" role="alert">
        {isUnreachable ? headline.stale : what}
      </span>
      <span aria-hidden="true">⚠</span>
      <span>
        <strong>{isUnreachable ? text.unreachable(age(oldFor)) : what}</strong> {isStale && text.dataAge(age(oldFor))}{' '}
        {!streaming && (wait > 0 ? text.nextTry(age(wait)) : text.trying)}
      </span>
      <button type="button" onClick={() => sync.tryNow()}>
        {text.tryNow}
      </button>
    </div>
  )
}
