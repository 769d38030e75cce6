// The benchmarks: `npm run bench -- [workloads] [options]`; --help has them.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { choose, fromHere, list, runCommand, showProgress, wholeNumberIfGiven } from '../../tools/command.ts'
import { commandLine } from './command.ts'
import { compile } from './compile.ts'
import { figuresOf, outcomesOf } from './evaluate.ts'
import { describeTarget, renderWorkload } from './report.ts'
import { type Result, writePage } from './results.ts'
import { runRounds } from './rounds.ts'
import { circumstances } from './versions.ts'
import type { Workload } from './workload.ts'
import { WORKLOADS } from './workloads.ts'

const USAGE = `usage: npm run bench -- [workload …] [options]

workloads: ${WORKLOADS.map(({ name }) => name).join(', ')}; all of them unless named.
'scale' stands for all whose names begin with it.
  --rounds N    rounds of each workload, instead of its own number
  --only a,b    measure only these contenders
  --json file   write every sample, with all figures, into a file
  --write-docs  make the tables and pictures of docs/performance.md anew
  --check       exit with 1 if a target is missed`

const CONTENDERS = [...new Set(WORKLOADS.flatMap(({ contenders }) => contenders))]

/** What the program is asked to do. */
interface Arguments {
  readonly help: boolean
  readonly workloads: readonly Workload[]
  /** Of each workload; undefined: its own number. */
  readonly rounds: number | undefined
  readonly only: readonly string[]
  /** Where every sample is written to. */
  readonly json: string | undefined
  /** Whether the tables and pictures of docs/performance.md are made anew. */
  readonly writeDocs: boolean
  /** Whether the exit code tells of missed targets. */
  readonly check: boolean
}

await runCommand(USAGE, parseArguments, main)

function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  return {
    help: values.help,
    workloads: chooseWorkloads(positionals),
    rounds: wholeNumberIfGiven('rounds', values.rounds),
    only: choose('contender', list(values.only), CONTENDERS),
    json: values.json,
    writeDocs: values['write-docs'],
    check: values.check,
  }
}

/** @returns the exit code: with `check` 1 if a target is missed */
async function main({ workloads, rounds, only, json, writeDocs, check }: Arguments): Promise<number> {
  const setting = circumstances()
  console.log(`${setting.date}  Node ${setting.node}, V8 ${setting.v8}, ${setting.machine}`)
  console.log(
    `${Object.entries(setting.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  )
  console.log('Medians over rounds; ratios of the same round, with the 95 % confidence interval of their median.\n')

  await using compiled = await compile([new URL('measure.ts', import.meta.url), new URL('api/asker.ts', import.meta.url)])
  const results: Result[] = []
  for (const workload of workloads) results.push(await runWorkload(compiled.program, workload, rounds ?? workload.rounds, only))

  if (json !== undefined) {
    const named = results.map((result) => ({ ...result, workload: result.workload.name }))
    writeFileSync(fromHere(json), `${JSON.stringify({ ...setting, results: named }, null, 2)}\n`)
  }
  if (writeDocs) await writePage(results, setting, commandLine('bench', process.argv.slice(2)))
  const missed = check ? missedOf(results) : []
  if (missed.length > 0) console.error(`${missed.length} targets missed:\n  ${missed.join('\n  ')}`)
  return missed.length > 0 ? 1 : 0
}

function chooseWorkloads(names: readonly string[]): readonly Workload[] {
  const isMeant = (wanted: string, { name }: Workload): boolean => name === wanted || name.startsWith(`${wanted}-`)
  const unknown = names.filter((wanted) => !WORKLOADS.some((workload) => isMeant(wanted, workload)))
  if (unknown.length > 0) throw new Error(`no workload is called ${unknown.join(', ')}`)
  return names.length === 0 ? WORKLOADS : WORKLOADS.filter((workload) => names.some((wanted) => isMeant(wanted, workload)))
}

async function runWorkload(program: string, workload: Workload, rounds: number, only: readonly string[]): Promise<Result> {
  const contenders = workload.contenders.filter((contender) => only.includes(contender))
  const surroundings = await workload.prepare?.()
  try {
    const samples = await runRounds(program, workload, contenders, rounds, surroundings?.env ?? {}, showProgress)
    showProgress('')
    const figures = figuresOf(workload, samples)
    const outcomes = outcomesOf(workload, samples)
    if (surroundings !== undefined) console.log(surroundings.description)
    console.log(renderWorkload(workload, rounds, figures, outcomes))
    return { workload, rounds, surroundings: surroundings?.description, samples, figures, outcomes }
  } finally {
    await surroundings?.close()
  }
}

function missedOf(results: readonly Result[]): string[] {
  return results.flatMap(({ workload, outcomes }) =>
    outcomes.filter(({ verdict }) => verdict === 'missed').map(({ target }) => `${workload.name}: ${describeTarget(target)}`),
  )
}
