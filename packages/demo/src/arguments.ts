import { parseArgs } from 'node:util'
import { wrong } from '../../../tools/command.ts'
import { FAULTS } from './faults.ts'
import { seconds } from './text.ts'

/** What the demo was told. */
export interface Arguments {
  /** How long the load lasts, ms; `Infinity` until somebody ends it. */
  readonly lastsMs: number
  /** Where the API listens, 0: anywhere; undefined: at the usual place, or anywhere. */
  readonly port: number | undefined
  readonly help: boolean
}

const BOUNDS = FAULTS.map(({ key, name, boundMs }) => `  ${key} ${name.padEnd(20)} ${seconds(boundMs)}`)

export const USAGE = `usage: npm start [-- --seconds N --port N]

Starts a PostgreSQL server, opens a pool, puts a steady load on it, breaks things, and shows what the application saw.

  --seconds N   ends after N seconds of load (at least 1) with a summary; without it, press q
  --port N      serves the dashboard and the HTTP API there; without it, at 7710 or, if that is taken, anywhere
  --help        shows this

WELLPOOL_DEMO_POSTGRES_URL=postgres://user:password@host:port/database uses a server that is there.

The faults, each with the longest that healing may take:
${BOUNDS.join('\n')}

Exit code: 0 if all faults healed within their bounds and no invariant broke, 1 otherwise, 2 for a wrong argument.`

/** @throws Error that says what is wrong */
export function parseArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
  const { help = false } = values
  const lasts = values.seconds === undefined ? Number.POSITIVE_INFINITY : Number(values.seconds)
  if (values.seconds !== undefined && !(lasts >= 1 && lasts <= 86_400)) throw wrong('seconds', values.seconds, 'a number from 1 to 86400')
  const port = values.port === undefined ? undefined : Number(values.port)
  // Number('') is 0.
  if (port !== undefined && !(values.port !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw wrong('port', values.port ?? '', 'a whole number from 0 to 65535')
  }
  return { lastsMs: lasts * 1_000, port, help }
}
