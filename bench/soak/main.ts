// Whether anything grows: `npm run soak -- --hours N`; --help has the rest.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fromHere, runCommand, showProgress, wholeNumber, wrong } from '../../tools/command.ts'
import { compile } from '../src/compile.ts'
import { renderTable } from '../src/report.ts'
import { circumstances } from '../src/versions.ts'
import { type Figure, type Soak, soak } from './soak.ts'

const USAGE = `usage: npm run soak -- [options]

  --hours N     how long; fractions are allowed, 0.05 (three minutes) unless given
  --seed N      what is left to chance; 1 unless given
  --json file   write every sample into a file

Exit code 0: nothing grows. 1: something does. 2: of something it could not be told, take more time; or a wrong argument.`

const NAMES: Readonly<Record<Figure, string>> = {
  heap: 'heap, kB',
  handles: 'handles',
  sockets: 'open sockets',
  timers: "the pool's timers",
  listeners: 'listeners',
  clients: 'clients',
  flows: 'connections of the proxy',
  sessions: 'sessions of the server',
}

/** What the program is asked to do. */
interface Arguments {
  readonly help: boolean
  readonly hours: number
  readonly seed: number
  /** Where every sample is written to. */
  readonly json: string | undefined
}

await runCommand(USAGE, parseArguments, main)

function parseArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hours: { type: 'string', default: '0.05' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const hours = Number(values.hours)
  if (!(hours > 0 && hours < Number.POSITIVE_INFINITY)) throw wrong('hours', values.hours, 'a number above 0')
  return { help: values.help, hours, seed: wholeNumber('seed', values.seed), json: values.json }
}

async function main({ hours, seed, json }: Arguments): Promise<number> {
  await using compiled = await compile([new URL('application.ts', import.meta.url)])
  const result = await soak({ program: compiled.program, ms: hours * 3_600_000, seed, progress: showProgress })
  showProgress('')
  const { date, node, machine } = circumstances()
  const { server, faults, traffic, growth } = result
  console.log(`${date}  Node ${node}, ${server}, ${machine}`)
  console.log(`${hours} h, ${faults} faults, ${traffic.requests} requests, ${traffic.failed} of them failed, seed ${seed}`)
  console.log('Growth is over the time that counts, by the Theil–Sen slope, with its 95 % interval.\n')
  console.log(render(growth))
  if (json !== undefined) writeFileSync(fromHere(json), `${JSON.stringify(result, null, 1)}\n`)
  const verdicts = Object.values(growth).map(({ verdict }) => verdict)
  if (verdicts.includes('grows')) return 1
  return verdicts.includes('unclear') ? 2 : 0
}

function render(growth: Soak['growth']): string {
  const rows = (Object.entries(growth) as [Figure, Soak['growth'][Figure]][]).map(
    ([figure, { verdict, level, growth, low, high, allowed }]) => {
      const format = (value: number): string => (figure === 'heap' ? (value / 1000).toFixed(0) : value.toFixed(1))
      return [NAMES[figure], format(level), format(growth), `${format(low)} … ${format(high)}`, format(allowed), verdict]
    },
  )
  return renderTable([['', 'usual', 'growth', '95 % interval', 'allowed', ''], ...rows]).join('\n')
}
