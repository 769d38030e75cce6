import { age } from '../format.ts'
import { useApp, useText } from './context.ts'

/** Samples come once a second: after so long without a word something is wrong, ms. */
export const SILENT_MS = 3500

/** Says when the agent can't be reached, and how old that is which is shown. */
export function Banner() {
  const { model, sync } = useApp()
  const text = useText().link
  const { streaming, heardAt, nextTryAt } = model.link.value
  const now = model.now.value
  const silentFor = now - heardAt
  if (silentFor < SILENT_MS && (streaming || nextTryAt === undefined)) return null
  const isUnreachable = silentFor >= SILENT_MS
  const wait = (nextTryAt ?? now) - now
  return (
    <div class={`banner ${isUnreachable ? 'bad' : 'poor'}`} role="alert">
      <span aria-hidden="true">⚠</span>
      <span>
        <strong>{isUnreachable ? text.unreachable(age(silentFor)) : text.noStream}</strong> {isUnreachable && text.dataAge(age(silentFor))}{' '}
        {!streaming && (wait > 0 ? text.nextTry(age(wait)) : text.trying)}
      </span>
      <button type="button" onClick={() => sync.tryNow()}>
        {text.tryNow}
      </button>
    </div>
  )
}
