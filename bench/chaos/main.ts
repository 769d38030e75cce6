// What an application sees when things break: `npm run chaos -- [scenarios] [options]`; --help has them.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fromHere, runCommand, showProgress } from '../../tools/command.ts'
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

await runCommand(usage(SCENARIOS), (args) => parseArguments(args, SCENARIOS), main)

/** @returns the exit code: 1 if Wellpool has missed a limit, or something could not be measured */
async function main(plan: Arguments): Promise<number> {
  const [first, ...others] = plan.from.map((file) => revive(readFileSync(fromHere(file), 'utf8')))
  const saved = first === undefined ? await measure(plan, tellProgress) : combine([first, ...others])
  showProgress('')
  const names = SCENARIOS.map(({ name }) => name)
  const disturbed = saved.runs.filter(({ lateMs }) => lateMs > DISTURBED_MS).length / Math.max(1, saved.runs.length)
  const results = { ...saved, disturbed, comparisons: compare(saved.runs, names, CONTENDERS) }
  if (plan.json !== undefined) writeFileSync(fromHere(plan.json), save(saved))
  print(saved, results)
  if (plan.writeDocs) writeFileSync(PAGE, fillIn(readFileSync(PAGE, 'utf8'), 'chaos', partsOf(results, SCENARIOS)))
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

/** Elsewhere than on a terminal a line for each phase. */
function tellProgress(text: string, begins = false): void {
  showProgress(text)
  if (begins && !process.stderr.isTTY) console.error(text)
}
