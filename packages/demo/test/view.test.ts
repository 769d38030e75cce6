import { describe, expect, it } from 'vitest'
import { FAULTS, type FaultKind } from '../src/faults.ts'
import { draw } from '../src/view.ts'
import { nothingBad, type Parts, snapshot } from './support/snapshot.ts'

const [one, all, silent, slow, restart] = FAULTS as [FaultKind, FaultKind, FaultKind, FaultKind, FaultKind]

const plain = (parts: Parts, columns = 80, rows = 24): string[] =>
  draw(snapshot(parts), { columns, rows, colour: false }).map((line) => line.trimEnd())

/** In the middle of a fault, with something of everything. */
const BUSY: Parts = {
  endsAt: 220_000,
  stats: { open: 7, idle: 2, acquired: 3, rebuilding: 1, waiting: 5, breaker: 'half-open' },
  connections: [
    { generation: 12, state: 'acquired', requests: 1_234 },
    { state: 'rebuilding', health: 'unhealthy', mark: { kind: 'connection_lost', detail: 'lost: closed by the peer', urgent: true } },
    { health: 'degraded' },
    { mark: { kind: 'slow_outlier', detail: '2 checks in a row', urgent: false } },
    { generation: 2 },
    { state: 'connecting', health: 'unknown', generation: 0 },
  ],
  reasonOf: (id) => {
    if (id === 'demo-3') return { kind: 'check failed', detail: 'time-out after 1 s', at: 141_000 }
    return id === 'demo-5' ? { kind: 'max_uses', detail: 'used 9 times', at: 130_000 } : undefined
  },
  invariants: { broken: new Map(), mostOpen: 7, backends: 7, mostBackends: 7, cutOff: 3 },
  requests: { ok: 3_000, failed: 3, underWay: 9 },
  slices: (count) => Array.from({ length: count }, (_, index) => (index === count - 2 ? 'failed' : index === count - 1 ? 'slow' : 'ok')),
  marks: [{ at: 141_100, key: '3' }],
  stage: { name: 'fault', fault: silent, since: 141_100, made: true, asked: [], paused: false },
  seen: nothingBad({ requests: 72, failed: 3, slow: 4, slowestMs: 512 }),
  verdicts: [
    { fault: one, made: true, healed: true, healMs: 12, wholeMs: 30, seen: nothingBad(), detail: '' },
    { fault: all, made: true, healed: false, healMs: 900, wholeMs: 3_000, seen: nothingBad({ failed: 2 }), detail: '' },
  ],
  entries: [
    { at: 101_000, text: 'pool demo warmed up', style: 'good', times: 1 },
    { at: 141_900, text: 'demo-2 could not connect', style: 'bad', times: 3 },
  ],
}

