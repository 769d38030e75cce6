import type { Sample } from '../api/contract.ts'

/** How far back samples go, seconds: as far as the agent's. */
const SECONDS = 600
/** Samples that are farther apart have something missing between them, ms. */
const GAP_MS = 3000

/** The samples of one pool as columns, for a picture. Times are in seconds, the others as the sample has them. */
export interface Columns {
  readonly times: readonly number[]
  readonly values: readonly (readonly (number | null)[])[]
}

/** How each pool was, second by second. */
export class SampleLog {
  readonly #samples = new Map<string, Sample[]>()

  /** The oldest first. */
  of(pool: string): readonly Sample[] {
    return this.#samples.get(pool) ?? []
  }

  add(pool: string, sample: Sample): void {
    const samples = this.#samples.get(pool)
    if (samples === undefined) {
      this.#samples.set(pool, [sample])
      return
    }
    const last = samples.at(-1)?.timestamp ?? 0
    if (sample.timestamp <= last) {
      if (last - sample.timestamp <= GAP_MS) return
      // The agent's clock was set back: what is to come by it now would hold up all others until then.
      samples.splice(samples.findIndex(({ timestamp }) => timestamp >= sample.timestamp))
    }
    samples.push(sample)
    if (samples.length > SECONDS * 1.1) samples.splice(0, samples.length - SECONDS)
  }

  /** Puts what the agent remembers in the place of what has been heard of that time. */
  fill(pool: string, remembered: readonly Sample[]): void {
    const [first, last] = [remembered[0], remembered.at(-1)]
    if (first === undefined || last === undefined) return
    // One that was started again remembers less than has been heard of the former one.
    const older = this.of(pool).filter(({ timestamp }) => timestamp < first.timestamp)
    const newer = this.of(pool).filter(({ timestamp }) => timestamp > last.timestamp)
    this.#samples.set(pool, [...older, ...remembered, ...newer].slice(-SECONDS))
  }

  clear(): void {
    this.#samples.clear()
  }

  /** Columns of the last seconds. Seconds without a sample stay empty: a line over them would be made up. */
  columns(pool: string, seconds: number, pick: readonly ((sample: Sample) => number | null)[]): Columns {
    const samples = this.of(pool)
    const from = (samples.at(-1)?.timestamp ?? 0) - seconds * 1000
    const times: number[] = []
    const values = pick.map((): (number | null)[] => [])
    let before: number | undefined
    for (const sample of samples) {
      if (sample.timestamp < from) continue
      if (before !== undefined && sample.timestamp - before > GAP_MS) {
        times.push((before + 1000) / 1000)
        for (const column of values) column.push(null)
      }
      before = sample.timestamp
      times.push(sample.timestamp / 1000)
      pick.forEach((read, index) => {
        values[index]?.push(read(sample))
      })
    }
    return { times, values }
  }
}

/** The places of values with nothing on either side of them: no line leads there. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  const isThere = (at: number): boolean => values[at] !== null && values[at] !== undefined
  const found: number[] = []
  for (let at = 0; at < values.length; at++) if (isThere(at) && !isThere(at - 1) && !isThere(at + 1)) found.push(at)
  return found
}
