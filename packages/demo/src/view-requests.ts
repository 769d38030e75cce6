import { SLICE_MS, type Snapshot } from './snapshot.ts'
import { KEPT_MS, type Slice } from './tally.ts'
import { column, duration, flagged, type Line, type Span, seconds } from './text.ts'

/** The labels at the left are as wide as this. */
export const LABEL = 11

const SLICES: Readonly<Record<Slice, Span>> = {
  none: { text: ' ' },
  ok: { text: '.', style: 'good' },
  slow: { text: 's', style: 'warn' },
  failed: { text: 'x', style: 'bad' },
}

/** What became of the requests: in numbers, and over time; and of the router's, with its sessions. */
export function requestLines(snapshot: Snapshot, columns: number): Line[] {
  const { router } = snapshot
  return [
    numbers('REQUESTS', snapshot, columns),
    timeline(snapshot, columns),
    numbers(`ROUTER ${router.sessions}/${router.sessionLimit}`, router, columns),
  ]
}

function numbers(label: string, { requests, latency }: Pick<Snapshot, 'requests' | 'latency'>, columns: number): Line {
  const lately = columns >= 100 ? 'over the last 10 s: ' : ''
  const { p50, p99, max } = latency ?? {}
  const times =
    p50 === undefined || p99 === undefined || max === undefined
      ? 'none answered yet'
      : `${lately}p50 ${duration(p50)}  p99 ${duration(p99)}  max ${duration(max)}`
  return [
    { text: column(label, LABEL), style: 'dim' },
    `${requests.ok} ok  `,
    flagged(`${requests.failed} failed`, requests.failed > 0 ? 'bad' : undefined),
    `  ${requests.underWay} in flight  ${times}`,
  ]
}

/**
 * The last seconds, each slice by the worst of its requests, and the faults' keys where they began. However wide the
 * terminal is, it does not go back beyond what is remembered.
 */
function timeline({ now, slices, marks }: Snapshot, columns: number): Line {
  const shown = Math.min(columns - LABEL, KEPT_MS / SLICE_MS)
  const last = Math.floor(now / SLICE_MS)
  const line: Span[] = []
  for (const [index, slice] of slices(shown).entries()) {
    const number = last - shown + 1 + index
    for (const { at, key } of marks) if (Math.floor(at / SLICE_MS) === number) line.push({ text: key, style: 'strong' })
    line.push(SLICES[slice])
  }
  return [{ text: column(`last ${seconds(Math.floor((shown * SLICE_MS) / 1_000) * 1_000)}`, LABEL), style: 'dim' }, ...line.slice(-shown)]
}
