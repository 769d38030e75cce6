import { parseArgs } from 'node:util'
import { FAULTS } from './faults.ts'
import { seconds } from './text.ts'

/** What the demo was told. */
export interface Arguments {
  /** How long the load lasts, ms; `Infinity` until somebody ends it. */
  readonly lastsMs: number
  readonly help: boolean
}

const BOUNDS = FAULTS.map(({ key, name, boundMs }) => `  ${key} ${name.padEnd(20)} ${seconds(boundMs)}`)

export const USAGE = `usage: npm start [-- --seconds N]

Starts a PostgreSQL server, opens a pool, puts a steady load on it, breaks things, and shows what the application saw.

  --seconds N   ends after N seconds of load (at least 1) with a summary; without it, press q
  --help        shows this

WELLPOOL_DEMO_POSTGRES_URL=postgres://user:password@host:port/database uses a server that is there.

The faults, each with the longest that healing may take:
${BOUNDS.join('\n')}

Exit code: 0 if all faults healed within their bounds and no invariant broke, 1 otherwise, 2 for a wrong argument.`

/** @throws Error that says what is wrong */
export function parseArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
  if (values.seconds === undefined) return { lastsMs: Number.POSITIVE_INFINITY, help: values.help ?? false }
  const seconds = Number(values.seconds)
  if (!(seconds >= 1 && seconds <= 86_400)) throw new Error(`--seconds: got '${values.seconds}', allowed is a number from 1 to 86400`)
  return { lastsMs: seconds * 1_000, help: values.help ?? false }
}
