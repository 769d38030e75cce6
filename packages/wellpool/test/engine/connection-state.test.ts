import { describe, expect, test } from 'vitest'
import { assertTransition, CONNECTION_STATES, type ConnectionState, TRANSITIONS } from '../../src/engine/connection-state.ts'

/** The table as the documentation has it, kept apart from the code on purpose: a changed cell must be changed twice. */
const ALLOWED: Record<ConnectionState, string> = {
  connecting: 'idle closing',
  idle: 'acquired checking rebuilding closing',
  acquired: 'idle rebuilding closing',
  checking: 'idle rebuilding closing',
  rebuilding: 'idle closing',
  closing: 'closed',
  closed: '',
}

const cells = CONNECTION_STATES.flatMap((from) =>
  CONNECTION_STATES.map((to) => ({ from, to, allowed: ALLOWED[from].split(' ').includes(to) })),
)

describe('assertTransition', () => {
  test.each(cells.filter(({ allowed }) => allowed))('allows $from → $to', ({ from, to }) => {
    expect(() => assertTransition(from, to, 'c1')).not.toThrow()
  })

  test.each(cells.filter(({ allowed }) => !allowed))('refuses $from → $to as a bug', ({ from, to }) => {
    expect(() => assertTransition(from, to, 'c1')).toThrow(`bug: illegal transition ${from} → ${to} of connection c1`)
  })
})

test('the table has a row for each of the seven states, in the order of a life', () => {
  expect(CONNECTION_STATES).toEqual(['connecting', 'idle', 'acquired', 'checking', 'rebuilding', 'closing', 'closed'])
  expect(Object.keys(TRANSITIONS)).toEqual(CONNECTION_STATES)
})

test('every connection can end: closed is reachable from every state, and final', () => {
  const reachable = (from: ConnectionState, seen = new Set<ConnectionState>([from])): Set<ConnectionState> => {
    for (const to of TRANSITIONS[from]) if (!seen.has(to)) reachable(to, seen.add(to))
    return seen
  }
  for (const state of CONNECTION_STATES) expect(reachable(state)).toContain('closed')
  expect(TRANSITIONS.closed).toEqual([])
})
