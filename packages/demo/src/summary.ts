import { type ApiAddress, topCommand, whatIsServed } from './api.ts'
import { enoughForAll } from './director.ts'
import { FAULTS, type FaultKind } from './faults.ts'
import type { InvariantsSeen } from './invariants.ts'
import { MOST_OPEN, SLOW_MS } from './settings.ts'
import type { Stalls } from './stalls.ts'
import type { Seen, Tally } from './tally.ts'
import { count, duration, type Line, type Span, seconds } from './text.ts'
import type { Verdict } from './verdict.ts'

type Books = Pick<Tally, 'issued' | 'ok' | 'slow' | 'failed' | 'underWay'>

/** What a whole run came to. */
export interface Outcome {
  readonly ranMs: number
  readonly requests: Books
  /** Those that the router got. */
  readonly commands: Books
  readonly verdicts: readonly Verdict[]
  /** Begun and not judged any more when the run was ended; with what the application saw of it. */
  readonly interrupted: { readonly fault: FaultKind; readonly seen: Seen } | undefined
  readonly invariants: Pick<InvariantsSeen, 'broken' | 'mostOpen' | 'mostBackends'>
  /** Why it could not be seen whether sessions were left at the server; undefined if it could. */
  readonly unseen: string | undefined
  readonly stalls: Pick<Stalls, 'count' | 'totalMs'>
  /** Where the pools were to be seen. */
  readonly api: ApiAddress | undefined
}

/** Whether every fault healed within its bound and no invariant broke, as far as all of that could be seen. */
export function isGood({ verdicts, invariants, unseen }: Outcome): boolean {
  return verdicts.every(({ healed }) => healed) && invariants.broken.size === 0 && unseen === undefined
}

/** The summary of a run: every fault, what was not run, and what held. */
export function summarise(outcome: Outcome): Line[] {
  const { ranMs, requests, commands, verdicts, interrupted, invariants, unseen, stalls, api } = outcome
  const bad = requests.slow + requests.failed + commands.slow + commands.failed
  const ofFaults = interrupted === undefined ? verdicts : [...verdicts, interrupted]
  const duringFaults = ofFaults.reduce((sum, { seen }) => sum + seen.slow + seen.failed, 0)
  const lines: Line[] = [
    [{ text: `Summary of ${duration(ranMs)}`, style: 'strong' }],
    [`  requests: ${inNumbers(requests)}`],
    [`  commands to the router: ${inNumbers(commands)}`],
    [`  over ${SLOW_MS} ms or failed: ${duringFaults} under a fault, ${Math.max(0, bad - duringFaults)} at other times`],
    ...verdicts.map((verdict) => verdictLine(verdict)),
  ]
  const never = FAULTS.filter((kind) => !ofFaults.some(({ fault }) => fault === kind))
  if (interrupted !== undefined) {
    const { fault, seen } = interrupted
    lines.push([`  not judged: ${fault.name}: the run ended before it could be; ${describeSeen(seen)}`])
  }
  if (never.length > 0) {
    const enough = Math.ceil(enoughForAll() / 1_000)
    lines.push([`  not run: ${never.map(({ name }) => name).join(', ')} (all of them fit into --seconds ${enough})`])
  }
  if (stalls.count > 0) {
    lines.push([
      `  the machine did not let this process run ${count(stalls.count, 'time')}, ${duration(stalls.totalMs)} in all: not counted as latency`,
    ])
  }
  if (invariants.broken.size === 0) {
    lines.push([
      '  ',
      { text: '+ no invariant broken', style: 'good' },
      `: at most ${invariants.mostOpen} of ${MOST_OPEN} clients open, the server saw at most ${invariants.mostBackends} sessions;`,
      ` every request was settled${unseen === undefined ? '; nothing was left after the close' : ''}`,
    ])
  }
  for (const [rule, times] of invariants.broken)
    lines.push(['  ', { text: `! invariant broken: ${rule}`, style: 'bad' }, times > 1 ? ` (${times} times)` : ''])
  if (unseen !== undefined) {
    lines.push([
      '  ',
      { text: '! not known whether sessions were left at the server', style: 'bad' },
      `, which could not be asked: ${unseen}`,
    ])
  }
  if (api !== undefined) lines.push([`  its pools were to be seen meanwhile: ${whatIsServed(api)}, or ${topCommand(api)}`])
  lines.push([conclusion(outcome)])
  return lines
}

function inNumbers({ issued, ok, failed, underWay }: Books): string {
  return `${issued} issued, ${ok} ok, ${failed} failed, ${underWay} never settled`
}

/** One fault: what was done, what the application saw, and how long it took. */
export function verdictLine({ fault, made, healed, healMs, wholeMs, seen, detail }: Verdict): Line {
  if (!made) return ['  ', { text: '! COULD NOT BE MADE', style: 'bad' }, ` ${fault.key} ${fault.name}: ${detail}; ${describeSeen(seen)}`]
  const outcome: Span = healed ? { text: '+ healed', style: 'good' } : { text: '! NOT HEALED', style: 'bad' }
  const times = healed
    ? `after ${duration(healMs)} (allowed ${seconds(fault.boundMs)}), pool whole after ${duration(wholeMs)}`
    : `within ${seconds(fault.boundMs)}: last bad request due after ${duration(healMs)}, pool not whole until ${duration(wholeMs)}`
  return ['  ', outcome, ` ${fault.key} ${fault.name}: ${times}; ${describeSeen(seen)}  [${detail}]`]
}

export function describeSeen({ requests, failed, slow, slowestMs, errors }: Seen): string {
  if (failed + slow === 0) return `the application noticed nothing: ${count(requests, 'request')} ok, slowest ${duration(slowestMs)}`
  const why = errors.length === 0 ? '' : ` (${errors.map(({ text, count: times }) => `${times} x ${text}`).join(', ')})`
  return `${failed} of ${count(requests, 'request')} failed${why}, ${slow} over ${SLOW_MS} ms, slowest ${duration(slowestMs)}`
}

function conclusion(outcome: Outcome): Span {
  const { verdicts, invariants, unseen } = outcome
  const healed = verdicts.filter((verdict) => verdict.healed).length
  if (isGood(outcome)) {
    if (verdicts.length === 0) return { text: 'No fault was run, so nothing was shown but a calm pool.', style: 'warn' }
    return { text: `All healed: ${healed} of ${count(verdicts.length, 'fault')}, within their bounds.`, style: 'good' }
  }
  const broken = invariants.broken.size > 0 ? `; ${count(invariants.broken.size, 'invariant')} broken` : ''
  const away = unseen === undefined ? '' : '; the server was away at the end'
  return { text: `${healed} of ${count(verdicts.length, 'fault')} healed within their bounds${broken}${away}.`, style: 'bad' }
}
