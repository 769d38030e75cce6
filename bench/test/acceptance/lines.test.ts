import { describe, expect, test } from 'vitest'
import { ARM_NAMES, type ArmName } from '../../acceptance/arms.ts'
import type { ScenarioOutcome } from '../../acceptance/availability.ts'
import type { Block, CostRound, Costs } from '../../acceptance/cost.ts'
import { type Line, linesOf } from '../../acceptance/lines.ts'
import type { Slice } from '../../acceptance/messages.ts'
import { renderLines } from '../../acceptance/report.ts'

const SLICE: Slice = { requests: 5_000, failed: 0, throughput: 5_000, p99: 4, cpu: 100, seconds: 1, checks: 10, rebuilds: 1 }

/** What one arm's figures are in a round, where they are not as without anything. */
type Change = (arm: ArmName, round: number) => Partial<Slice> & { pool?: number }

/** Twelve rounds, each with its own level: the machine is busier in some than in others. */
function costs(change: Change): Costs {
  const rounds = Array.from({ length: 12 }, (_, round): CostRound => {
    const level = 1 + (round % 5) / 2
    const slice = (arm: ArmName): Slice => {
      const changed = { ...SLICE, ...change(arm, round) }
      return { ...changed, throughput: changed.throughput / level, p99: changed.p99 * level, cpu: changed.cpu * level }
    }
    const slices = Object.fromEntries(ARM_NAMES.map((arm) => [arm, slice(arm)])) as Record<ArmName, Slice>
    const memory = (arm: ArmName) => ({ pool: change(arm, round).pool ?? 1e6, process: 5e7 })
    return {
      blocks: (['part', 'full'] as const).map((load): Block => ({ load, slices })),
      memory: { off: memory('off'), on: memory('on') },
    }
  })
  return { rate: 3_000, rounds }
}

function lineOf(lines: readonly Line[], name: string): Line {
  const line = lines.find((each) => each.name === name)
  if (line === undefined) throw new Error(`no line is called ${name}: ${lines.map((each) => each.name).join(', ')}`)
  return line
}

const outcome = (changes: Partial<ScenarioOutcome>): ScenarioOutcome => ({
  scenario: 'restarted',
  title: 'server restarted',
  reachable: { requests: 40_000, failed: 0 },
  barelyReachable: { requests: 40_000, failed: 0 },
  unreachable: 0,
  runs: 2,
  recovered: 2,
  errors: {},
  lateMs: 1,
  leftOut: undefined,
  ...changes,
})

