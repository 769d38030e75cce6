import { fork } from 'node:child_process'
import { seeded, shuffle } from './random.ts'
import type { Sample, Workload } from './workload.ts'

/** Contender → its sample of each round. */
export type Samples = Readonly<Record<string, readonly Sample[]>>

/** A measuring process that is silent for longer than this has hung. */
const PROCESS_TIMEOUT_MS = 600_000

/**
 * Measures every contender once in each round, each time in a fresh process. The order is drawn by lot, the same each
 * time, and every second round goes backwards through that of the one before it: what the machine does meanwhile falls
 * on all alike.
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

function orderOf(contenders: readonly string[], round: number): readonly string[] {
  const order = shuffle(contenders, seeded(round >> 1))
  return round % 2 === 0 ? order : order.reverse()
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
