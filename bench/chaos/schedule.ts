import { isForSlowConnects, isPlain } from './pools.ts'
import type { Job } from './run.ts'
import type { Scenario } from './scenario.ts'
import type { VariantName } from './variants.ts'

/** What is to be measured. */
export interface Plan {
  readonly scenarios: readonly Scenario[]
  readonly contenders: readonly string[]
  readonly variants: readonly VariantName[]
  /** Instead of its own number. */
  readonly rounds?: number | undefined
  /** How long requests count in every scenario, instead of its own. */
  readonly seconds?: number | undefined
  /** Whether scenarios take the time that they take for the tables that are kept. */
  readonly long: boolean
  readonly trace: boolean
}

/** Rounds of a scenario unless told otherwise: two where the limits are, one for the variants and for what stands in wrappers. */
const roundsOf = (variant: VariantName, contender: string): number => (variant === 'base' && isPlain(contender) ? 2 : 1)
const MOST_ROUNDS = 2

/**
 * The jobs in the order in which they are done: those of one phase may be under way at the same time, and a phase begins
 * when the one before has ended. A phase is one contender's, because some of them connect so often while the endpoint is
 * away that they would slow down whoever is beside them. Every other round has the contenders the other way round.
 */
export function phasesOf(plan: Plan): Job[][] {
  const { contenders, scenarios } = plan
  const apart = scenarios.filter(({ together }) => together !== true)
  const together = scenarios.filter((scenario) => scenario.together === true)
  const mostRounds = plan.rounds ?? MOST_ROUNDS
  const phases: Job[][] = []
  for (let round = 0; round < mostRounds; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse()
    for (const contender of order) phases.push(apart.flatMap((scenario) => jobsOf(plan, scenario, contender, round)))
  }
  // One round, unless more are asked for: what they take would be most of the whole.
  for (let round = 0; round < (plan.rounds ?? 1); round++) {
    phases.push(together.flatMap((scenario) => contenders.flatMap((contender) => jobsOf(plan, scenario, contender, round))))
  }
  return phases.filter((jobs) => jobs.length > 0)
}

function jobsOf(plan: Plan, scenario: Scenario, contender: string, round: number): Job[] {
  const { name, seconds, longSeconds, baseOnly, together } = scenario
  // A wrapper shows in the main variant what it is good for; it is left out where time is scarce, unless nothing else is asked for.
  const scarce = (variant: VariantName): boolean => variant !== 'base' || together === true
  const isShown = (variant: VariantName): boolean =>
    isPlain(contender) || plan.contenders.length === 1 || (isForSlowConnects(contender) ? variant === 'far' : !scarce(variant))
  const variants = plan.variants.filter(
    (variant) => round < (plan.rounds ?? roundsOf(variant, contender)) && !(baseOnly === true && variant !== 'base') && isShown(variant),
  )
  return variants.map((variant) => ({
    scenario: name,
    contender,
    variant,
    round,
    seconds: plan.seconds ?? (plan.long && variant === 'base' ? (longSeconds ?? seconds) : seconds),
    trace: plan.trace,
  }))
}

/** How long it takes, about, with so many lanes, ms. */
export function durationOf(phases: readonly (readonly Job[])[], lanes: number, overheadMs: number): number {
  let sum = 0
  for (const jobs of phases) {
    const lengths = jobs.map(({ seconds }) => seconds * 1000 + overheadMs)
    sum += Math.max(Math.max(...lengths), lengths.reduce((total, length) => total + length, 0) / lanes)
  }
  return sum
}
