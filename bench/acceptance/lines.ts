import { shareOf } from '../src/share.ts'
import { pairedEstimate } from '../src/signed-rank.ts'
import type { Estimate } from '../src/statistics.ts'
import type { Sample } from '../src/workload.ts'
import { type ArmName, CONNECTIONS } from './arms.ts'
import { type Count, MAY_TAKE_MS, type ScenarioOutcome } from './availability.ts'
import type { CostRound, Costs } from './cost.ts'
import type { Load, Memory, Slice } from './messages.ts'

const LOADS = [
  { load: 'part', title: '60 % load' },
  { load: 'full', title: 'full load' },
] as const satisfies readonly { load: Load; title: string }[]

/** All that was measured; a part that was not asked for is absent. */
export interface Measured {
  readonly cost?: Costs
  readonly rebuilds?: Sample
  readonly availability?: readonly ScenarioOutcome[]
}

/** `open`: the figure keeps the aim, the bad end of its interval does not. */
export type AimVerdict = 'reached' | 'open' | 'missed'

/** One line of the acceptance, and what became of it. All shares of 1. */
export interface Line {
  readonly name: string
  /** What counts: at most, or at least. */
  readonly bound: 'most' | 'least'
  readonly measured: Estimate
  /** The plan's. */
  readonly limit: number
  /** Ours. */
  readonly aim: number
  /** Whether the interval's bad end keeps the limit. */
  readonly passes: boolean
  readonly aimed: AimVerdict
  /** What the figure is made of. */
  readonly note: string
}

/** The lines that the measured parts decide. */
export function linesOf({ cost, rebuilds, availability }: Measured): Line[] {
  return [
    ...(cost === undefined ? [] : costLines(cost)),
    ...(rebuilds === undefined ? [] : [rebuildLine(rebuilds)]),
    ...(availability === undefined ? [] : [availabilityLine(availability), recoveryLine(availability)]),
  ]
}

function costLines({ rounds }: Costs): Line[] {
  const health = { limit: 0.05, aim: 0.01, note: describeChecks(rounds) }
  const rebuild = { limit: 0.1, aim: 0.02, note: describeRebuilds(rounds) }
  const beyondLogin = { ...rebuild, note: describeLogins(rounds) }
  const memory = { limit: 0.2, aim: 0.05, note: '' }
  const cpu = { limit: 0.15, aim: 0.05, note: '' }
  const underLoad = (name: string, arm: ArmName, limits: typeof health): Line[] =>
    LOADS.flatMap(({ load, title }) => [
      most(`${name}, throughput at ${title}`, lossOf(slicesOf(rounds, arm, load, 'throughput')), limits),
      most(`${name}, p99 at ${title}`, growthOf(slicesOf(rounds, arm, load, 'p99')), limits),
    ])
  const both = 'health checks and rebuilds'
  return [
    ...underLoad('health checks', 'health', health),
    ...underLoad('rebuilds', 'rebuild', rebuild),
    ...LOADS.map(({ load, title }) =>
      most(`rebuilds beside bare log-ins, p99 at ${title}`, growthOf(slicesOf(rounds, 'rebuild', load, 'p99', 'login')), beyondLogin),
    ),
    most('rebuilds, failed requests', shareOf(total(rounds, 'rebuild', 'failed'), total(rounds, 'rebuild', 'requests')), {
      ...rebuild,
      aim: 0,
    }),
    most(`${both}, memory of the pool`, growthOf(memoryOf(rounds, 'pool')), memory),
    most(`${both}, memory of the process`, growthOf(memoryOf(rounds, 'process')), memory),
    ...LOADS.map(({ load, title }) => most(`${both}, CPU at ${title}`, growthOf(slicesOf(rounds, 'on', load, 'cpu')), cpu)),
  ]
}

function rebuildLine({ made = 0, failed = 0, seconds = 0, requests = 0, 'failed requests': failedRequests = 0 }: Sample): Line {
  const note = `${failed} of ${made} rebuilds in ${Math.round(seconds)} s, beside ${requests} requests of which ${failedRequests} failed`
  return most('rebuilds that fail while the endpoint is up', shareOf(failed, made), { limit: 0.01, aim: 0, note })
}

function availabilityLine(outcomes: readonly ScenarioOutcome[]): Line {
  const counted = outcomes.filter(({ leftOut }) => leftOut === undefined)
  const { requests, failed } = addUp(counted.map(({ reachable }) => reachable))
  const barely = addUp(counted.map(({ barelyReachable }) => barelyReachable))
  const unreachable = sum(counted, (outcome) => outcome.unreachable)
  const runs = sum(counted, (outcome) => outcome.runs)
  const share = shareOf(requests - failed, requests)
  const strictly = `${((1 - barely.failed / barely.requests) * 100).toFixed(3)} %, ${barely.failed} of ${barely.requests} failed`
  return {
    name: 'availability under faults',
    bound: 'least',
    measured: share,
    limit: 0.999,
    aim: 0.9999,
    passes: share.low >= 0.999,
    aimed: share.low >= 0.9999 ? 'reached' : share.median >= 0.9999 ? 'open' : 'missed',
    note:
      `${failed} of ${requests} requests failed in ${runs} runs of ${counted.length} faults (with those whose endpoint was there for less ` +
      `than ${MAY_TAKE_MS} ms of their time: ${strictly}); not counted: ${unreachable} whose endpoint was away until their deadline`,
  }
}

