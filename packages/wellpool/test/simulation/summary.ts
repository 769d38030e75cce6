import type { Kind } from './kinds.ts'
import type { RunResult } from './simulation.ts'

/** Fewer samples than this say nothing about how evenly they are spread. */
const ENOUGH = 100

/** What many runs come to, taken together. */
export class Summary {
  /** The runs in which something did not hold. */
  readonly failures: { readonly seed: number; readonly kind: Kind; readonly problem: string }[] = []
  /** How often what happened. */
  readonly met = new Map<string, number>()
  /** How many runs there were of each kind, and the last of their seeds. */
  readonly runs = new Map<Kind, { count: number; last: number }>()
  steps = 0
  readonly #spread: Record<keyof RunResult['spread'], number[]> = { lifetimes: [], backoffs: [] }

  add({ seed, kind, problem, steps, met, spread }: RunResult): void {
    const runs = this.runs.get(kind) ?? { count: 0, last: 0 }
    this.runs.set(kind, { count: runs.count + 1, last: Math.max(runs.last, seed) })
    this.steps += steps
    if (problem !== undefined) this.failures.push({ seed, kind, problem })
    for (const [what, count] of met) this.met.set(what, (this.met.get(what) ?? 0) + count)
    this.#spread.lifetimes.push(...spread.lifetimes)
    this.#spread.backoffs.push(...spread.backoffs)
  }

  /** How many samples there are of what chance has to spread. */
  get samples(): { readonly lifetimes: number; readonly backoffs: number } {
    return { lifetimes: this.#spread.lifetimes.length, backoffs: this.#spread.backoffs.length }
  }

  /** What is not spread over its whole range as it should be; undefined if all is, or too little is known yet. */
  unevenSpread(): string | undefined {
    for (const [what, samples] of Object.entries(this.#spread)) {
      // A pool that slept has noticed late; that says nothing about chance.
      const inRange = samples.filter((sample) => sample >= -0.02 && sample <= 1.2)
      if (inRange.length < ENOUGH) continue
      const mean = inRange.reduce((sum, sample) => sum + sample, 0) / inRange.length
      const quarters = [0, 0, 0, 0]
      for (const sample of inRange)
        quarters[Math.max(0, Math.min(3, Math.floor(sample * 4)))] = (quarters[Math.max(0, Math.min(3, Math.floor(sample * 4)))] ?? 0) + 1
      const shares = quarters.map((count) => count / inRange.length)
      // For 100 fair samples these bounds are four standard deviations away.
      if (mean < 0.38 || mean > 0.62 || Math.min(...shares) < 0.08) {
        return `${what} are not spread evenly: mean ${mean.toFixed(3)}, quarters ${shares.map((share) => share.toFixed(3)).join(' ')} of ${inRange.length}`
      }
    }
    return undefined
  }
}
