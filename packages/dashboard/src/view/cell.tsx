import { useApp, useText } from './context.ts'
import { signOf } from './signs.ts'

/** One connection: its state by form, its health by colour and sign, what is decided in a corner. */
export function Cell({ id }: { readonly id: string }) {
  const { model } = useApp()
  const text = useText()
  const { state, health, mark } = model.connections.look(id).value
  const label = text.cells.label(
    id,
    text.states[state],
    text.healths[health],
    mark === undefined ? undefined : (text.reasons[mark.kind] ?? mark.kind),
  )
  return (
    <button
      type="button"
      class={`cell state-${state} health-${health} ${markClass(mark)}`}
      data-id={id}
      tabIndex={-1}
      aria-label={label}
      title={label}
    >
      <span aria-hidden="true">{signOf(state, health)}</span>
    </button>
  )
}

const markClass = (mark: { readonly urgent: boolean } | undefined): string =>
  mark === undefined ? '' : mark.urgent ? 'marked urgent' : 'marked'
