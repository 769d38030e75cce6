// What Wellpool costs, and what it holds: `npm run acceptance -- [parts] [options]`; --help has them.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { choose, fromHere, runCommand, showProgress, wholeNumber } from '../../tools/command.ts'
import { commandLine } from '../src/command.ts'
import { compile } from '../src/compile.ts'
import { fillIn } from '../src/page.ts'
import { startServer } from '../src/postgres-server.ts'
import { runRounds } from '../src/rounds.ts'
import { circumstances } from '../src/versions.ts'
import type { Sample } from '../src/workload.ts'
import { measureAvailability } from './availability.ts'
import { type Costs, measureCost } from './cost.ts'
import { linesOf } from './lines.ts'
import { rebuilds } from './rebuilds.ts'
import { renderLines, renderPart, type Saved } from './report.ts'

/** Enough for an interval of a few percent on a quiet machine, in a quarter of an hour. */
const ROUNDS = 12
const PARTS = ['cost', 'rebuilds', 'availability']
const USAGE = `usage: npm run acceptance -- [part …] [options]

parts: ${PARTS.join(', ')}; all of them unless named
  --rounds N        rounds of the part cost; ${ROUNDS} unless given
  --fault-rounds N  how often each fault is played; 2 unless given
  --json file       write every figure into a file
  --from file       show what was written into such a file, instead of measuring
  --write-docs      make the tables of docs/performance.md anew`

const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

/** What the program is asked to do. */
interface Arguments {
  readonly help: boolean
  readonly parts: readonly string[]
  readonly rounds: number
  readonly faultRounds: number
  /** Where every figure is written to. */
  readonly json: string | undefined
  /** The figures of an earlier run, to be shown instead of measuring. */
  readonly from: string | undefined
  /** Whether the tables of docs/performance.md are made anew. */
  readonly writeDocs: boolean
}

await runCommand(USAGE, parseArguments, main)

function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: String(ROUNDS) },
      'fault-rounds': { type: 'string', default: '2' },
      json: { type: 'string' },
      from: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  return {
    help: values.help,
    parts: choose('part', positionals, PARTS),
    rounds: wholeNumber('rounds', values.rounds),
    faultRounds: wholeNumber('fault-rounds', values['fault-rounds']),
    json: values.json,
    from: values.from,
    writeDocs: values['write-docs'],
  }
}

/** @returns the exit code: 1 if a line falls short of the plan's limit */
async function main(plan: Arguments): Promise<number> {
  const saved = plan.from === undefined ? await measure(plan) : (JSON.parse(readFileSync(fromHere(plan.from), 'utf8')) as Saved)
  const lines = linesOf(saved.measured)
  const { date, node, machine } = saved.circumstances
  console.log(`${date}  Node ${node}, ${saved.server}, ${machine}, ${Math.round(saved.tookMs / 1000)} s`)
  console.log('Costs are what is lost, or needed more, beside the same pool without: the Hodges–Lehmann estimate over the rounds, with the')
  console.log('interval of the signed-rank test. Shares have Wilson’s interval. A line passes when the bad end keeps the limit.\n')
  console.log(renderLines(lines))
  if (plan.json !== undefined) writeFileSync(fromHere(plan.json), `${JSON.stringify(saved, null, 1)}\n`)
  if (plan.writeDocs) {
    writeFileSync(PAGE, fillIn(readFileSync(PAGE, 'utf8'), 'acceptance', { lines: renderPart(saved, lines) }))
  }
  const short = lines.filter(({ passes }) => !passes).map(({ name }) => name)
  console.log(`\n${lines.length - short.length} of ${lines.length} lines pass${short.length === 0 ? '' : `; short: ${short.join('; ')}`}`)
  return short.length === 0 ? 0 : 1
}

async function measure({ parts, rounds, faultRounds }: Arguments): Promise<Saved> {
  const startedAt = performance.now()
  const server = await startServer()
  let cost: Costs | undefined
  let made: Sample | undefined
  try {
    if (parts.includes('cost')) {
      await using compiled = await compile([new URL('application.ts', import.meta.url)])
      cost = await measureCost({ program: compiled.program, env: server.env, rounds, progress: showProgress })
    }
    if (parts.includes('rebuilds')) {
      await using compiled = await compile([new URL('measure.ts', import.meta.url)])
      made = (await runRounds(compiled.program, rebuilds, rebuilds.contenders, 1, server.env, showProgress)).wellpool?.[0]
    }
  } finally {
    await server.close()
  }
  const availability = parts.includes('availability') ? await measureAvailability(faultRounds, showProgress) : undefined
  showProgress('')
  return {
    circumstances: circumstances(),
    command: commandLine('acceptance', process.argv.slice(2)),
    server: server.description,
    tookMs: performance.now() - startedAt,
    measured: {
      ...(cost !== undefined && { cost }),
      ...(made !== undefined && { rebuilds: made }),
      ...(availability !== undefined && { availability }),
    },
  }
}
