import { useState } from 'preact/hooks'
import { EVENT_NAMES, type EventName, type EventRecord, type Level } from '../api/contract.ts'
import { clockTime, dayAndTime, whole } from '../format.ts'
import { SHOWN } from '../state/event-list.ts'
import { useApp, useText } from './context.ts'
import { eventLine } from './event-line.ts'

/** So many are drawn until somebody scrolls down to them: what nobody sees costs the same as what is seen. */
const AT_FIRST = 20
const CHOICES: readonly Level[] = ['debug', 'info', 'warn', 'error']
const LEVEL_SIGNS: Readonly<Record<Level, string>> = { debug: '·', info: 'i', warn: '!', error: '×' }

/** What happens, and what was left out of it. */
export function Events() {
  const { model } = useApp()
  const text = useText().events
  model.eventsChanged.value
  const { events, eventList } = model
  const [most, setMost] = useState(AT_FIRST)
  const shown = eventList.find()
  return (
    <section class="panel" aria-labelledby="events-title">
      <div class="panel-head">
        <h2 id="events-title">{text.title}</h2>
        <span class="spring" />
        <Hold />
      </div>
      <Filter />
      <Missing />
      {shown.length === 0 && <p class="empty">{events.events.length === 0 ? text.empty : text.nonePass}</p>}
      {shown.length > 0 && (
        <ol
          class="events"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
          tabIndex={0}
          aria-labelledby="events-title"
          onScroll={({ currentTarget }) => setMost(currentTarget.scrollTop > 0 ? SHOWN : AT_FIRST)}
        >
          {shown.slice(0, most).map((event) => (
            <Row key={event.seq} event={event} />
          ))}
        </ol>
      )}
      {shown.length === SHOWN && <p class="muted small">{text.shown(SHOWN)}</p>}
    </section>
  )
}

function Hold() {
  const { eventList } = useApp().model
  const text = useText().events
  const isHeld = eventList.held.value !== undefined
  return (
    <button id="hold-events" type="button" aria-pressed={isHeld} onClick={() => eventList.toggleHold()}>
      {isHeld ? text.held(eventList.newer) : text.hold}
    </button>
  )
}

function Filter() {
  const { model } = useApp()
  const text = useText()
  const { eventList } = model
  const { level, name, pool, text: wanted } = eventList.filter.value
  return (
    <search class="filter">
      <select
        aria-label={text.events.level}
        value={level}
        onChange={({ currentTarget }) => eventList.choose({ level: currentTarget.value as Level })}
      >
        {CHOICES.map((each) => (
          <option key={each} value={each}>
            {each === 'debug' ? text.events.everyLevel : each === 'error' ? text.levels.error : text.events.andAbove(text.levels[each])}
          </option>
        ))}
      </select>
      <select
        aria-label={text.events.name}
        value={name ?? ''}
        onChange={({ currentTarget }) =>
          eventList.choose({ name: currentTarget.value === '' ? undefined : (currentTarget.value as EventName) })
        }
      >
        <option value="">{text.events.everyName}</option>
        {EVENT_NAMES.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
      <select
        aria-label={text.events.pool}
        value={pool ?? ''}
        onChange={({ currentTarget }) => eventList.choose({ pool: currentTarget.value === '' ? undefined : currentTarget.value })}
      >
        <option value="">{text.events.everyPool}</option>
        {model.pools.value.map((each) => (
          <option key={each.name} value={each.name}>
            {each.name}
          </option>
        ))}
      </select>
      <input
        id="event-text"
        type="search"
        aria-label={text.events.text}
        placeholder={text.events.textPlaceholder}
        value={wanted}
        onInput={({ currentTarget }) => eventList.choose({ text: currentTarget.value })}
      />
    </search>
  )
}

/** Nothing is missing without being counted. */
function Missing() {
  const { model } = useApp()
  const text = useText().events
  model.eventsChanged.value
  const { leftOut, dropped, others } = model.events
  const names = [...leftOut].sort(([, a], [, b]) => b - a)
  const total = names.reduce((sum, [, count]) => sum + count, 0)
  if (total + dropped + others === 0) return null
  return (
    <p class="missing small figures">
      {total > 0 && (
        <span class="left-out">
          {text.leftOut(total)} ({names.map(([name, count]) => `${name} ${whole(count)}`).join(', ')})
        </span>
      )}
      {dropped > 0 && <span>{text.dropped(dropped)}</span>}
      {others > 0 && <span class="others">{text.others(others)}</span>}
    </p>
  )
}

function Row({ event }: { readonly event: EventRecord }) {
  const app = useApp()
  const text = useText()
  const { name, level, timestamp, pool, connectionId } = event
  return (
    <li class={`event level-${level}`}>
      <time class="figures muted" title={dayAndTime(timestamp)}>
        {clockTime(timestamp)}
      </time>
      <span class="level-sign" title={text.levels[level]}>
        <span aria-hidden="true">{LEVEL_SIGNS[level]}</span>
        <span class="visually-hidden">{text.levels[level]}</span>
      </span>
      <span class="event-name">{name}</span>
      {connectionId === undefined ? (
        <span class="event-place">{pool}</span>
      ) : (
        <button
          type="button"
          class="name event-place"
          onClick={() => {
            app.selected.value = connectionId
          }}
        >
          {connectionId}
        </button>
      )}
      <span class="event-line">{eventLine(event)}</span>
    </li>
  )
}
