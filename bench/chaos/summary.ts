import { median } from '../src/statistics.ts'
import type { Figures, Latencies } from './figures.ts'
import { LIMITS, type Outcome, outcomesOf } from './limits.ts'
import { SUBJECT } from './pools.ts'
import type { Run } from './run.ts'
import { VARIANTS, type VariantName } from './variants.ts'

/** One figure over the rounds. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** A contender's figures that stand in a table, over all rounds of a scenario. */
export interface Row {
  readonly contender: string
  readonly rounds: number
  /** In how many of them the application's process ended by itself. */
  readonly crashes: number
  readonly requests: Spread
  readonly failed: Spread
  readonly slow: Spread
  readonly healedMs: Spread
  readonly outageMs: Spread
  readonly connects: Spread
  readonly burst: Spread
  /** Medians of the rounds in which a request was due. */
  readonly before: Latencies
  readonly during: Latencies
  readonly after: Latencies
}

/** All contenders in one scenario and variant. */
export interface Comparison {
  readonly scenario: string
  readonly variant: VariantName
  readonly rows: readonly Row[]
  /** Who had the fewest failures, and who healed first; several if they are level. */
  readonly best: { readonly failed: readonly string[]; readonly healedMs: readonly string[] }
  /** What became of Wellpool's limits. Empty where it has none, or was not measured. */
  readonly outcomes: readonly Outcome[]
}

/** Puts the runs of each scenario and variant side by side, in the order of the names. */
export function compare(runs: readonly Run[], scenarios: readonly string[], contenders: readonly string[]): Comparison[] {
  const variants = Object.keys(VARIANTS) as VariantName[]
  return variants.flatMap((variant) =>
    scenarios.flatMap((scenario) => {
      const here = runs.filter(({ job }) => job.variant === variant && job.scenario === scenario)
      const figuresOf = (contender: string): Figures[] =>
        here.filter(({ job }) => job.contender === contender).map(({ figures }) => figures)
      const rows = contenders
        .filter((contender) => figuresOf(contender).length > 0)
        .map((contender) => rowOf(contender, figuresOf(contender)))
      return rows.length === 0 ? [] : [comparisonOf(scenario, variant, rows, figuresOf(SUBJECT))]
    }),
  )
}

function comparisonOf(scenario: string, variant: VariantName, rows: readonly Row[], subject: readonly Figures[]): Comparison {
  const limit = variant === 'base' ? LIMITS[scenario] : undefined
  return {
    scenario,
    variant,
    rows,
    best: {
      failed: leastOf(rows, 'failed', 0),
      // Bad requests are due at the beats: what is less than one apart says nothing.
      healedMs: leastOf(rows, 'healedMs', VARIANTS[variant].everyMs),
    },
    outcomes: limit === undefined || subject.length === 0 ? [] : outcomesOf(limit, subject),
  }
}

function leastOf(rows: readonly Row[], metric: 'failed' | 'healedMs', slack: number): string[] {
  const least = Math.min(...rows.map((row) => row[metric].median))
  if (least === Number.POSITIVE_INFINITY) return []
  return rows.filter((row) => row[metric].median <= least + slack).map(({ contender }) => contender)
}

function rowOf(contender: string, figures: readonly Figures[]): Row {
  const over = (of: (figures: Figures) => number): Spread => spreadOf(figures.map(of))
  const latencies = (of: (figures: Figures) => Latencies): Latencies => {
    const middle = (share: keyof Latencies): number | undefined => {
      const values = figures.flatMap((each) => of(each)[share] ?? [])
      return values.length === 0 ? undefined : median(values)
    }
    return { p50: middle('p50'), p99: middle('p99'), p999: middle('p999') }
  }
  return {
    contender,
    rounds: figures.length,
    crashes: figures.filter(({ crash }) => crash !== undefined).length,
    requests: over(({ requests }) => requests),
    failed: over(({ failed }) => failed),
    slow: over(({ slow }) => slow),
    healedMs: over(({ healedMs }) => healedMs),
    outageMs: over(({ outageMs }) => outageMs),
    connects: over(({ connects }) => connects),
    burst: over(({ burst }) => burst),
    before: latencies(({ before }) => before),
    during: latencies(({ during }) => during),
    after: latencies(({ after }) => after),
  }
}

function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) }
}
