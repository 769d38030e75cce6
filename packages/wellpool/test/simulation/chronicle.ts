import { Trace } from './trace.ts'

/** Something that must always hold did not. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
}

/** Samples of what ought to be spread evenly between 0 and 1, for a look at them all together. */
export interface Spread {
  /** How far into its jitter range a connection came of age. */
  readonly lifetimes: number[]
  /** How much of the longest possible wait the pool waited after a first failed connect. */
  readonly backoffs: number[]
}

/** What is written down of one run, by all of its worlds. */
export class Chronicle {
  readonly trace: Trace
  /** How often what happened, to show that the seeds reach everything. */
  readonly met = new Map<string, number>()
  readonly spread: Spread = { lifetimes: [], backoffs: [] }
  /** Callbacks of the clock and actions so far. */
  steps = 0
  readonly #problems: string[] = []

  constructor(keepTrace: boolean) {
    this.trace = new Trace(keepTrace)
  }

  count(what: string): void {
    this.met.set(what, (this.met.get(what) ?? 0) + 1)
  }

  /** For what is found in the middle of a step, where an error would go to the pool instead of the simulation. */
  readonly problem = (text: string): void => {
    this.#problems.push(text)
  }

  /** Throws what has been found, if anything. */
  raise(more: readonly string[]): void {
    if (this.#problems.length + more.length > 0) throw new InvariantViolation([...this.#problems, ...more].join('\n'))
  }
}
