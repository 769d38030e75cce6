import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Sample, Workload } from './workload.ts'

/** Contender → its sample of each round. */
export type Samples = Readonly<Record<string, readonly Sample[]>>

/** A measuring process that is silent for longer than this has hung. */
const PROCESS_TIMEOUT_MS = 120_000

/** Compiles the measuring program, so that nothing is translated, or mapped back, in a process that measures. */
export async function compileMeasure(): Promise<string> {
  const outdir = fileURLToPath(new URL('../dist', import.meta.url))
  await build({
    entryPoints: [fileURLToPath(new URL('measure.ts', import.meta.url))],
    outdir,
    bundle: true,
    // One chunk for each contender: a process loads only the one that it measures.
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: `node${process.versions.node}`,
    // Not the repository's tsconfig: its paths would put wellpool's sources in the place of what is built and published.
    tsconfigRaw: {},
    logLevel: 'warning',
  })
  return `${outdir}/measure.js`
}

/**
 * Measures every contender once in each round, each time in a fresh process. The order changes from round to
 * round, so that no contender always comes after the same other.
 */
export async function runRounds(
  program: string,
  workload: Workload,
  contenders: readonly string[],
  rounds: number,
  env: Readonly<Record<string, string>>,
  progress: (text: string) => void,
): Promise<Samples> {
  const samples: Record<string, Sample[]> = Object.fromEntries(contenders.map((contender) => [contender, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contender of orderOf(contenders, round)) {
      progress(`${workload.name}: round ${round + 1} of ${rounds}, ${contender}`)
      samples[contender]?.push(await measureInProcess(program, workload, contender, env))
    }
  }
  return samples
}

/** Forwards in even rounds and backwards in odd ones, each pair beginning one contender later. */
function orderOf(contenders: readonly string[], round: number): readonly string[] {
  const first = (round >> 1) % contenders.length
  const rotated = [...contenders.slice(first), ...contenders.slice(0, first)]
  return round % 2 === 0 ? rotated : rotated.reverse()
}

function measureInProcess(program: string, workload: Workload, contender: string, env: Readonly<Record<string, string>>): Promise<Sample> {
  return new Promise((resolve, reject) => {
    const child = fork(program, [workload.name, contender], {
      execArgv: [...(workload.nodeFlags ?? [])],
      // No flags from outside: a loader or a profiler would be measured as well.
      env: { ...process.env, ...env, NODE_OPTIONS: '' },
      timeout: PROCESS_TIMEOUT_MS,
    })
    let sample: Sample | undefined
    child.once('message', (message) => {
      sample = message as Sample
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (sample !== undefined && code === 0) resolve(sample)
      else reject(new Error(`measuring ${contender} in ${workload.name} ended with ${signal ?? `code ${code}`}`))
    })
  })
}
