// A lane's process: servers and a proxy of its own, in which one run follows another. Started by the program, which
// sends it jobs one by one; it answers each with a run, or with what went wrong.
import { Endpoint } from './endpoint.ts'
import { type Job, play, type Run } from './run.ts'
import { SCENARIOS } from './scenarios.ts'

/** What a lane answers: to its start, and to each job. */
export type LaneAnswer = { readonly ready: string } | { readonly run: Run } | { readonly failed: string }

const primary = await Endpoint.start()
let other: Promise<Endpoint> | undefined
const standby = (): Promise<Endpoint> => (other ??= Endpoint.start())

process.on('message', (message) => void perform(message as Job))
process.on('disconnect', () => void end())
// A Ctrl-C reaches every process of the terminal.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end())
answer({ ready: primary.server.version })

async function perform(job: Job): Promise<void> {
  try {
    const scenario = SCENARIOS.find(({ name }) => name === job.scenario)
    if (scenario === undefined) throw new Error(`no scenario is called ${job.scenario}`)
    answer({ run: await play(scenario, job, { primary, standby }) })
  } catch (error) {
    answer({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

async function end(): Promise<void> {
  await primary.close()
  await (await other)?.close()
  process.exit()
}

function answer(said: LaneAnswer): void {
  process.send?.(said)
}
