import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Figures } from '../../chaos/figures.ts'
import { notBest, partsOf, type Results } from '../../chaos/page.ts'
import type { Run } from '../../chaos/run.ts'
import { combine, revive, type Saved, save } from '../../chaos/saved.ts'
import { SCENARIOS } from '../../chaos/scenarios.ts'
import { compare } from '../../chaos/summary.ts'
import { renderComparison } from '../../chaos/table.ts'
import { fillIn } from '../../src/page.ts'

const run = (contender: string, changes: Partial<Figures> = {}, round = 0, scenario = 'silent'): Run => ({
  job: { scenario, contender, variant: 'base', round, seconds: 10, trace: false },
  lateMs: 1,
  figures: {
    requests: 2_000,
    ok: 2_000,
    failed: 0,
    slow: 0,
    skipped: 0,
    outageMs: 0,
    healedMs: 0,
    before: { p50: 1, p99: 2, p999: 3 },
    during: { p50: undefined, p99: undefined, p999: undefined },
    after: { p50: 1, p99: 2, p999: 3 },
    connects: 10,
    accepted: 10,
    burst: 5,
    crash: undefined,
    errors: {},
    ...changes,
  },
})

const comparison = (...runs: Run[]) => {
  const [first] = compare(runs, ['silent'], ['wellpool', 'pg-pool', 'knex'])
  if (first === undefined) throw new Error('nothing was compared')
  return first
}

describe('a comparison', () => {
  test('knows the fewest failures and the shortest time to heal; less than a beat apart is level', () => {
    const { best } = comparison(
      run('wellpool', { failed: 2, healedMs: 40 }),
      run('pg-pool', { failed: 1, healedMs: 120 }),
      run('knex', { failed: 1, healedMs: 121 }),
    )
    expect(best).toEqual({ failed: ['pg-pool', 'knex'], healedMs: ['wellpool', 'pg-pool'] })
  })

  test('has nobody who healed first when nobody healed', () => {
    const never = { healedMs: Number.POSITIVE_INFINITY }
    expect(comparison(run('wellpool', never), run('knex', never)).best.healedMs).toEqual([])
  })

  test('takes medians over the rounds and shows their range', () => {
    const { rows } = comparison(run('knex', { slow: 4 }), run('knex', { slow: 8 }, 1), run('knex', { slow: 5 }, 2))
    expect(rows).toMatchObject([{ contender: 'knex', rounds: 3, slow: { median: 5, least: 4, most: 8 } }])
  })

  test('judges Wellpool by its limits, if it was measured', () => {
    expect(comparison(run('knex')).outcomes).toEqual([])
    expect(comparison(run('wellpool', { failed: 1 })).outcomes).toMatchObject([
      { metric: 'failed', met: false },
      { met: true },
      { met: true },
    ])
  })

  test('names where somebody was better than Wellpool', () => {
    const level = comparison(run('wellpool'), run('knex'))
    const beaten = comparison(run('wellpool', { failed: 1 }), run('knex'))
    const late = comparison(run('wellpool', { healedMs: 200 }), run('knex'))
    expect(notBest([level, beaten, late])).toEqual([beaten, late])
  })
})

describe('the table', () => {
  test('has pools as rows and an asterisk at what nobody was better than', () => {
    const text = renderComparison('silent', comparison(run('wellpool'), run('knex', { failed: 1_234, healedMs: Number.POSITIVE_INFINITY })))
    expect(text.split('\n')).toEqual([
      'silent (1 round)',
      expect.stringMatching(/^ +failed +slow +healed after +p50 \/ p99 \/ p99.9 before +during +after +connects +in 100 ms$/),
      expect.stringMatching(
        /^ {2}wellpool +0\* +0 +0\.00 s\* +1\.0 ms \/ 2\.0 ms \/ 3\.0 ms +– \/ – \/ – +1\.0 ms \/ 2\.0 ms \/ 3\.0 ms +10 +5$/,
      ),
      expect.stringMatching(/^ {2}knex +1,234 +0 +never +1\.0 ms /),
    ])
  })
})

test('a pool that has ended its process is marked', () => {
  const text = renderComparison('silent', comparison(run('wellpool'), run('knex', { crash: 'ended with code 1' })))
  expect(text).toMatch(/^ {2}knex † +0\* /m)
  expect(text).toMatch(/\n {2}† the process has ended by itself, of an error that the application could not catch$/)
})