describe('a line of the costs', () => {
  test('compares within rounds, so that what differs between them does not count', () => {
    const lines = linesOf({ cost: costs((arm) => (arm === 'health' ? { throughput: 4_900 } : {})) })
    const { measured } = lineOf(lines, 'health checks, throughput at full load')
    expect(measured.low).toBeCloseTo(0.02)
    expect(measured.high).toBeCloseTo(0.02)
  })

  test('passes when the bad end of its interval keeps the limit, and says whether it reaches the aim', () => {
    const noisy: Change = (arm, round) => (arm === 'health' ? { p99: 4 * (1.005 + ((round % 3) - 1) / 50) } : {})
    const line = lineOf(linesOf({ cost: costs(noisy) }), 'health checks, p99 at full load')
    expect(line).toMatchObject({ passes: true, aimed: 'open' })
    expect(line.measured.high).toBeGreaterThan(0.01)
  })

  test('falls short when its figure keeps the limit and the bad end does not', () => {
    const noisy: Change = (arm, round) => (arm === 'health' ? { p99: 4 * (1.03 + ((round % 3) - 1) / 10) } : {})
    const line = lineOf(linesOf({ cost: costs(noisy) }), 'health checks, p99 at full load')
    expect(line.measured.median).toBeLessThan(0.05)
    expect(line).toMatchObject({ passes: false, aimed: 'missed' })
  })

  test('measures what a rebuild adds beside nothing, and beside a bare log-in', () => {
    const p99: Partial<Record<ArmName, number>> = { login: 8, rebuild: 9 }
    const lines = linesOf({ cost: costs((arm) => ({ p99: p99[arm] ?? 4 })) })
    expect(lineOf(lines, 'rebuilds, p99 at 60 % load').measured.median).toBeCloseTo(1.25)
    const beside = lineOf(lines, 'rebuilds beside bare log-ins, p99 at 60 % load')
    expect(beside.measured.median).toBeCloseTo(0.125)
    expect(beside.note).toContain('adds 100.0 % (100.0 … 100.0) to the p99 at 60 % load')
  })

  test('counts failed requests beside an aim of none', () => {
    const name = 'rebuilds, failed requests'
    expect(lineOf(linesOf({ cost: costs(() => ({})) }), name).aimed).toBe('reached')
    expect(lineOf(linesOf({ cost: costs((arm) => (arm === 'rebuild' ? { failed: 1 } : {})) }), name).aimed).toBe('missed')
  })

  test('measures memory and CPU with both turned on', () => {
    const lines = linesOf({ cost: costs((arm) => (arm === 'on' ? { cpu: 120, pool: 1.3e6 } : {})) })
    expect(lineOf(lines, 'health checks and rebuilds, CPU at 60 % load')).toMatchObject({ passes: false })
    expect(lineOf(lines, 'health checks and rebuilds, memory of the pool').measured.median).toBeCloseTo(0.3)
  })

  test('tells how many checks and rebuilds were made', () => {
    const lines = linesOf({ cost: costs(() => ({})) })
    expect(lineOf(lines, 'health checks, p99 at full load').note).toBe('240 checks executed, 1.00 a second for each connection')
    expect(lineOf(lines, 'rebuilds, p99 at full load').note).toBe('24 rebuilds, each connection once in 10.0 s')
  })
})

describe('the line of the rebuilds', () => {
  test.each([
    { failed: 0, passes: true, aimed: 'reached' },
    { failed: 3, passes: true, aimed: 'missed' },
    { failed: 25, passes: false, aimed: 'missed' },
  ])('with $failed of 3000 failed: passes $passes, aim $aimed', ({ failed, ...expected }) => {
    const rebuilds = { made: 3_000, failed, requests: 1, 'failed requests': 0, seconds: 1 }
    expect(linesOf({ rebuilds })).toMatchObject([expected])
  })
})

describe('the lines of the faults', () => {
  test('count what could be reached, and leave out what nobody could answer', () => {
    const [line] = linesOf({
      availability: [
        outcome({ reachable: { requests: 40_000, failed: 4 }, barelyReachable: { requests: 40_016, failed: 20 }, unreachable: 600 }),
        outcome({ scenario: 'stopped-20s', reachable: { requests: 1_000, failed: 500 }, leftOut: 'the application was stopped' }),
      ],
    })
    expect(line?.measured.median).toBe(0.9999)
    expect(line).toMatchObject({ passes: true, aimed: 'open' })
    expect(line?.note).toContain('4 of 40000 requests failed')
    expect(line?.note).toContain('99.950 %, 20 of 40016 failed')
  })

  test('fall short when one fault was not recovered from', () => {
    const lines = linesOf({ availability: [outcome({}), outcome({ scenario: 'silent', recovered: 1 })] })
    expect(lineOf(lines, 'recovers by itself')).toMatchObject({ passes: false, note: '3 of 4 runs of 2 faults; not after silent' })
  })
})

test('the table has a row for each line and says what became of it', () => {
  const text = renderLines(linesOf({ rebuilds: { made: 3_000, failed: 0, requests: 1, 'failed requests': 0, seconds: 1 } }))
  expect(text).toMatch(/rebuilds that fail while the endpoint is up\s+0 %\s+0 % … 0.13 %\s+≤ 1 %\s+pass\s+≤ 0 %\s+reached/)
})
