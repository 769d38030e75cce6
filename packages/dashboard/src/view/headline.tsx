import { useComputed } from '@preact/signals'
import { age } from '../format.ts'
import { type Diagnosis, type Doing, FINDINGS, type Ill, type PoolTrouble } from '../state/diagnosis.ts'
import { isStale } from '../state/model.ts'
import type { Dictionary } from '../text/index.ts'
import { useApp, useText } from './context.ts'
import { HEALTH_SIGNS } from './signs.ts'

/** More than so many are counted, not listed. */
const MAX_LISTED = 8

/** Problems first: what is wrong, why, and what is done about it; or that nothing is. */
export function Headline() {
  const { model } = useApp()
  const text = useText()
  const diagnosis = model.diagnosis.value
  const pools = model.pools.value
  const isOld = useComputed(() => isStale(model.link.value, model.now.value)).value
  if (diagnosis === undefined) {
    return (
      <section class="headline" aria-busy="true">
        <h1>{text.headline.loading}</h1>
      </section>
    )
  }
  const { troubles, ill, renewing, idle, inUse, waiting, level } = diagnosis
  const listedTroubles = troubles.slice(0, MAX_LISTED)
  const listedIll = ill.slice(0, Math.max(2, MAX_LISTED - listedTroubles.length))
  // That something is wrong is worth a look in any case; that all is well nobody knows any more.
  const wasWell = isOld && level === 'well'
  const more = troubles.length + ill.length - listedTroubles.length - listedIll.length
  return (
    <section class={`headline ${wasWell ? 'unknown' : level}`} aria-labelledby="headline">
      <div class="headline-top">
        <h1 id="headline">
          <span class="headline-sign" aria-hidden="true">
            {wasWell ? '?' : level === 'well' ? '✓' : level === 'poor' ? '!' : '×'}
          </span>
          {wasWell && pools.length > 0 ? text.headline.wasWell(diagnosis.connections) : headlineOf(diagnosis, pools.length, text)}
        </h1>
        <p class="muted figures">
          {pools.length === 0
            ? text.headline.noPoolsHint
            : [
                text.headline.summary(pools.length, idle, inUse),
                text.headline.waiting(waiting),
                ...(renewing > 0 ? [text.headline.renewing(renewing)] : []),
              ].join(' · ')}
        </p>
      </div>
      {listedTroubles.length + listedIll.length > 0 && (
        <ul class="problems" aria-label={text.headline.list}>
          {listedTroubles.map((trouble) => (
            <TroubleRow key={`${trouble.kind} ${trouble.pool}`} trouble={trouble} />
          ))}
          {listedIll.map((each) => (
            <IllRow key={each.connection.id} ill={each} />
          ))}
          {more > 0 && <li class="more muted">{text.headline.andMore(more)}</li>}
        </ul>
      )}
    </section>
  )
}

/** The one sentence that has to be read. */
export function headlineOf({ troubles, ill, connections }: Diagnosis, pools: number, { headline }: Dictionary): string {
  if (pools === 0) return headline.noPools
  const down = troubles.filter(({ kind }) => kind === 'down').length
  const others = new Set(troubles.filter(({ kind }) => kind !== 'down').map(({ pool }) => pool)).size
  const parts = [
    ...(down > 0 ? [headline.down(down)] : []),
    ...(ill.length > 0 ? [headline.ill(ill.length)] : []),
    ...(others > 0 ? [headline.troubled(others)] : []),
  ]
  return parts.length === 0 ? headline.well(connections) : parts.join(headline.and)
}

function IllRow({ ill: { connection, severity, reason, doing } }: { readonly ill: Ill }) {
  const app = useApp()
  const text = useText()
  return (
    <li class={`problem ${severity}`}>
      <span class={`sign health-${connection.health}`} aria-hidden="true">
        {HEALTH_SIGNS[connection.health] || '•'}
      </span>
      <button
        type="button"
        class="name"
        onClick={() => {
          app.selected.value = connection.id
        }}
      >
        {connection.id}
      </button>
      <span class="problem-health">{text.healths[connection.health]}</span>
      <span class="why">{reason === undefined ? <span class="muted">{text.headline.noReason}</span> : <ReasonText reason={reason} />}</span>
      <span class="doing">
        <DoingText doing={doing} />
      </span>
    </li>
  )
}

/** A reason as the pool has it, by the word that its metrics and docs have too; or what was found. */
export function ReasonText({ reason: { kind, detail } }: { readonly reason: { readonly kind: string; readonly detail: string } }) {
  const text = useText()
  const label = text.reasons[kind]
  if (FINDINGS.has(kind)) return <>{text.headline.because(label ?? kind, detail)}</>
  return (
    <>
      <code title={label}>{kind}</code> {detail}
    </>
  )
}

/** What Wellpool does about a connection, and for how long it has. */
export function DoingText({ doing }: { readonly doing: Doing }) {
  const { model } = useApp()
  const text = useText().doing
  const since =
    'since' in doing && doing.since !== undefined
      ? (doing.kind === 'queued' ? text.andDecided : text.andSince)(age(model.agentNow - doing.since))
      : ''
  return (
    <span class="figures">
      {doing.kind === 'rebuilding' && (doing.outOfService ? text.rebuilding : text.rebuildingBeside)}
      {doing.kind === 'queued' && (doing.urgent ? text.queuedUrgent : text.queued)}
      {doing.kind === 'trying-again' && text.tryingAgain(doing.tries)}
      {doing.kind === 'checking-again' && text.checkingAgain}
      {doing.kind === 'watching' && text.watching}
      {since}
    </span>
  )
}

function TroubleRow({ trouble }: { readonly trouble: PoolTrouble }) {
  const app = useApp()
  const text = useText()
  const isBad = trouble.kind === 'down' || trouble.kind === 'panic'
  return (
    <li class={`problem ${isBad ? 'bad' : 'poor'}`}>
      <span class="sign" aria-hidden="true">
        {isBad ? '×' : '!'}
      </span>
      <a
        class="name"
        href={`#pool-${encodeURIComponent(trouble.pool)}`}
        onClick={() => {
          app.chartPool.value = trouble.pool
        }}
      >
        {trouble.pool}
      </a>
      <span class="problem-health" />
      <span class="why">
        {sentenceOf(trouble, text)}
        {'error' in trouble && trouble.error !== undefined && <span class="error-text"> {trouble.error}</span>}
      </span>
      <span class="doing figures">
        {'nextTryAt' in trouble && trouble.nextTryAt !== undefined && <NextTry at={trouble.nextTryAt} />}
        {trouble.kind === 'leak' && text.doing.since(age(app.model.agentNow - trouble.since))}
      </span>
    </li>
  )
}

function NextTry({ at }: { readonly at: number }) {
  const { model } = useApp()
  const text = useText().troubles
  const wait = at - model.agentNow
  return <>{wait > 0 ? text.nextTry(age(wait)) : text.tryingNow}</>
}

function sentenceOf(trouble: PoolTrouble, { troubles, poolStates }: Dictionary): string {
  switch (trouble.kind) {
    case 'down':
      return troubles.down(trouble.waiting)
    case 'connecting-fails':
      return troubles.connectingFails
    case 'panic':
      return troubles.panic(trouble.unwell, trouble.total)
    case 'paused':
      return troubles.paused(trouble.waiting)
    case 'ending':
      return troubles.ending(poolStates[trouble.state])
    case 'saturated':
      return troubles.saturated(trouble.waiting, trouble.inUse, trouble.max)
    case 'leak':
      return troubles.leak(trouble.connectionId)
  }
}