describe('the page', () => {
  const results = (): Results => ({
    circumstances: {
      date: '2026-01-02T03:04:05.000Z',
      node: '20.0.0',
      v8: '11',
      machine: '2 × CPU',
      versions: { wellpool: '0.1.0', knex: '3.3.0' },
    },
    server: '18.4',
    commands: ['npm run chaos -- --write-docs'],
    lanes: 5,
    idleLateMs: 12,
    disturbed: 0.02,
    tookMs: 1_980_000,
    comparisons: [comparison(run('wellpool', { healedMs: 500 }), run('knex', { failed: 3 }))],
  })

  test('has markers for every part', () => {
    const page = readFileSync(new URL('../../../docs/reliability.md', import.meta.url), 'utf8')
    const filled = fillIn(page, 'chaos', partsOf(results(), SCENARIOS))
    expect(filled).toContain(
      'Measured on 2026-01-02 with `npm run chaos -- --write-docs` (33 min, 5 runs side by side) on 2 × CPU, Node 20.0.0,',
    )
    expect(filled).toContain('| present flows silent, new ones work | **0** / 0 / 0.50 s | 3 / 0 / **0.00 s** |')
    expect(filled).toContain(
      '| present flows silent, new ones work | failed 0, allowed 0; slower than 100 ms 0, allowed 80 | healed after 0.50 s, allowed 0.40 s |',
    )
    expect(fillIn(filled, 'chaos', partsOf(results(), SCENARIOS))).toBe(filled)
  })

  test('names the commands of all parts, apart from the text', () => {
    const commands = ['npm run chaos -- silent', 'npm run chaos -- calm']
    const { circumstances } = partsOf({ ...results(), commands }, SCENARIOS)
    expect(circumstances).toMatch(/^Measured on 2026-01-02 in 2 parts \(33 min, /)
    expect(circumstances).toContain(['', '```sh', ...commands, '```', ''].join('\n'))
  })

  test('keeps what it says of a variant that was not measured', () => {
    const parts = partsOf(results(), SCENARIOS)
    expect(Object.keys(parts).sort()).toEqual(['base', 'circumstances', 'details', 'limits'])
  })

  test('without them is refused', () => {
    expect(() => fillIn('<!-- chaos:limits -->', 'chaos', { limits: 'text' })).toThrow(
      'no markers <!-- chaos:limits --> … <!-- /chaos:limits -->',
    )
  })
})

const saved: Saved = {
  circumstances: { date: '', node: '', v8: '', machine: '', versions: {} },
  server: '18.4',
  commands: [],
  lanes: 1,
  idleLateMs: 0,
  tookMs: 0,
  failures: [],
  runs: [
    run('knex', {
      healedMs: Number.POSITIVE_INFINITY,
      before: { p50: 1, p99: Number.POSITIVE_INFINITY, p999: Number.POSITIVE_INFINITY },
    }),
  ],
}

test('what is saved can be read again, what has no end included', () => {
  expect(save(saved)).toContain('"healedMs": "endless"')
  expect(revive(save(saved))).toEqual(saved)
})

test('several measurements have the versions of all, and those that differ', () => {
  const of = (versions: Record<string, string>): Saved => ({ ...saved, circumstances: { ...saved.circumstances, versions } })
  const { circumstances } = combine([of({ wellpool: '0.1.0', pg: '8.1' }), of({ knex: '3.3', pg: '8.1' }), of({ knex: '3.4' })])
  expect(circumstances.versions).toEqual({ wellpool: '0.1.0', pg: '8.1', knex: '3.3 and 3.4' })
})

test('several measurements are one, with the runs, the failures and the commands of all', () => {
  const other: Saved = { ...saved, commands: ['npm run chaos -- calm'], idleLateMs: 7, tookMs: 5, failures: ['calm: broke off'] }
  expect(combine([{ ...saved, commands: ['npm run chaos'] }, other])).toEqual({
    ...saved,
    commands: ['npm run chaos', 'npm run chaos -- calm'],
    idleLateMs: 7,
    tookMs: 5,
    failures: ['calm: broke off'],
    runs: [...saved.runs, ...saved.runs],
  })
})
