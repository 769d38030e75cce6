import { topCommand, whatIsServed } from './api.ts'
import { CALLERS, MOST_OPEN, REQUESTS_PER_SECOND, ROUTER_POOL_OPTIONS, SLOW_MS } from './settings.ts'
import type { Snapshot } from './snapshot.ts'
import { clockTime, column, flagged, type Line, type Span, toText } from './text.ts'
import { connectionHeader, connectionLines } from './view-connections.ts'
import { faultLines } from './view-faults.ts'
import { requestLines } from './view-requests.ts'

/** The terminal that a picture is for. */
export interface Size {
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
}

/** Below this there is room for a few numbers and no more. */
const SMALLEST = { columns: 40, rows: 10 }
/** From so many rows on there is one for what to type to see the pools from outside. */
const TALL = 30
/** With so many rows to spare the parts are set apart. */
const AIRY = 14

/**
 * Draws one picture: as many lines as the terminal has rows at most. The last column stays free: what terminals do
 * after a character there differs.
 */
export function draw(snapshot: Snapshot, { columns, rows, colour }: Size): string[] {
  const width = Math.max(1, columns - 1)
  const lines = width < SMALLEST.columns || rows < SMALLEST.rows ? few(snapshot) : layOut(snapshot, width, rows)
  return lines.slice(0, rows).map((line) => toText(line, width, colour))
}

/** What does not fit is left out, the least important first: events, faults, requests, then connections. */
function layOut(snapshot: Snapshot, columns: number, rows: number): Line[] {
  const outside: Line[] = rows < TALL ? [] : [[`see the pools: ${whatIsServed(snapshot.api)}, or ${topCommand(snapshot.api)}`]]
  const head = [...heading(snapshot, columns), ...outside, connectionHeader(columns)]
  const legend = keys(snapshot, columns)
  const rowsOfAll = [
    ...connectionLines(snapshot, snapshot.connections, columns, MOST_OPEN),
    ...connectionLines(snapshot, snapshot.router.connections, columns, ROUTER_POOL_OPTIONS.minConnections),
  ]
  const connections = shorten(rowsOfAll, rows - head.length - 1)

  let left = rows - head.length - connections.length - 1
  const take = (lines: Line[]): Line[] => {
    const taken = shorten(lines, left)
    left -= taken.length
    return taken
  }
  const requests = take(requestLines(snapshot, columns))
  const faults = take(faultLines(snapshot, columns))
  const airy = left >= AIRY
  if (airy) left -= 3
  const events = eventLines(snapshot, left)
  // The legend stays at the bottom.
  const filler: Line[] = Array.from({ length: left - events.length }, () => [])
  const gap: Line[] = airy ? [[]] : []
  return [...head, ...connections, ...gap, ...requests, ...gap, ...faults, ...gap, ...events, ...filler, legend]
}

/** As many lines as there is room for, with a sign that there are more. */
function shorten(lines: Line[], room: number): Line[] {
  if (lines.length <= room) return lines
  return room <= 0 ? [] : [...lines.slice(0, room - 1), [{ text: '…', style: 'dim' }]]
}

function few({ requests, stats, invariants }: Snapshot): Line[] {
  return [
    [`${requests.ok} ok`],
    [`${requests.failed} failed`],
    [`open ${stats.open}/${MOST_OPEN}`],
    [invariants.broken.size === 0 ? '+ rules hold' : '! BROKEN RULE'],
    ['q quit'],
    [{ text: 'no room for more', style: 'dim' }],
  ]
}

function heading({ stats, invariants, server, api, now, startedAt, endsAt }: Snapshot, columns: number): Line[] {
  const { open, idle, acquired, retired, checking, connecting, rebuilding, waiting, breaker, panic } = stats
  const time = `${clockTime(now - startedAt)}${Number.isFinite(endsAt) ? ` of ${clockTime(endsAt - startedAt)}` : ''}`
  const parts = [api.hasDashboard ? api.url : `API ${api.url}`, server, `${REQUESTS_PER_SECOND} requests/s, ${CALLERS} callers`]
  const name = ['wellpool demo', ...asManyAsFit(parts, columns - time.length - 'wellpool demo'.length - 1)].join('  ')
  const sessions = invariants.backends === undefined ? 'gives no answer' : `sees ${invariants.backends}/${MOST_OPEN}`
  return [
    [{ text: column(name, columns - time.length), style: 'strong' }, time],
    [
      `pool open ${open}/${MOST_OPEN}  idle ${idle}  in use ${acquired + retired}  checking ${checking}  connecting ${connecting + rebuilding}  `,
      flagged(`waiting ${waiting}`, waiting > 0 ? 'warn' : undefined),
    ],
    [
      flagged(`breaker ${breaker}`, breaker === 'closed' ? undefined : 'bad'),
      `  server ${sessions}${invariants.cutOff > 0 ? ` +${invariants.cutOff} cut off` : ''}  `,
      ...(panic ? [flagged('PANIC', 'bad'), '  '] : []),
      rules(invariants),
    ],
  ]
}

/** The first texts that have room, each with two blanks before it. */
function asManyAsFit(texts: readonly string[], room: number): readonly string[] {
  let left = room
  const end = texts.findIndex((text) => {
    left -= text.length + 2
    return left < 0
  })
  return end === -1 ? texts : texts.slice(0, end)
}

function rules({ broken }: Snapshot['invariants']): Span {
  if (broken.size === 0) return flagged('+ no invariant broken', 'good')
  return flagged(`! INVARIANT BROKEN: ${[...broken.keys()].join('; ')}`, 'bad')
}

function eventLines({ entries, startedAt }: Snapshot, room: number): Line[] {
  if (room <= 0) return []
  return entries
    .slice(-room)
    .map(({ at, text, style, times }) => [
      { text: column(clockTime(at - startedAt), 6), style: 'dim' },
      flagged(text, style),
      ...(times > 1 ? [` (x${times})`] : []),
    ])
}

function keys({ stage }: Snapshot, columns: number): Line {
  const legend = columns >= 76 ? `  |  . ok  s over ${SLOW_MS} ms  x failed` : ''
  const paused = stage.name === 'paused' || (stage.name === 'fault' && stage.paused)
  return [{ text: `1-6 fault  r rebuild all  ${paused ? 'p resume' : 'p pause'}  q quit${legend}`, style: 'dim' }]
}
