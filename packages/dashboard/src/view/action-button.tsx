import type { Action } from '../state/preview.ts'
import { useApp, useText } from './context.ts'

/** A button that asks whether something is to be done. Who may not, sees that and why. */
export function ActionButton({
  action,
  label,
  loud = false,
}: {
  readonly action: Action
  readonly label: string
  readonly loud?: boolean
}) {
  const app = useApp()
  const text = useText()
  const may = app.maySteer.value
  return (
    <button
      type="button"
      class={loud ? 'loud' : ''}
      disabled={!may}
      title={may ? undefined : text.actions.needsOperator}
      onClick={() => app.ask(action)}
    >
      {label}
    </button>
  )
}