describe('the picture', () => {
  it('shows everything on 80 columns and 24 rows', () => {
    expect(plain(BUSY)).toEqual([
      'wellpool demo  http://127.0.0.1:7710  PostgreSQL 18.4, embedded    0:42 of 2:00',
      'pool open 7/7  idle 2  in use 3  checking 0  connecting 1  waiting 5',
      'breaker half-open  server sees 7/7 +3 cut off  + no invariant broken',
      'CONNECTION GEN STATE      HEALTH      REASON',
      'demo-1      12 acquired   + healthy',
      'demo-2       1 rebuilding ! unhealthy URGENT connection_lost: lost: closed by …',
      'demo-3       1 idle       ~ degraded  check failed: time-out after 1 s',
      'demo-4       1 idle       + healthy   marked slow_outlier: 2 checks in a row',
      'demo-5       2 idle       + healthy   max_uses 0:12 ago: used 9 times',
      'demo-6       0 connecting ? unknown   new',
      '',
      'router-1     1 idle       + healthy',
      'REQUESTS   3000 ok  3 failed  9 in flight  p50 11 ms  p99 24 ms  max 31 ms',
      `last 34 s  ${'.'.repeat(64)}3.xs`,
      'ROUTER 1/5 210 ok  0 failed  1 in flight  p50 6 ms  p99 9 ms  max 12 ms',
      'FAULTS     now: 3 all flows silent, since 900 ms',
      '1 one backend killed  + healed 30 ms <1 s  failed 0/100   slow 0   max 20 ms',
      '2 all backends killed ! NOT HEALED in 2 s  failed 2/100   slow 0   max 20 ms',
      '3 all flows silent    ? not judged yet     failed 3/72    slow 4   max 512 ms',
      '4 half of them slow   not yet; 8 s allowed',
      '5 server restarted    not yet; 5 s allowed',
      '6 router rebooted     not yet; 5 s allowed',
      '0:41  demo-2 could not connect (x3)',
      '1-6 fault  r rebuild all  p pause  q quit  |  . ok  s over 100 ms  x failed',
    ])
  })

  it('says where the pools are to be seen from outside, at length where there is room', () => {
    expect(plain({}, 120, 29)[0]).toBe(
      `${'wellpool demo  http://127.0.0.1:7710  PostgreSQL 18.4, embedded  80 requests/s, 8 callers'.padEnd(115)}0:42`,
    )
    expect(plain({}, 120, 30)[3]).toBe('see the pools: dashboard http://127.0.0.1:7710, or npx wellpool top --url http://127.0.0.1:7710')
    const alone = { api: { url: 'http://127.0.0.1:40123', hasDashboard: false } }
    expect(plain(alone, 70)[0]).toBe(`${'wellpool demo  API http://127.0.0.1:40123'.padEnd(65)}0:42`)
    expect(plain(alone, 120, 40)[3]).toContain('API http://127.0.0.1:40123/api/v1, or npx wellpool top --url http://127.0.0.1:40123')
  })

  it('has no control characters without colour, and the same text with it', () => {
    const size = { columns: 120, rows: 40 }
    const without = draw(snapshot(BUSY), { ...size, colour: false })
    const coloured = draw(snapshot(BUSY), { ...size, colour: true })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const control = /\u001b\[\d+m/g
    expect(without.join('')).not.toMatch(control)
    expect(coloured.join('')).toMatch(control)
    expect(coloured.map((line) => line.replaceAll(control, ''))).toEqual(without)
  })

  it('fits into every terminal, with the keys in the last row', () => {
    for (let rows = 1; rows <= 50; rows++) {
      for (const columns of [1, 10, 39, 41, 60, 79, 80, 81, 100, 200]) {
        const lines = plain(BUSY, columns, rows)
        expect(lines.length, `${columns} x ${rows}`).toBeLessThanOrEqual(rows)
        expect(Math.max(...lines.map((line) => line.length)), `${columns} x ${rows}`).toBeLessThanOrEqual(Math.max(1, columns - 1))
        if (columns >= 60 && rows >= 10) expect(lines[rows - 1]).toMatch(/q quit/)
      }
    }
  })

  it('leaves out events first, then faults, then requests, then connections', () => {
    const has = (rows: number): boolean[] => {
      const text = plain(BUSY, 80, rows).join('\n')
      return ['demo-6', 'REQUESTS', 'server restarted', '(x3)'].map((part) => text.includes(part))
    }
    expect(has(24)).toEqual([true, true, true, true])
    expect(has(23)).toEqual([true, true, true, false])
    expect(has(16)).toEqual([true, true, false, false])
    expect(has(12)).toEqual([true, false, false, false])
    expect(has(10)).toEqual([false, false, false, false])
  })

  it('does not move what stands below when a connection comes or goes', () => {
    const rowOf = (connections: number): number =>
      plain({ connections: Array.from({ length: connections }, () => ({})) }).findIndex((line) => line.startsWith('REQUESTS'))
    expect(new Set([0, 3, 6, 7].map(rowOf)).size).toBe(1)
  })

  it('says what comes next, that nothing does, and that it waits for a key', () => {
    const head = (parts: Parts): string | undefined => plain(parts).find((line) => line.startsWith('FAULTS'))
    expect(head({ stage: { name: 'calm', next: slow, at: 143_400 } })).toBe('FAULTS     next: 4 half of them slow in 2 s')
    expect(head({ stage: { name: 'calm', next: undefined, at: 0 } })).toBe('FAULTS     no more: none fits into the time left')
    expect(head({ stage: { name: 'paused', next: undefined } })).toBe('FAULTS     paused: none comes by itself')
    const present = { name: 'fault', fault: restart, since: 141_000, made: false, asked: [], paused: false } as const
    expect(head({ stage: present })).toBe('FAULTS     now: 5 server restarted, being made for 1.0 s')
    const asked = [silent, one]
    expect(head({ stage: { ...present, asked, paused: true } })).toBe('FAULTS     now: 5 server restarted, being made for 1.0 s; then 3, 1')
  })

  it('shows a pause that was asked for during a fault, and that the key ends it', () => {
    const lines = plain({ stage: { name: 'fault', fault: one, since: 141_000, made: true, asked: [], paused: true } })
    expect(lines).toContain('FAULTS     now: 1 one backend killed, since 1.0 s; then a pause')
    expect(lines.at(-1)).toMatch(/ p resume /)
  })

  it('says of a fault that could not be made that it could not', () => {
    const verdict = { fault: restart, made: false, healed: false, healMs: 0, wholeMs: 0, seen: nothingBad(), detail: 'no' }
    expect(plain({ verdicts: [verdict] })).toContain('5 server restarted    ! COULD NOT BE MADE  failed 0/100   slow 0   max 20 ms')
  })

  it('says which invariant broke, and that the server gives no answer', () => {
    const invariants = { broken: new Map([['too many sessions', 2]]), mostOpen: 9, backends: undefined, mostBackends: 9, cutOff: 0 }
    expect(plain({ invariants })[2]).toBe('breaker closed  server gives no answer  ! INVARIANT BROKEN: too many sessions')
  })

  it('shows no more of the past than is remembered, however wide the terminal is', () => {
    const asked: number[] = []
    const slices = (count: number): 'ok'[] => {
      asked.push(count)
      return Array.from({ length: count }, () => 'ok')
    }
    expect(plain({ slices }, 240)).toContain(`last 60 s  ${'.'.repeat(120)}`)
    expect(asked).toEqual([120])
  })

  it('lets nothing that a server wrote act on the terminal', () => {
    const mark = { kind: 'connection_lost', detail: 'bad\u001b[2J\nnews\u0007', urgent: true } as const
    const lines = draw(snapshot({ connections: [{ mark }] }), { columns: 120, rows: 24, colour: false })
    expect(lines.join('')).toContain('bad [2J news')
  })
})
