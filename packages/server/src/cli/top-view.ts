import type { ApiConnection, ApiEvent, ApiPool } from './api-types.ts'
import { byIllness, detailsOf, eventLine, healthSign, isIll, POOL_COLUMNS, verdictOn } from './describe.ts'
import { type Column, table } from './table.ts'
import { type Color, clockTime, cutTo, duration, type Paint, plain } from './text.ts'

/** What is on the screen. */
export interface TopState {
  readonly url: string
  now: number
  pools: readonly ApiPool[]
  connections: readonly ApiConnection[]
  /** The latest, the oldest first. */
  events: readonly ApiEvent[]
  /** Why there is nothing new. */
  problem: string | undefined
  onlyIll: boolean
  scroll: number
}

const EVENT_LINES = 6
const HEALTH_COLORS: Readonly<Record<string, Color>> = { healthy: 'green', degraded: 'yellow', unhealthy: 'red' }

/** The page as lines, as many and as wide as there is room. */
export function renderTop(state: TopState, columns: number, rows: number, paint: Paint): string[] {
  // Colours take no room: a line is cut before it is painted.
  const bare: Paint = (_, text) => text
  const pools = cut(table(state.pools, POOL_COLUMNS, bare), columns).map((line, index) => paintPool(line, index, state.pools, paint))
  const events = state.events
    .slice(-EVENT_LINES)
    .reverse()
    .map((event) => eventLine(event))
  const head = [title(state, columns, paint), '', ...pools, '']
  const foot = [
    '',
    paint('dim', cutTo('LATEST EVENTS', columns)),
    ...events.map(({ text, color }) => (color === undefined ? cutTo(text, columns) : paint(color, cutTo(text, columns)))),
    paint('dim', cutTo(help(state), columns)),
  ]
  const room = Math.max(1, rows - head.length - foot.length)
  return [...head, ...connectionLines(state, columns, room, paint), ...foot]
}

function title({ url, now, pools, connections, problem }: TopState, columns: number, paint: Paint): string {
  if (problem !== undefined) return paint('red', cutTo(plain(`${clockTime(now)}  ${problem}`), columns))
  const verdict = verdictOn(pools, connections.filter(isIll).length)
  const text = `wellpool  ${url}  ${clockTime(now).slice(0, 8)}  ${connections.length} connections, ${verdict.text}`
  return paint(verdict.color ?? 'bold', cutTo(plain(text), columns))
}

const help = ({ onlyIll }: TopState): string =>
  `q quit   i ${onlyIll ? 'all connections' : 'only ill ones'}   ↑ ↓ scroll   signs: + healthy  ~ degraded  ! unhealthy  ? unknown`

function connectionLines(state: TopState, columns: number, room: number, paint: Paint): string[] {
  const shown = [...(state.onlyIll ? state.connections.filter(isIll) : state.connections)].sort(byIllness)
  if (shown.length === 0) return [state.connections.length === 0 ? 'no connections' : paint('green', 'all connections are well')]
  const scroll = Math.min(state.scroll, Math.max(0, shown.length - (room - 2)))
  state.scroll = scroll
  const visible = shown.slice(scroll, scroll + room - 2)
  const bare: Paint = (_, text) => text
  const lines = cut(table(visible, columnsOf(state), bare), columns)
  const rest = shown.length - scroll - visible.length
  return [
    paint('dim', lines[0] as string),
    ...lines.slice(1).map((line, index) => paintHealth(line, visible[index] as ApiConnection, paint)),
    rest > 0 ? paint('dim', `… ${rest} more`) : '',
  ]
}

/** The last column says why: what has been decided, or else what was last heard of the connection. */
function columnsOf({ events, now }: TopState): readonly Column<ApiConnection>[] {
  return [
    { title: ' ', value: ({ health }) => healthSign(health) },
    { title: 'CONNECTION', value: ({ id }) => id },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'HEALTH', value: ({ health }) => health },
    { title: 'GEN', value: ({ generation }) => generation, right: true },
    { title: 'AGE', value: ({ ageMs }) => duration(ageMs), right: true },
    { title: 'PROVEN', value: ({ lastProvenAt }) => duration(Math.max(0, now - lastProvenAt)), right: true },
    { title: 'CHECK', value: ({ lastCheckMs }) => (lastCheckMs === undefined ? '' : duration(lastCheckMs)), right: true },
    { title: 'ERRORS', value: ({ errors }) => errors, right: true },
    { title: 'WHY', value: (connection) => why(connection, events) },
  ]
}

/** Why a connection is ill. */
export function why({ id, health, mark, state }: ApiConnection, events: readonly ApiEvent[]): string {
  if (mark !== undefined) return `${mark.urgent ? 'to be rebuilt now' : 'to be rebuilt'}, ${mark.kind}: ${mark.detail}`
  if (health === 'healthy' || (health === 'unknown' && state !== 'rebuilding')) return ''
  const last = events.findLast(({ connectionId, name }) => connectionId === id && name !== 'healthStatusChanged')
  return last === undefined ? '' : `${last.name}${detailsOf(last.details)}`
}

const cut = (lines: readonly string[], columns: number): string[] => lines.map((line) => cutTo(line, columns))

function paintPool(line: string, index: number, pools: readonly ApiPool[], paint: Paint): string {
  const pool = pools[index - 1]
  if (pool === undefined) return paint('dim', line)
  return pool.canServe ? line : paint('red', line)
}

function paintHealth(line: string, { health }: ApiConnection, paint: Paint): string {
  const color = HEALTH_COLORS[health]
  return color === undefined || health === 'healthy' ? line : paint(color, line)
}
