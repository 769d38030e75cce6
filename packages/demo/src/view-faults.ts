import { FAULTS, type FaultKind } from './faults.ts'
import type { Snapshot } from './snapshot.ts'
import type { Seen } from './tally.ts'
import { column, duration, flagged, type Line, seconds } from './text.ts'
import { LABEL } from './view-requests.ts'

const NAME = 20
const OUTCOME = 21
/** From here on there is room for more than the latest verdict. */
const WIDE = 100

/** What comes next, and each fault with what the application saw of it last. */
export function faultLines(snapshot: Snapshot, columns: number): Line[] {
  return [head(snapshot), ...FAULTS.map((fault) => faultLine(snapshot, fault, columns))]
}

function head({ stage, now }: Snapshot): Line {
  const label = { text: column('FAULTS', LABEL), style: 'dim' } as const
  if (stage.name === 'fault') {
    const doing = stage.made ? 'since' : 'being made for'
    const next = stage.asked.length > 0 ? `; then ${stage.asked.map(({ key }) => key).join(', ')}` : stage.paused ? '; then a pause' : ''
    return [label, flagged(`now: ${stage.fault.key} ${stage.fault.name}, ${doing} ${duration(now - stage.since)}`, 'strong'), next]
  }
  if (stage.next === undefined)
    return [label, stage.name === 'paused' ? 'paused: none comes by itself' : 'no more: none fits into the time left']
  const when = stage.name === 'paused' ? 'now' : `in ${Math.max(0, Math.ceil((stage.at - now) / 1_000))} s`
  return [label, `next: ${stage.next.key} ${stage.next.name} ${when}`]
}

function faultLine({ stage, seen, verdicts }: Snapshot, fault: FaultKind, columns: number): Line {
  const name = `${fault.key} ${column(fault.name, NAME)}`
  if (stage.name === 'fault' && stage.fault === fault && seen !== undefined) {
    return [name, flagged(column('? not judged yet', OUTCOME), 'warn'), ...seenSpans(seen)]
  }
  const all = verdicts.filter((verdict) => verdict.fault === fault)
  const verdict = all.at(-1)
  const allowed = seconds(fault.boundMs)
  if (verdict === undefined) return [name, { text: `not yet; ${allowed} allowed`, style: 'dim' }]
  const took = duration(Math.max(verdict.healMs, verdict.wholeMs))
  const failure = verdict.made ? `! NOT HEALED in ${allowed}` : '! COULD NOT BE MADE'
  const outcome = verdict.healed
    ? flagged(column(`+ healed ${took} <${allowed}`, OUTCOME), 'good')
    : flagged(column(failure, OUTCOME), 'bad')
  const line = [name, outcome, ...seenSpans(verdict.seen)]
  if (columns >= WIDE && all.length > 1) {
    const healed = all.filter((one) => one.healed).length
    line.push(flagged(`   ${healed} of ${all.length} runs healed`, healed === all.length ? 'dim' : 'bad'))
  }
  return line
}

function seenSpans({ requests, failed, slow, slowestMs }: Seen): Line {
  return [
    flagged(column(`failed ${failed}/${requests}`, 15), failed > 0 ? 'bad' : undefined),
    flagged(column(`slow ${slow}`, 9), slow > 0 ? 'warn' : undefined),
    `max ${duration(slowestMs)}`,
  ]
}
