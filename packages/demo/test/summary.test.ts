import { describe, expect, it } from 'vitest'
import { FAULTS, type FaultKind } from '../src/faults.ts'
import { isGood, type Outcome, summarise } from '../src/summary.ts'
import { lineText } from '../src/text.ts'
import { nothingBad } from './support/snapshot.ts'

const [one, all] = FAULTS as [FaultKind, FaultKind]
const healed = { fault: one, made: true, healed: true, healMs: 12, wholeMs: 30, seen: nothingBad(), detail: 'backend 7 killed' }
const late = {
  fault: all,
  made: true,
  healed: false,
  healMs: 900,
  wholeMs: 2_400,
  seen: nothingBad({ requests: 200, failed: 3, slow: 2, slowestMs: 600, errors: [{ text: 'CONNECTION_LOST', count: 3 }] }),
  detail: '6 backends killed',
}

const outcome = (parts: Partial<Outcome> = {}): Outcome => ({
  ranMs: 20_000,
  requests: { issued: 1_600, ok: 1_597, slow: 4, failed: 3, underWay: 0 },
  commands: { issued: 100, ok: 100, slow: 0, failed: 0, underWay: 0 },
  verdicts: [healed],
  interrupted: undefined,
  invariants: { broken: new Map(), mostOpen: 7, mostBackends: 6 },
  unseen: undefined,
  stalls: { count: 0, totalMs: 0 },
  api: { url: 'http://127.0.0.1:7710', hasDashboard: false },
  ...parts,
})
const text = (parts: Partial<Outcome>): string => summarise(outcome(parts)).map(lineText).join('\n')

describe('the summary', () => {
  it('tells of every fault, and of what was not run', () => {
    expect(text({ verdicts: [healed, late], stalls: { count: 2, totalMs: 150 } })).toBe(
      [
        'Summary of 20.0 s',
        '  requests: 1600 issued, 1597 ok, 3 failed, 0 never settled',
        '  commands to the router: 100 issued, 100 ok, 0 failed, 0 never settled',
        '  over 100 ms or failed: 5 under a fault, 2 at other times',
        '  + healed 1 one backend killed: after 12 ms (allowed 1 s), pool whole after 30 ms; the application noticed nothing: 100 requests ok, slowest 20 ms  [backend 7 killed]',
        '  ! NOT HEALED 2 all backends killed: within 2 s: last bad request due after 900 ms, pool not whole until 2.4 s; 3 of 200 requests failed (3 x CONNECTION_LOST), 2 over 100 ms, slowest 600 ms  [6 backends killed]',
        '  not run: all flows silent, half of them slow, server restarted, router rebooted (all of them fit into --seconds 43)',
        '  the machine did not let this process run 2 times, 150 ms in all: not counted as latency',
        '  + no invariant broken: at most 7 of 7 clients open, the server saw at most 6 sessions; every request was settled; nothing was left after the close',
        '  its pools were to be seen meanwhile: API http://127.0.0.1:7710/api/v1, or npx wellpool top --url http://127.0.0.1:7710',
        '1 of 2 faults healed within their bounds.',
      ].join('\n'),
    )
  })

  it('counts what the application saw of a fault that was not judged any more under it', () => {
    const seen = nothingBad({ requests: 40, slow: 4, slowestMs: 400 })
    const lines = text({ interrupted: { fault: all, seen } })
    expect(lines).toContain('  over 100 ms or failed: 4 under a fault, 3 at other times\n')
    expect(lines).toContain('not judged: all backends killed: the run ended before it could be; 0 of 40 requests failed, 4 over 100 ms')
  })

  it('does not tell of a fault that could not be made as of one that did not heal', () => {
    const notMade = { ...late, made: false, healMs: 0, wholeMs: 0, seen: nothingBad(), detail: 'the server is away' }
    const lines = text({ verdicts: [healed, notMade] })
    expect(lines).toContain('  ! COULD NOT BE MADE 2 all backends killed: the server is away; the application noticed nothing: ')
    expect(lines).not.toMatch(/NOT HEALED/)
    expect(isGood(outcome({ verdicts: [healed, notMade] }))).toBe(false)
  })

  it('is good when all healed and nothing broke, and only then', () => {
    const broken = new Map([['too many', 3]])
    expect(isGood(outcome())).toBe(true)
    expect(isGood(outcome({ verdicts: [healed, late] }))).toBe(false)
    expect(isGood(outcome({ invariants: { broken, mostOpen: 9, mostBackends: 9 } }))).toBe(false)
    expect(text({})).toMatch(/\nAll healed: 1 of 1 fault, within their bounds\.$/)
    const bad = text({ invariants: { broken, mostOpen: 9, mostBackends: 9 } })
    expect(bad).toMatch(/ {2}! invariant broken: too many \(3 times\)\n.*\n1 of 1 fault healed within their bounds; 1 invariant broken\.$/)
    expect(bad).not.toMatch(/no invariant broken/)
  })

  it('does not promise that nothing was left when the server could not be asked', () => {
    const lines = text({ unseen: 'connect ECONNREFUSED' })
    expect(lines).not.toContain('nothing was left')
    expect(lines).toContain('  ! not known whether sessions were left at the server, which could not be asked: connect ECONNREFUSED\n')
    expect(lines).toMatch(/\n1 of 1 fault healed within their bounds; the server was away at the end\.$/)
    expect(isGood(outcome({ unseen: 'connect ECONNREFUSED' }))).toBe(false)
  })

  it('does not call a run good news in which no fault was made', () => {
    expect(text({ verdicts: [], interrupted: { fault: all, seen: nothingBad() } })).toMatch(
      /not judged: all backends killed: the run ended before it could be; the application noticed nothing: /,
    )
    expect(text({ verdicts: [] })).toMatch(/\nNo fault was run, so nothing was shown but a calm pool\.$/)
  })
})
