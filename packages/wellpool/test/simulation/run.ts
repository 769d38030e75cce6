// Plays the engine against all that can go wrong, by chance: `npm run simulate -- [options]`; --help has them.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { runCommand, wholeNumber, wrong } from '../../../../tools/command.ts'
import { FOUND_BUGS } from './found-bugs.ts'
import { type Chunk, chunks, isKind, KINDS, type Kind } from './kinds.ts'
import { measureCoverage } from './measure-coverage.ts'
import { hunt } from './plant.ts'
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts'
import { type RunResult, simulate } from './simulation.ts'
import { Summary } from './summary.ts'

const DAY_MS = 86_400_000
/** A line is printed after so many seeds of `mixed`. */
const PROGRESS = 10_000

const USAGE = `usage: npm run simulate -- [--seeds 2000 | --minutes 3] [--seed 1] [--kind storms] [--workers 2] [--met]
         plays the seeds from --seed on: so many of mixed and with them some of each other kind, or those of one kind
       npm run simulate -- --seed 17 [--kind storms]
         plays one seed (of mixed) and prints all that happens in it
       npm run simulate -- --bug 'a late client is not destroyed' [--seeds 2000] [--seed 1] [--kind storms]
         plays seeds against an engine that has this planted bug in it, until one shows it
       npm run simulate -- --coverage
         says how much of the engine the simulation of npm test reaches by itself

  --kind K      of ${KINDS.join(', ')}
  --workers N   threads that play; ${availableParallelism()} unless given
  --met         says how often what the simulation is about was met

Exit code: 0 if all invariants hold (with --bug: if a seed shows it), 1 otherwise, 2 for a wrong argument.`

/** What the program is asked to do. */
interface Arguments {
  readonly help: boolean
  readonly coverage: boolean
  readonly bug: PlantedBug | undefined
  readonly kind: Kind | undefined
  /** Whether one seed is played, and printed. */
  readonly isOne: boolean
  readonly first: number
  /** Without an end it is infinite. */
  readonly seeds: number
  readonly minutes: number | undefined
  readonly workers: number
  readonly met: boolean
}

await runCommand(USAGE, parseArguments, main)

function parseArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      kind: { type: 'string' },
      workers: { type: 'string', default: String(availableParallelism()) },
      bug: { type: 'string' },
      met: { type: 'boolean', default: false },
      coverage: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
  if (minutes !== undefined && !(minutes > 0)) throw wrong('minutes', values.minutes ?? '', 'a number above 0')
  const isOne = values.seed !== undefined && values.seeds === undefined && minutes === undefined && values.bug === undefined
  return {
    help: values.help,
    coverage: values.coverage,
    bug: values.bug === undefined ? undefined : bugOf(values.bug),
    kind: values.kind === undefined ? undefined : kindOf(values.kind),
    isOne,
    first: wholeNumber('seed', values.seed ?? '1'),
    seeds: minutes === undefined ? wholeNumber('seeds', values.seeds ?? '2000') : Number.POSITIVE_INFINITY,
    minutes,
    workers: wholeNumber('workers', values.workers),
    met: values.met,
  }
}

function kindOf(text: string): Kind {
  if (!isKind(text)) throw wrong('kind', text, KINDS.join(', '))
  return text
}

function bugOf(name: string): PlantedBug {
  const bug = [...PLANTED_BUGS, ...FOUND_BUGS].find((each) => each.name === name)
  if (bug === undefined) throw new Error(`there is no planted bug '${name}'; test/simulation/planted-bugs.ts and found-bugs.ts have them`)
  return bug
}

/** @returns the exit code */
async function main(plan: Arguments): Promise<number> {
  if (plan.coverage) return await measureCoverage()
  if (plan.bug !== undefined) return await findBug(plan.bug, plan)
  if (plan.isOne) return await replay(plan.first, plan.kind ?? 'mixed')
  return await playAll(plan)
}

/** @returns the exit code */
async function replay(seed: number, of: Kind): Promise<number> {
  const { trace, problem, steps, hash } = await simulate(seed, { kind: of, keepTrace: true })
  console.log(trace.join('\n'))
  console.log(`seed ${seed} (${of}): ${problem === undefined ? 'all invariants hold' : 'FAILED'} after ${steps} steps, trace ${hash}`)
  return problem === undefined ? 0 : 1
}

/** @returns the exit code */
async function findBug(bug: PlantedBug, { kind, first, seeds }: Arguments): Promise<number> {
  const { seed, problem } = await hunt(bug, kind ?? bug.kind ?? 'mixed', first, first + seeds - 1, DAY_MS)
  console.log(problem === undefined ? `no seed up to ${seed} shows it` : `seed ${seed} shows it: ${problem}`)
  return problem === undefined ? 1 : 0
}

/** @returns the exit code */
async function playAll({ first, seeds, minutes, kind, workers, met }: Arguments): Promise<number> {
  const summary = new Summary()
  const startedAt = performance.now()
  const left = chunks(first, first + seeds - 1, kind)
  const isOver = (): boolean => minutes !== undefined && performance.now() - startedAt > minutes * 60_000
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
  report(summary, secondsSince(startedAt), met)
  const uneven = summary.unevenSpread()
  if (uneven !== undefined) console.log(uneven)
  const [failure] = summary.failures
  if (failure === undefined) {
    console.log('all invariants hold')
    return uneven === undefined ? 0 : 1
  }
  await replay(failure.seed, failure.kind)
  const { length } = summary.failures
  console.log(`${length} seeds FAILED; replay one with: npm run simulate -- --kind ${failure.kind} --seed ${failure.seed}`)
  return 1
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1)
}

function report(summary: Summary, seconds: string, met: boolean): void {
  const runs = [...summary.runs].map(([each, { count, last }]) => `${count} of ${each} (up to seed ${last})`)
  console.log(`${runs.join(', ')}: ${summary.steps} steps, ${seconds} s`)
  if (met) for (const [what, times] of [...summary.met].sort((a, b) => a[1] - b[1])) console.log(`${times} × ${what}`)
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
