import type { Samples } from './rounds.ts'
import { type Estimate, estimate } from './statistics.ts'
import type { Sample, Target, Workload } from './workload.ts'

/** One contender's figures for one metric. */
export interface Figure {
  readonly value: Estimate
  /** Reference contender → the ratio of the same round. */
  readonly ratios: Readonly<Record<string, Estimate>>
}

/** Contender → metric → figures. */
export type Figures = Readonly<Record<string, Readonly<Record<string, Figure>>>>

/** `open` when the interval lies on both sides of the limit and the target leaves that case to the noise. */
export type Verdict = 'met' | 'open' | 'missed'

/** How Wellpool did against one target. */
export interface Outcome {
  readonly target: Target
  readonly estimate: Estimate
  readonly verdict: Verdict
}

/** The contender that has targets, unless they say whom they mean. */
const SUBJECT = 'wellpool'

/** Medians and ratios of all that was measured. */
export function figuresOf(workload: Workload, samples: Samples): Figures {
  const figures: Record<string, Record<string, Figure>> = {}
  for (const [contender, own] of Object.entries(samples)) {
    const byMetric: Record<string, Figure> = {}
    for (const { name, relativeTo = [] } of workload.metrics) {
      const references = relativeTo.filter((reference) => reference !== contender && reference in samples)
      byMetric[name] = {
        value: estimate(valuesOf(own, name)),
        ratios: Object.fromEntries(references.map((reference) => [reference, estimate(ratiosOf(samples, contender, reference, name))])),
      }
    }
    figures[contender] = byMetric
  }
  return figures
}

/** What became of the targets that these samples can decide. */
export function outcomesOf(workload: Workload, samples: Samples): Outcome[] {
  return workload.targets
    .filter(({ of = SUBJECT, relativeTo = of }) => of in samples && relativeTo in samples)
    .map((target) => {
      const { metric, of = SUBJECT, relativeTo } = target
      const result = estimate(relativeTo === undefined ? valuesOf(samples[of] ?? [], metric) : ratiosOf(samples, of, relativeTo, metric))
      return { target, estimate: result, verdict: verdictOf(target, result) }
    })
}

function verdictOf({ limit, atLeast = false, byInterval = false }: Target, { median, low, high }: Estimate): Verdict {
  const keeps = (value: number): boolean => (atLeast ? value >= limit : value <= limit)
  if (!byInterval) return keeps(median) ? 'met' : 'missed'
  if (keeps(low) && keeps(high)) return 'met'
  return keeps(low) || keeps(high) ? 'open' : 'missed'
}

function valuesOf(samples: readonly Sample[], metric: string): number[] {
  return samples.map((sample) => {
    const value = sample[metric]
    if (value === undefined) throw new Error(`bug: ${metric} was not measured`)
    return value
  })
}

function ratiosOf(samples: Samples, contender: string, reference: string, metric: string): number[] {
  const denominators = valuesOf(samples[reference] ?? [], metric)
  return valuesOf(samples[contender] ?? [], metric).map((value, round) => value / (denominators[round] as number))
}
