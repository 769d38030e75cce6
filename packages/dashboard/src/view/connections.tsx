import { useEffect, useRef } from 'preact/hooks'
import type { Pool } from '../api/contract.ts'
import { whole } from '../format.ts'
import { ActionButton } from './action-button.tsx'
import { Cell } from './cell.tsx'
import { cellOf, keepTabStop, moveAmongCells } from './cell-focus.ts'
import { useApp, useText } from './context.ts'
import { Legend } from './legend.tsx'

/** A pool with more connections than this takes the whole width. */
const MANY = 60

/** Every connection as a cell, grouped by pool. */
export function Connections() {
  const app = useApp()
  const text = useText()
  const pools = app.model.pools.value
  const ids = app.model.connections.idsByPool.value
  const region = useRef<HTMLDivElement>(null)
  const selected = app.selected.value

  useEffect(() => {
    if (region.current !== null) keepTabStop(region.current)
  }, [ids])
  useEffect(() => {
    const cell = selected === undefined || region.current === null ? null : cellOf(region.current, selected)
    cell?.setAttribute('aria-current', 'true')
    return () => cell?.removeAttribute('aria-current')
  }, [selected])

  if (pools.length === 0) return null
  return (
    <section class="panel" id="connections" aria-labelledby="connections-title" tabIndex={-1}>
      <div class="panel-head">
        <h2 id="connections-title">{text.cells.title}</h2>
        <Legend />
        <span class="spring" />
        {pools.length > 1 && <ActionButton action={{ kind: 'rebuild-all', all: true }} label={text.actions.rebuildAll} />}
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the cells in it are buttons; it only moves the focus among them */}
      <div
        ref={region}
        class="pools"
        onKeyDown={(event) => {
          if (region.current !== null) moveAmongCells(event, region.current)
        }}
        onClick={({ target }) => {
          const id = target instanceof Element ? target.closest<HTMLElement>('.cell')?.dataset.id : undefined
          if (id !== undefined) app.selected.value = id
        }}
      >
        {pools.map((pool) => (
          <PoolCard key={pool.name} pool={pool} ids={ids.get(pool.name) ?? NONE} />
        ))}
      </div>
    </section>
  )
}

const NONE: readonly string[] = []

function PoolCard({ pool, ids }: { readonly pool: Pool; readonly ids: readonly string[] }) {
  const text = useText()
  const { name, protocol, canServe, stats } = pool
  const anchor = `pool-${encodeURIComponent(name)}`
  const isBad = stats.panic || (!canServe && stats.state === 'running')
  return (
    <section class={`pool ${ids.length > MANY ? 'wide' : ''} ${isBad ? 'bad' : ''}`} id={anchor} aria-labelledby={`${anchor}-title`}>
      <div class="pool-head">
        <h3 id={`${anchor}-title`}>
          {name} <span class="muted">{protocol}</span>
        </h3>
        <Badges pool={pool} />
        <span class="spring" />
        <PoolButtons pool={pool} />
      </div>
      <PoolNumbers pool={pool} />
      {ids.length === 0 ? (
        <p class="empty">{stats.state === 'new' ? text.cells.noneYet : text.cells.none}</p>
      ) : (
        <div class="cells">
          {ids.map((id) => (
            <Cell key={id} id={id} />
          ))}
        </div>
      )}
    </section>
  )
}

/** What is not as usual, loud. */
function Badges({ pool: { canServe, stats } }: { readonly pool: Pool }) {
  const text = useText()
  const { state, breaker, panic } = stats
  return (
    <>
      {state !== 'running' && <span class={`badge ${state === 'new' ? '' : 'poor'}`}>{text.poolStates[state]}</span>}
      {breaker !== 'closed' && <span class={`badge ${breaker === 'open' ? 'bad' : 'poor'}`}>{text.breakers[breaker]}</span>}
      {panic && <span class="badge bad">{text.pool.panic}</span>}
      {!canServe && state === 'running' && <span class="badge bad">{text.pool.cannotServe}</span>}
    </>
  )
}

function PoolNumbers({ pool: { maxConnections, stats } }: { readonly pool: Pool }) {
  const text = useText().pool
  const { total, acquired, idle, waiting, retired } = stats
  return (
    <p class="pool-numbers figures">
      <span title={text.sizeTitle}>
        <b>{text.size(total, maxConnections)}</b>
      </span>
      <span>
        <b>{whole(acquired)}</b> {text.inUse}
      </span>
      <span>
        <b>{whole(idle)}</b> {text.idle}
      </span>
      <span class={waiting > 0 ? 'loud' : ''}>
        <b>{whole(waiting)}</b> {text.waiting}
      </span>
      {retired > 0 && (
        <span>
          <b>{whole(retired)}</b> {text.retired}
        </span>
      )}
    </p>
  )
}

function PoolButtons({ pool: { name, stats } }: { readonly pool: Pool }) {
  const text = useText()
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is sent together
    <div class="buttons" role="group" aria-label={text.pool.actions(name)}>
      <ActionButton action={{ kind: 'rebuild-pool', pool: name, all: true }} label={text.actions.rebuild} />
      {stats.state === 'paused' ? (
        <ActionButton action={{ kind: 'resume', pool: name }} label={text.actions.resume} />
      ) : (
        <ActionButton action={{ kind: 'pause', pool: name, failWaiting: false }} label={text.actions.pause} />
      )}
      <ActionButton action={{ kind: 'evict', pool: name, interruptInUse: false }} label={text.actions.evict} />
    </div>
  )
}
