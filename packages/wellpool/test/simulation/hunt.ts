// Plays seeds until something does not hold, and writes down which and what. Bundled with a planted bug and run as
// a program of its own: a bug may do anything to the process that it runs in.
import type { Kind } from './kinds.ts'
import { simulate } from './simulation.ts'
import { Summary } from './summary.ts'

/** How often the samples of all runs so far are looked at together. */
const LOOK_EVERY = 50

const [kind, from, to] = process.argv.slice(-3) as [Kind, string, string]
process.stdout.write(JSON.stringify(await hunt()))

async function hunt(): Promise<{ readonly seed: number; readonly problem: string | undefined }> {
  const summary = new Summary()
  for (let seed = Number(from); seed <= Number(to); seed++) {
    summary.add(await simulate(seed, { kind }))
    const [failure] = summary.failures
    if (failure !== undefined) return failure
    const uneven = seed % LOOK_EVERY === 0 ? summary.unevenSpread() : undefined
    if (uneven !== undefined) return { seed, problem: uneven }
  }
  return { seed: Number(to), problem: undefined }
}
