import type { Request } from './messages.ts'
import { DEADLINE_MS } from './pools.ts'
import type { Variant } from './variants.ts'

/** A while: when an application stood still, or made no requests. */
export interface Span {
  readonly from: number
  readonly until: number
}

/** When requests of an application were due, and when its process ended by itself. */
export interface Crash {
  readonly at: number
  readonly firstDue: number
  /** Until when requests would have been due. */
  readonly endsAt: number
  readonly pauses: readonly Span[]
}

/**
 * What nobody was left to tell: the requests that were under way when the process ended, and all that were due later,
 * have failed.
 *
 * @param heardOf the requests whose end was told
 */
export function lostIn(
  { at, firstDue, endsAt, pauses }: Crash,
  { callers, everyMs }: Pick<Variant, 'callers' | 'everyMs'>,
  heardOf: readonly Request[],
): Request[] {
  const lost: Request[] = []
  for (let due = firstDue; due < endsAt; due += everyMs) {
    // Who was due so long before had ended, and been told of.
    if (due < at - DEADLINE_MS || pauses.some(({ from, until }) => due >= from && due < until)) continue
    const known = heardOf.filter((request) => Math.abs(request.due - due) < everyMs / 2).length
    for (let count = known; count < callers; count++) {
      lost.push({ due, work: 0, settled: Math.max(at, due), error: 'the process has ended by itself' })
    }
  }
  return lost
}
