import type { ConnectionState, Health } from '../api/contract.ts'
import { useText } from './context.ts'
import { signOf } from './signs.ts'

const SHOWN_STATES: readonly ConnectionState[] = ['idle', 'acquired', 'checking', 'connecting', 'rebuilding', 'closing']
const SHOWN_HEALTHS: readonly Health[] = ['healthy', 'degraded', 'unhealthy', 'unknown']

/** What forms, colours and signs mean. */
export function Legend() {
  const text = useText()
  return (
    <details class="legend">
      <summary>{text.cells.legend}</summary>
      <div class="legend-body">
        <p class="muted">{text.cells.help}</p>
        <h3>{text.cells.legendState}</h3>
        <ul>
          {SHOWN_STATES.map((state) => (
            <li key={state}>
              <Sample classes={`state-${state} health-healthy`} sign={signOf(state, 'healthy')} /> {text.states[state]}
            </li>
          ))}
        </ul>
        <h3>{text.cells.legendHealth}</h3>
        <ul>
          {SHOWN_HEALTHS.map((health) => (
            <li key={health}>
              <Sample classes={`state-acquired health-${health}`} sign={signOf('acquired', health)} /> {text.healths[health]}
            </li>
          ))}
        </ul>
        <h3>{text.cells.legendMark}</h3>
        <ul>
          <li>
            <Sample classes="state-idle health-healthy marked" sign="" /> {text.cells.marked}
          </li>
          <li>
            <Sample classes="state-idle health-healthy marked urgent" sign="" /> {text.cells.markedUrgent}
          </li>
        </ul>
      </div>
    </details>
  )
}

function Sample({ classes, sign }: { readonly classes: string; readonly sign: string }) {
  return (
    <span class={`cell sample ${classes}`} aria-hidden="true">
      {sign}
    </span>
  )
}
