import { age } from '../format.ts'
import { dataAge, isSilent, isStale } from '../state/model.ts'
import { useApp, useText } from './context.ts'

/** Says when the agent can't be reached, and how old that is which is shown. */
export function Banner() {
  const { model, sync } = useApp()
  const { link: text, headline } = useText()
  const link = model.link.value
  const { streaming, nextTryAt } = link
  const now = model.now.value
  const oldFor = dataAge(link, now)
  const isOld = isStale(link, now)
  if (!isOld && (streaming || nextTryAt === undefined)) return null
  const isUnreachable = isOld && (!streaming || isSilent(link, now))
  const wait = (nextTryAt ?? now) - now
  const what = isOld ? text.unread : text.noStream
  return (
    <div class={`banner ${isOld ? 'bad' : 'poor'}`}>
      {/* What is read out has no times: they change every moment, and who listens can't skip. */}
      <span class="visually-hidden" role="alert">
        {isUnreachable ? headline.stale : what}
      </span>
      <span aria-hidden="true">⚠</span>
      <span>
        <strong>{isUnreachable ? text.unreachable(age(oldFor)) : what}</strong> {isOld && text.dataAge(age(oldFor))}{' '}
        {!streaming && (wait > 0 ? text.nextTry(age(wait)) : text.trying)}
      </span>
      <button type="button" onClick={() => sync.tryNow()}>
        {text.tryNow}
      </button>
    </div>
  )
}
