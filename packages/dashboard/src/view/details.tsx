import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Connection, EventRecord } from '../api/contract.ts'
import { age, clockTime, dayAndTime, duration, percent, whole } from '../format.ts'
import { doingOf, FINDINGS, isIll } from '../state/diagnosis.ts'
import { ActionButton } from './action-button.tsx'
import { cellOf } from './cell-focus.ts'
import { useApp, useText } from './context.ts'
import { eventLine } from './event-line.ts'
import { DoingText } from './headline.tsx'
import { HEALTH_SIGNS } from './signs.ts'

const HISTORY = 100

/** Everything about one connection, beside the others. */
export function Details() {
  const app = useApp()
  const text = useText().details
  const id = app.selected.value
  const panel = useRef<HTMLElement>(null)
  const closer = useRef<HTMLButtonElement>(null)
  useLayoutEffect(() => {
    if (id === undefined) return
    closer.current?.focus()
    // Whoever closes the details goes on where they were, unless they are elsewhere already.
    return () => {
      const active = document.activeElement
      const isElsewhere = active !== null && active !== document.body && panel.current?.contains(active) !== true
      if (!isElsewhere) cellOf(document, id)?.focus()
    }
  }, [id])
  if (id === undefined) return null
  const connection = app.model.connections.all.value.get(id)
  return (
    <aside class="details" ref={panel} aria-labelledby="details-title">
      <div class="details-head">
        <h2 id="details-title">{text.title(id)}</h2>
        <button
          type="button"
          class="quiet"
          ref={closer}
          aria-label={text.close}
          title={`${text.close} (Esc)`}
          onClick={() => {
            app.selected.value = undefined
          }}
        >
          <span aria-hidden="true">✕</span>
        </button>
      </div>
      {connection === undefined ? <p class="gone">{text.gone}</p> : <Present connection={connection} />}
      <History id={id} />
    </aside>
  )
}

function Present({ connection }: { readonly connection: Connection }) {
  const text = useText()
  const { id, state, health } = connection
  return (
    <>
      <p class="chips">
        <span class={`badge health-${health} tinted`}>
          <span aria-hidden="true">{HEALTH_SIGNS[health] || '✓'}</span> {text.healths[health]}
        </span>
        <span class="badge">{text.states[state]}</span>
        <span class="badge">{connection.pool}</span>
      </p>
      <Why connection={connection} />
      <div class="buttons">
        <ActionButton action={{ kind: 'rebuild-one', connectionId: id, urgent: false }} label={text.actions.rebuild} />
        <ActionButton action={{ kind: 'rebuild-one', connectionId: id, urgent: true }} label={text.actions.rebuildUrgently} loud />
      </div>
      <Facts connection={connection} />
    </>
  )
}

function Why({ connection }: { readonly connection: Connection }) {
  const { model } = useApp()
  const text = useText()
  const ill = model.diagnosis.value?.ill.find((each) => each.connection.id === connection.id)
  const reason = connection.mark ?? ill?.reason
  const isBeingDone = isIll(connection) || connection.mark !== undefined || connection.state === 'rebuilding'
  if (!isBeingDone) return <p class="why-well">{connection.health === 'unknown' ? text.details.unknownNow : text.details.wellNow}</p>
  return (
    <dl class={`why-box ${ill?.severity ?? ''}`}>
      <dt>{text.details.why}</dt>
      <dd>
        {reason === undefined ? (
          text.headline.noReason
        ) : (
          <>
            <strong>{text.reasons[reason.kind] ?? reason.kind}</strong> {!FINDINGS.has(reason.kind) && <code>{reason.kind}</code>}
            <br />
            {reason.detail}
          </>
        )}
      </dd>
      <dt>{text.details.doing}</dt>
      <dd>
        <DoingText doing={ill?.doing ?? doingOf(connection, model.courses.of(connection.id))} />
      </dd>
    </dl>
  )
}

function Facts({ connection }: { readonly connection: Connection }) {
  const { model } = useApp()
  const text = useText().details
  const { protocol, generation, uses, requests, errors, lastCheckMs, createdAt, lastProvenAt, lastRebuiltAt } = connection
  const now = model.agentNow
  const ago = (at: number): string => text.ago(age(now - at))
  const facts: readonly (readonly [name: string, value: string, title?: string | undefined])[] = [
    [text.protocol, protocol],
    [text.generation, whole(generation)],
    [text.age, age(now - (lastRebuiltAt ?? createdAt))],
    [text.proven, ago(lastProvenAt), dayAndTime(lastProvenAt)],
    [text.lastCheck, lastCheckMs === undefined ? '–' : duration(lastCheckMs)],
    [text.uses, whole(uses)],
    [text.requests, whole(requests)],
    [text.errors, `${whole(errors)} (${percent(errors, requests)})`],
    [text.created, ago(createdAt), dayAndTime(createdAt)],
    [
      text.rebuilt,
      lastRebuiltAt === undefined ? text.never : ago(lastRebuiltAt),
      lastRebuiltAt === undefined ? undefined : dayAndTime(lastRebuiltAt),
    ],
  ]
  return (
    <dl class="facts figures">
      {facts.map(([name, value, title]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd title={title}>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** What the agent remembers of it, and what has happened since. */
function History({ id }: { readonly id: string }) {
  const { calls, model } = useApp()
  const text = useText()
  const [remembered, setRemembered] = useState<readonly EventRecord[]>([])
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    let isWanted = true
    setRemembered([])
    setProblem(undefined)
    calls.eventsOf(id, HISTORY).then(
      ({ events }) => {
        if (isWanted) setRemembered(events)
      },
      (error: Error) => {
        if (isWanted) setProblem(error.message)
      },
    )
    return () => {
      isWanted = false
    }
  }, [calls, id])
  // Read, so that this is drawn anew when there are new ones.
  model.eventsChanged.value
  const last = remembered.at(-1)?.seq ?? 0
  const newer = model.events.events.filter(({ connectionId, seq }) => connectionId === id && seq > last)
  const events = [...remembered, ...newer].slice(-HISTORY).reverse()
  return (
    <section class="history" aria-labelledby="history-title">
      <h3 id="history-title">{text.details.history}</h3>
      {problem !== undefined && (
        <p class="error-text">
          {text.details.historyFailed} {problem}
        </p>
      )}
      {events.length === 0 && problem === undefined && <p class="empty">{text.details.noHistory}</p>}
      <ol>
        {events.map((event) => (
          <li key={event.seq} class={`level-${event.level}`}>
            <time class="figures" title={dayAndTime(event.timestamp)}>
              {clockTime(event.timestamp)}
            </time>
            <span class="event-name">{event.name}</span>
            <span class="event-line">{eventLine(event)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
