// The application's process: one pool and the load on it. Started by a lane, with its settings as its only argument.
import { Socket } from 'node:net'
import { seeded } from '../src/random.ts'
import { now } from './clock.ts'
import { Load } from './load.ts'
import { type ApplicationSettings, type Command, type Report, type Request, ROWS, type TraceEntry, type Workload } from './messages.ts'
import { openPool } from './pools.ts'
import { VARIANTS } from './variants.ts'

/** How often it tells what it has seen, ms. */
const REPORT_EVERY_MS = 200

const settings = JSON.parse(process.argv[2] ?? '') as ApplicationSettings
let requests: Request[] = []
let connects: number[] = []
let trace: TraceEntry[] = []
noteConnects()

let { password } = settings.address
const pool = await openPool(settings.contender, { ...settings.address, password: () => password })
if (settings.trace) pool.trace?.((event, details) => trace.push({ at: now(), event, details }))

let made = 0
const load = new Load(
  VARIANTS[settings.variant],
  seeded(settings.seed),
  (work) => pool.request(statement(settings.workload, work, made++)),
  (request) => requests.push(request),
)

process.on('message', (message) => obey(message as Command))
// A lane that is gone wants nothing more to know.
process.on('disconnect', () => process.exit())
tell({ kind: 'begun', firstDue: load.start() })
setInterval(tellProgress, REPORT_EVERY_MS)

function obey(command: Command): void {
  switch (command.do) {
    case 'pause':
      load.pause()
      break
    case 'resume':
      load.resume()
      break
    case 'block':
      block(command.ms)
      break
    case 'password':
      password = command.password
      break
    case 'end':
      void end()
  }
}

/** Asleep rather than busy, so that nobody else on the machine is slowed down. */
function block(ms: number): void {
  const from = now()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  tell({ kind: 'blocked', from, until: now() })
}

async function end(): Promise<void> {
  await load.end()
  tellProgress()
  // A pool's timers and sockets would keep the process open.
  process.send?.({ kind: 'ended' } satisfies Report, () => process.exit())
}

function tellProgress(): void {
  tell({ kind: 'progress', progress: { requests, connects, trace } })
  requests = []
  connects = []
  trace = []
}

function statement(workload: Workload, work: number, index: number): string {
  const wait = `pg_sleep(${work / 1000})`
  const row = index % ROWS
  if (workload === 'select') return work === 0 ? 'select 1' : `select ${wait}`
  if (work === 0) return `update counters set n = n + 1 where id = ${row}`
  return `with waited as materialized (select ${wait}) update counters set n = n + 1 from waited where id = ${row}`
}

/** Notes when each connect begins: those that are refused never reach the proxy. */
function noteConnects(): void {
  const { connect } = Socket.prototype
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    connects.push(now())
    return Reflect.apply(connect, this, args) as Socket
  } as typeof connect
}

function tell(report: Report): void {
  process.send?.(report)
}
