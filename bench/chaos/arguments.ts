import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { choose, list, wholeNumberIfGiven } from '../../tools/command.ts'
import { CONTENDERS } from './pools.ts'
import type { Scenario } from './scenario.ts'
import type { Plan } from './schedule.ts'
import { isVariantName, VARIANTS, type VariantName } from './variants.ts'

/** What the program is asked to do. */
export interface Arguments {
  readonly help: boolean
  readonly plan: Plan
  /** The arguments that decide what is measured, for whoever wants to repeat it: no file of this machine's. */
  readonly selection: readonly string[]
  /** Runs side by side. */
  readonly lanes: number
  /** Where every figure is written to. */
  readonly json: string | undefined
  /** The results of earlier runs, to be shown instead of measuring. */
  readonly from: readonly string[]
  /** Whether the tables of docs/reliability.md are made anew. */
  readonly writeDocs: boolean
}

/** A machine with that many cores is idle most of the time then. With more lanes the pools would be measured by who gets a core. */
const LANES = availableParallelism()

const FILES = /^--(json|from)(=|$)/

/** How the program is called. */
export function usage(scenarios: readonly Scenario[]): string {
  return `usage: npm run chaos -- [scenario …] [options]

scenarios: ${scenarios.map(({ name }) => name).join(', ')}; all of them unless named
  --pools a,b      of ${CONTENDERS.join(', ')}
  --variants a,b   of ${Object.keys(VARIANTS).join(', ')}
  --rounds N       rounds of each, instead of their own number
  --seconds S      how long requests count in each, instead of their own time
  --long           the times for tables that are kept: a minute of kills, ten minutes of chance
  --lanes N        runs side by side, each with servers of its own; ${LANES} unless given
  --json file      write every figure into a file
  --from a,b       show what was written into such files, instead of measuring
  --trace          with --json: every request, connect and decision as well
  --write-docs     make the tables of docs/reliability.md anew; with --long unless --from is given`
}

/** @throws Error when they make no sense; with what does */
export function parseArguments(args: readonly string[], scenarios: readonly Scenario[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      pools: { type: 'string' },
      variants: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      long: { type: 'boolean', default: false },
      lanes: { type: 'string' },
      json: { type: 'string' },
      from: { type: 'string' },
      trace: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const names = scenarios.map(({ name }) => name)
  const chosen = choose('scenario', positionals, names)
  const writeDocs = values['write-docs']
  const partial = [positionals.length > 0, values.pools, values.variants, values.seconds].some(Boolean)
  const from = list(values.from)
  if (writeDocs && from.length === 0 && partial) {
    throw new Error('--write-docs: the tables are of all scenarios, pools and variants in their own time; choose none of them')
  }
  return {
    help: values.help,
    plan: {
      scenarios: scenarios.filter(({ name }) => chosen.includes(name)),
      contenders: choose('pool', list(values.pools), CONTENDERS),
      variants: choose('variant', list(values.variants), Object.keys(VARIANTS)).filter(isVariantName) satisfies VariantName[],
      rounds: wholeNumberIfGiven('rounds', values.rounds),
      seconds: wholeNumberIfGiven('seconds', values.seconds),
      long: values.long || writeDocs,
      trace: values.trace,
    },
    selection: args.filter((arg, index) => !FILES.test(arg) && !/^--(json|from)$/.test(args[index - 1] ?? '')),
    lanes: wholeNumberIfGiven('lanes', values.lanes) ?? LANES,
    json: values.json,
    from,
    writeDocs,
  }
}
