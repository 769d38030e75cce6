// Plays seeds until something does not hold, and writes down which and what. Bundled with a planted bug and run as
// a program of its own: a bug may do anything to the process that it runs in.
import { simulate } from './simulation.ts'
import { Summary } from './summary.ts'

/** How often the samples of all runs so far are looked at together. */
const LOOK_EVERY = 50

const [from, to] = process.argv.slice(-2).map(Number) as [number, number]
process.stdout.write(JSON.stringify(await hunt()))

async function hunt(): Promise<{ readonly seed: number; readonly problem: string | undefined }> {
  const summary = new Summary()
  for (let seed = from; seed <= to; seed++) {
    summary.add(await simulate(seed))
    const [failure] = summary.failures
    if (failure !== undefined) return failure
    const uneven = seed % LOOK_EVERY === 0 ? summary.unevenSpread() : undefined
    if (uneven !== undefined) return { seed, problem: uneven }
  }
  return { seed: to, problem: undefined }
}
