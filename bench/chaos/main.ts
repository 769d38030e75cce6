// What an application sees when things break: `npm run chaos -- [scenarios] [options]`; --help has them.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { fillIn } from '../src/page.ts'
import { type Arguments, parseArguments, usage } from './arguments.ts'
import { measure } from './measure.ts'
import { DISTURBED_MS, notBest, partsOf, type Results } from './page.ts'
import { CONTENDERS } from './pools.ts'
import { combine, revive, type Saved, save } from './saved.ts'
import { SCENARIOS } from './scenarios.ts'
import { compare } from './summary.ts'
import { renderComparison } from './table.ts'
import { describeOutcome } from './text.ts'
import { VARIANTS } from './variants.ts'

const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url))

/** With a larger share of disturbed runs the figures say more about the machine than about the pools. */
const MOST_DISTURBED = 0.1

const args = readArguments()
if (args?.help === true) console.log(usage(SCENARIOS))
else if (args !== undefined) process.exitCode = await main(args)

function readArguments(): Arguments | undefined {
  try {
    return parseArguments(process.argv.slice(2), SCENARIOS)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage(SCENARIOS)}`)
    process.exitCode = 2
    return undefined
  }
}

/** @returns the exit code: 1 if Wellpool has missed a limit, or something could not be measured */
async function main(asked: Arguments): Promise<number> {
  const [first, ...others] = asked.from.map((file) => revive(readFileSync(fromHere(file), 'utf8')))
  const saved = first === undefined ? await measure(asked, showProgress) : combine([first, ...others])
  showProgress('')
  const names = SCENARIOS.map(({ name }) => name)
  const disturbed = saved.runs.filter(({ lateMs }) => lateMs > DISTURBED_MS).length / Math.max(1, saved.runs.length)
  const results = { ...saved, disturbed, comparisons: compare(saved.runs, names, CONTENDERS) }
  if (asked.json !== undefined) writeFileSync(fromHere(asked.json), save(saved))
  print(saved, results)
  if (asked.writeDocs) writeFileSync(PAGE, fillIn(readFileSync(PAGE, 'utf8'), 'chaos', partsOf(results, SCENARIOS)))
  if (disturbed > MOST_DISTURBED)
    console.error(`The machine was too busy: the proxy was late in ${Math.round(disturbed * 100)} % of the runs, and so are the figures.`)
  for (const failure of saved.failures) console.error(`No figures: ${failure}`)
  const missed = results.comparisons.some(({ outcomes }) => outcomes.some(({ met }) => !met))
  return missed || saved.failures.length > 0 ? 1 : 0
}

function print({ circumstances, server }: Saved, { comparisons, disturbed, idleLateMs, lanes }: Results): void {
  const { date, machine, node, versions } = circumstances
  console.log(`${date}  Node ${node}, PostgreSQL ${server}, ${machine}, ${lanes} runs side by side`)
  console.log(
    `${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  )
  console.log(
    `An idle process was late by ${Math.round(idleLateMs)} ms at worst, the proxy by more than ${DISTURBED_MS} ms in ${Math.round(disturbed * 100)} % of the runs. Medians over the rounds; * nobody was better.\n`,
  )
  for (const comparison of comparisons) {
    const { scenario, variant, outcomes } = comparison
    const title = SCENARIOS.find(({ name }) => name === scenario)?.title
    console.log(renderComparison(`${scenario}: ${title}; ${VARIANTS[variant].title}`, comparison))
    for (const outcome of outcomes) console.log(`  ${outcome.met ? 'reached' : 'MISSED '}  ${describeOutcome(outcome)}`)
    console.log('')
  }
  const beaten = notBest(comparisons).map(({ scenario, variant }) => `${scenario} (${variant})`)
  if (beaten.length > 0) console.log(`Somebody was better than Wellpool in: ${beaten.join(', ')}\n`)
  const missed = comparisons.flatMap(({ scenario, outcomes }) =>
    outcomes.filter(({ met }) => !met).map((outcome) => `${scenario}: ${describeOutcome(outcome)}`),
  )
  const judged = comparisons.reduce((sum, { outcomes }) => sum + outcomes.length, 0)
  console.log(`${judged - missed.length} of ${judged} limits reached${missed.length === 0 ? '' : `; missed:\n  ${missed.join('\n  ')}`}`)
}

/** npm runs scripts in the package's folder; the user means the one that they are in. */
function fromHere(file: string): string {
  return path.resolve(process.env.INIT_CWD ?? '.', file)
}

/** On a terminal one line that changes; elsewhere a line for each phase. */
function showProgress(text: string, begins = false): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  else if (begins) console.error(text)
}
