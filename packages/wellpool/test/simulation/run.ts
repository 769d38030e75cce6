// npm run simulate -- [--seeds 2000 | --minutes 3] [--seed 1] [--kind storms] [--workers 2] [--met]
//   plays the seeds from `--seed` on: so many of `mixed` and with them some of each other kind, or those of one kind
// npm run simulate -- --seed 17 [--kind storms]
//   plays one seed (of `mixed`) and prints all that happens in it
// npm run simulate -- --bug 'a late client is not destroyed' [--seeds 2000] [--seed 1] [--kind storms]
//   plays seeds against an engine that has this planted bug in it, until one shows it
// npm run simulate -- --coverage
//   says how much of the engine the simulation of `npm test` reaches by itself
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { FOUND_BUGS } from './found-bugs.ts'
import { type Chunk, chunks, isKind, KINDS, type Kind } from './kinds.ts'
import { measureCoverage } from './measure-coverage.ts'
import { hunt } from './plant.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'
import { type RunResult, simulate } from './simulation.ts'
import { Summary } from './summary.ts'

const DAY_MS = 86_400_000
/** A line is printed after so many seeds of `mixed`. */
const PROGRESS = 10_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    kind: { type: 'string' },
    workers: { type: 'string' },
    bug: { type: 'string' },
    met: { type: 'boolean' },
    coverage: { type: 'boolean' },
  },
})
const first = wholeNumber('seed', values.seed ?? '1')
const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
if (minutes !== undefined && !(minutes > 0)) throw new Error(`--minutes is ${values.minutes} instead of a number above 0`)
const isOne = values.seed !== undefined && values.seeds === undefined && minutes === undefined && values.bug === undefined
const seeds = minutes === undefined ? wholeNumber('seeds', values.seeds ?? (isOne ? '1' : '2000')) : Number.POSITIVE_INFINITY
const kind = values.kind === undefined ? undefined : kindOf(values.kind)

if (values.coverage === true) process.exitCode = await measureCoverage()
else if (values.bug !== undefined) await findBug(values.bug)
else if (isOne) await replay(first, kind ?? 'mixed')
else await playAll()

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is ${text} instead of a whole number above 0`)
  return value
}

function kindOf(text: string): Kind {
  if (!isKind(text)) throw new Error(`--kind is ${text} instead of one of ${KINDS.join(', ')}`)
  return text
}

async function replay(seed: number, of: Kind): Promise<void> {
  const { trace, problem, steps, hash } = await simulate(seed, { kind: of, keepTrace: true })
  console.log(trace.join('\n'))
  console.log(`seed ${seed} (${of}): ${problem === undefined ? 'all invariants hold' : 'FAILED'} after ${steps} steps, trace ${hash}`)
  if (problem !== undefined) process.exitCode = 1
}

async function findBug(name: string): Promise<void> {
  const bug = [...PLANTED_BUGS, ...FOUND_BUGS].find((each) => each.name === name)
  if (bug === undefined) throw new Error(`there is no planted bug "${name}"`)
  const { seed, problem } = await hunt(bug, kind ?? bug.kind ?? 'mixed', first, first + seeds - 1, DAY_MS)
  console.log(problem === undefined ? `no seed up to ${seed} shows it` : `seed ${seed} shows it: ${problem}`)
  if (problem === undefined) process.exitCode = 1
}

async function playAll(): Promise<void> {
  const summary = new Summary()
  const startedAt = performance.now()
  const left = chunks(first, first + seeds - 1, kind)
  const isOver = (): boolean => minutes !== undefined && performance.now() - startedAt > minutes * 60_000
  const workers = wholeNumber('workers', values.workers ?? String(availableParallelism()))
  await Promise.all(
    Array.from({ length: workers }, async () => {
      const worker = new Worker(new URL('worker.ts', import.meta.url))
      for (let next = left.next(); next.done !== true && !isOver(); next = left.next()) {
        for (const result of await playIn(worker, next.value)) {
          summary.add(result)
          if (result.problem !== undefined) console.log(`seed ${result.seed} (${result.kind}): ${result.problem.split('\n')[0]}`)
        }
        const { kind: of, to } = next.value
        if (of === 'mixed' && to % PROGRESS === 0) console.log(`${of} up to seed ${to}: ${secondsSince(startedAt)} s`)
      }
      await worker.terminate()
    }),
  )
  report(summary, secondsSince(startedAt))
  const [failure] = summary.failures
  if (failure === undefined) console.log('all invariants hold')
  else {
    await replay(failure.seed, failure.kind)
    const { length } = summary.failures
    console.log(`${length} seeds FAILED; replay one with: npm run simulate -- --kind ${failure.kind} --seed ${failure.seed}`)
  }
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1)
}

function report(summary: Summary, seconds: string): void {
  const runs = [...summary.runs].map(([each, { count, last }]) => `${count} of ${each} (up to seed ${last})`)
  console.log(`${runs.join(', ')}: ${summary.steps} steps, ${seconds} s`)
  if (values.met === true) for (const [what, times] of [...summary.met].sort((a, b) => a[1] - b[1])) console.log(`${times} × ${what}`)
  const uneven = summary.unevenSpread()
  if (uneven === undefined) return
  console.log(uneven)
  process.exitCode = 1
}

function playIn(worker: Worker, chunk: Chunk): Promise<RunResult[]> {
  return new Promise((resolve, reject) => {
    worker.once('message', (results: RunResult[]) => {
      worker.off('error', reject)
      resolve(results)
    })
    worker.once('error', reject)
    worker.postMessage(chunk)
  })
}
