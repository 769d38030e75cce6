import type { ApiConnection, ApiEvent, ApiPool } from './api-types.ts'
import type { Column } from './table.ts'
import { type Color, clockTime, duration, plain } from './text.ts'

const HEALTH_COLORS: Readonly<Record<string, Color>> = { healthy: 'green', degraded: 'yellow', unhealthy: 'red' }
const LEVEL_COLORS: Readonly<Record<string, Color>> = { warn: 'yellow', error: 'red', debug: 'dim' }

/** The sign of a health, to be read without colours. */
export const healthSign = (health: string): string => ({ healthy: '+', degraded: '~', unhealthy: '!', unknown: '?' })[health] ?? ' '

/** Whether somebody should look at a connection: it is not well, or something has been decided about it. */
export const isIll = ({ health, mark, state }: ApiConnection): boolean =>
  health === 'unhealthy' || health === 'degraded' || mark !== undefined || state === 'rebuilding'

/** In words: what connections don't show, because a pool that can't serve may have none. */
export function verdictOn(pools: readonly ApiPool[], ill: number): { readonly text: string; readonly color: Color | undefined } {
  const silent = pools.filter(({ canServe }) => !canServe).length
  if (silent > 0)
    return { text: `${silent} ${silent === 1 ? 'pool' : 'pools'} can’t serve${ill === 0 ? '' : `, ${ill} ill`}`, color: 'red' }
  return ill === 0 ? { text: 'all well', color: undefined } : { text: `${ill} ill`, color: 'yellow' }
}

/** `orders-2` before `orders-10`. */
const byNumber = new Intl.Collator('en', { numeric: true })

/** The worst first. */
export function byIllness(a: ApiConnection, b: ApiConnection): number {
  const rank = ({ health, mark, state }: ApiConnection): number =>
    (health === 'unhealthy' ? 8 : health === 'degraded' ? 4 : 0) +
    (mark?.urgent === true ? 2 : mark === undefined ? 0 : 1) +
    (state === 'rebuilding' ? 2 : 0)
  return rank(b) - rank(a) || byNumber.compare(a.id, b.id)
}

/** Pools as a table. */
export const POOL_COLUMNS: readonly Column<ApiPool>[] = [
  { title: 'POOL', value: ({ name }) => name },
  { title: 'PROTOCOL', value: ({ protocol }) => protocol },
  {
    title: 'STATE',
    value: ({ stats }) => stats.state,
    color: ({ stats }) => (stats.state === 'running' || stats.state === 'new' ? undefined : 'yellow'),
  },
  { title: 'BREAKER', value: ({ stats }) => stats.breaker, color: ({ stats }) => (stats.breaker === 'closed' ? undefined : 'red') },
  { title: 'CONNECTIONS', value: ({ stats, maxConnections }) => `${stats.total}/${maxConnections}`, right: true },
  { title: 'IDLE', value: ({ stats }) => stats.idle, right: true },
  { title: 'IN USE', value: ({ stats }) => stats.acquired, right: true },
  { title: 'WAITING', value: ({ stats }) => stats.waiting, right: true, color: ({ stats }) => (stats.waiting > 0 ? 'yellow' : undefined) },
  {
    title: 'ILL',
    value: ({ stats }) => stats.health.unhealthy + stats.health.degraded,
    right: true,
    color: ({ stats }) => illColor(stats.health),
  },
  { title: 'TO REBUILD', value: ({ stats }) => stats.marked, right: true },
  { title: 'TIME-OUTS', value: ({ stats }) => stats.acquireTimeouts, right: true },
  { title: 'NOTE', value: note, color: ({ canServe }) => (canServe ? 'yellow' : 'red') },
]

function illColor({ unhealthy, degraded }: ApiPool['stats']['health']): Color | undefined {
  return unhealthy > 0 ? 'red' : degraded > 0 ? 'yellow' : undefined
}

/** What stands out. */
function note({ canServe, stats, maxConnections }: ApiPool): string {
  if (stats.state === 'paused') return 'paused by hand'
  if (stats.state === 'draining' || stats.state === 'closing') return 'ending: it serves those who wait, and waits for its leases'
  if (stats.state === 'closed') return 'closed'
  if (!canServe) return 'cannot serve: no connection, and none to be had'
  if (stats.panic) return 'panic: most checks fail, the peer or the check is to blame'
  if (stats.waiting > 0 && stats.acquired >= maxConnections) return 'all connections are in use'
  return ''
}

/** Connections as a table. */
export const CONNECTION_COLUMNS: readonly Column<ApiConnection>[] = [
  { title: '', value: ({ health }) => healthSign(health), color: ({ health }) => HEALTH_COLORS[health] },
  { title: 'CONNECTION', value: ({ id }) => id },
  { title: 'PROTOCOL', value: ({ protocol }) => protocol },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'HEALTH', value: ({ health }) => health, color: ({ health }) => HEALTH_COLORS[health] },
  { title: 'GEN', value: ({ generation }) => generation, right: true },
  { title: 'AGE', value: ({ ageMs }) => duration(ageMs), right: true },
  { title: 'USES', value: ({ uses }) => uses, right: true },
  { title: 'ERRORS', value: ({ errors }) => errors, right: true },
  { title: 'CHECK', value: ({ lastCheckMs }) => (lastCheckMs === undefined ? '' : duration(lastCheckMs)), right: true },
  {
    title: 'TO BE REBUILT BECAUSE',
    value: ({ mark }) => (mark === undefined ? '' : `${mark.urgent ? 'now, ' : ''}${mark.kind}: ${mark.detail}`),
  },
]

/** An event on one line, its level as a colour. */
export function eventLine(event: ApiEvent): { readonly text: string; readonly color: Color | undefined } {
  const { timestamp, level, name, pool, connectionId, details } = event
  const text = `${clockTime(timestamp)} ${level.padEnd(5)} ${connectionId ?? pool} ${name}${detailsOf(details)}`
  return { text: plain(text), color: LEVEL_COLORS[level] }
}

/** What an event carries, as a person would want to read it. */
export function detailsOf(details: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(details).map(([name, value]) => {
    if (name === 'reason') return reason(value)
    if (name === 'error') return (value as { message?: string }).message ?? ''
    if (name === 'stack') return String(value).split('\n').slice(1, 3).join(' ').trim()
    return `${name} ${typeof value === 'number' && name.endsWith('Ms') ? duration(value) : String(value)}`
  })
  return parts.length === 0 ? '' : `  ${parts.join(', ')}`
}

const reason = (value: unknown): string =>
  typeof value === 'string' ? value : `${(value as { kind: string }).kind}: ${(value as { detail: string }).detail}`