function addUp(counts: readonly Count[]): Count {
  return { requests: sum(counts, ({ requests }) => requests), failed: sum(counts, ({ failed }) => failed) }
}

function recoveryLine(outcomes: readonly ScenarioOutcome[]): Line {
  const runs = sum(outcomes, (outcome) => outcome.runs)
  const recovered = sum(outcomes, (outcome) => outcome.recovered)
  const share = recovered / runs
  const stuck = outcomes.filter((outcome) => outcome.recovered < outcome.runs).map(({ scenario }) => scenario)
  const note = `${recovered} of ${runs} runs of ${outcomes.length} faults${stuck.length === 0 ? '' : `; not after ${stuck.join(', ')}`}`
  const all = recovered === runs
  // Every fault: a count, not an estimate.
  const measured = { median: share, low: share, high: share }
  return { name: 'recovers by itself', bound: 'least', measured, limit: 1, aim: 1, passes: all, aimed: all ? 'reached' : 'missed', note }
}

function most(name: string, measured: Estimate, { limit, aim, note }: { limit: number; aim: number; note: string }): Line {
  // An aim of none is for what was counted: no interval of a share ends at 0.
  const reached = measured.high <= aim || (aim === 0 && measured.median === 0)
  const aimed = reached ? 'reached' : measured.median <= aim ? 'open' : 'missed'
  return { name, bound: 'most', measured, limit, aim, passes: measured.high <= limit, aimed, note }
}

/** By how much a figure is higher than without, as a share of it. */
function growthOf(logRatios: readonly number[]): Estimate {
  const { median, low, high } = pairedEstimate(logRatios)
  return { median: Math.expm1(median), low: Math.expm1(low), high: Math.expm1(high) }
}

/** By how much a figure is lower than without, as a share of it. */
function lossOf(logRatios: readonly number[]): Estimate {
  const { median, low, high } = pairedEstimate(logRatios)
  return { median: -Math.expm1(median), low: -Math.expm1(high), high: -Math.expm1(low) }
}

/**
 * The ratio of an arm's figure to that without, of each round: the mean over its blocks, because blocks share a
 * process and are no rounds of their own. On a scale on which twice as much and half as much are equally far away.
 */
function slicesOf(rounds: readonly CostRound[], arm: ArmName, load: Load, figure: keyof Slice, without: ArmName = 'off'): number[] {
  return rounds.map(({ blocks }) =>
    mean(blocks.filter((block) => block.load === load).map(({ slices }) => Math.log(slices[arm][figure] / slices[without][figure]))),
  )
}

function memoryOf(rounds: readonly CostRound[], figure: keyof Memory): number[] {
  return rounds.map(({ memory }) => Math.log(memory.on[figure] / memory.off[figure]))
}

function describeChecks(rounds: readonly CostRound[]): string {
  const checks = total(rounds, 'health', 'checks')
  const perSecond = checks / total(rounds, 'health', 'seconds') / CONNECTIONS
  return `${checks} checks executed, ${perSecond.toFixed(2)} a second for each connection`
}

function describeRebuilds(rounds: readonly CostRound[]): string {
  const rebuilds = total(rounds, 'rebuild', 'rebuilds')
  const each = (total(rounds, 'rebuild', 'seconds') * CONNECTIONS) / rebuilds
  return `${rebuilds} rebuilds, each connection once in ${each.toFixed(1)} s`
}

function describeLogins(rounds: readonly CostRound[]): string {
  const growths = LOADS.map(({ load, title }) => {
    const { median, low, high } = growthOf(slicesOf(rounds, 'login', load, 'p99'))
    const [measured, from, to] = [median, low, high].map((share) => (share * 100).toFixed(1))
    return `${measured} % (${from} … ${to}) to the p99 at ${title}`
  })
  return `a client of pg that logs in and hangs up once a second, without any pool, adds ${growths.join(', ')}`
}

/** Over all blocks of all rounds. */
function total(rounds: readonly CostRound[], arm: ArmName, figure: keyof Slice): number {
  return sum(rounds, ({ blocks }) => sum(blocks, ({ slices }) => slices[arm][figure]))
}

function mean(values: readonly number[]): number {
  return sum(values, (value) => value) / values.length
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((all, item) => all + of(item), 0)
}
