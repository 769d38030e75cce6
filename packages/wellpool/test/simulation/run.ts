// npm run simulate -- --seeds 10000 [--seed 17] [--workers 1]
// npm run simulate -- --bug 'the name of a planted bug' [--seed 17] [--seeds 10000]
//
// Plays seeds from `--seed` (1 unless given) on, on all cores or as many as `--workers` says. The first one that fails is played once more, with
// everything that happened in it. `--seed` alone plays that one and prints it, failed or not. With `--bug` the seeds are played against an engine that has
// this bug in it, until one shows it.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type RunResult, simulate } from './simulation.ts'
import { Summary } from './summary.ts'

const CHUNK = 20

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, seed: { type: 'string' }, workers: { type: 'string' }, coverage: { type: 'boolean' } },
})
const first = Number(values.seed ?? 1)
const count = Number(values.seeds ?? (values.seed === undefined ? 2000 : 1))
const workers = Number(values.workers ?? availableParallelism())
if (!Number.isInteger(first) || ![count, workers].every((value) => Number.isInteger(value) && value >= 1))
  throw new Error('usage: npm run simulate -- [--seeds N] [--seed K] [--workers N] [--coverage]')

if (count === 1) await replay(first)
else await playAll()

async function replay(seed: number): Promise<void> {
  const { trace, problem, steps, hash } = await simulate(seed, true)
  console.log(trace.join('\n'))
  console.log(`seed ${seed}: ${problem === undefined ? 'all invariants hold' : 'FAILED'} after ${steps} steps, trace ${hash}`)
  if (problem !== undefined) process.exitCode = 1
}

async function playAll(): Promise<void> {
  const summary = new Summary()
  const startedAt = performance.now()
  let next = first
  await Promise.all(
    Array.from({ length: Math.min(workers, Math.ceil(count / CHUNK)) }, async () => {
      const worker = new Worker(new URL('worker.ts', import.meta.url))
      while (next < first + count) {
        const from = next
        next = Math.min(next + CHUNK, first + count)
        for (const result of await playIn(worker, from, next - 1)) {
          summary.add(result)
          if (result.problem !== undefined) console.log(`seed ${result.seed}: ${result.problem.split('\n')[0]}`)
        }
      }
      await worker.terminate()
    }),
  )

  const seconds = (performance.now() - startedAt) / 1000
  console.log(`${summary.runs} runs, ${summary.steps} steps, ${seconds.toFixed(1)} s`)
  if (values.coverage === true)
    for (const [what, times] of [...summary.coverage].sort((a, b) => a[1] - b[1])) console.log(`${times} × ${what}`)
  const uneven = summary.unevenSpread()
  if (uneven !== undefined) console.log(uneven)
  const failures = summary.failures.sort((a, b) => a.seed - b.seed)
  const [failure] = failures
  if (failure !== undefined) await replay(failure.seed)
  console.log(
    failure === undefined
      ? 'all invariants hold'
      : `${failures.length} of ${summary.runs} seeds FAILED; replay one with: npm run simulate -- --seed ${failure.seed}`,
  )
  if (failure !== undefined || uneven !== undefined) process.exitCode = 1
}

function playIn(worker: Worker, from: number, to: number): Promise<RunResult[]> {
  return new Promise((resolve, reject) => {
    worker.once('message', (results: RunResult[]) => {
      worker.off('error', reject)
      resolve(results)
    })
    worker.once('error', reject)
    worker.postMessage({ from, to })
  })
}
