import { monitorEventLoopDelay } from 'node:perf_hooks'
import { circumstances } from '../src/versions.ts'
import type { Arguments } from './arguments.ts'
import { now } from './clock.ts'
import { compileLane } from './compile.ts'
import { Lanes } from './lanes.ts'
import { poolOf } from './pools.ts'
import type { Run } from './run.ts'
import type { Saved } from './saved.ts'
import { durationOf, phasesOf } from './schedule.ts'

/** What a run takes beside the time in which its requests count, about, ms. */
const OVERHEAD_MS = 4_000
const DELAY_RESOLUTION_MS = 10

/** Hears how far it has got: at each run, and, worth a line of its own, when a phase begins. */
export type Progress = (text: string, begins?: boolean) => void

/** Does all runs that are asked for. */
export async function measure({ plan, selection, lanes: wanted }: Arguments, progress: Progress): Promise<Saved> {
  const setting = circumstances()
  const phases = phasesOf(plan)
  const count = Math.min(wanted, Math.max(1, ...phases.map(({ length }) => length)))
  progress('compiling, and starting PostgreSQL …')
  await using compiled = await compileLane()
  const lanes = await Lanes.start(compiled.program, count)
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  const startedAt = now()
  const runs: Run[] = []
  const failures: string[] = []
  try {
    delay.enable()
    for (const [index, jobs] of phases.entries()) {
      progress(`phase ${index + 1} of ${phases.length}: ${jobs.length} runs, ${jobs[0]?.contender}`, true)
      const left = Math.ceil(durationOf(phases.slice(index + 1), count, OVERHEAD_MS) / 60_000)
      const done = (run: Run): void => {
        runs.push(run)
        progress(`${run.job.contender} has been through ${run.job.scenario} (${run.job.variant}); ${left} min left after this phase`)
      }
      await lanes.perform(jobs, done, (why) => failures.push(why))
    }
  } finally {
    delay.disable()
    await lanes.close()
  }
  const measured = new Set([...plan.contenders.map(poolOf), 'pg'])
  return {
    circumstances: { ...setting, versions: Object.fromEntries(Object.entries(setting.versions).filter(([name]) => measured.has(name))) },
    server: lanes.serverVersion,
    commands: [['npm run chaos --', ...selection].join(' ').replace(/ --$/, '')],
    lanes: count,
    idleLateMs: Math.max(0, delay.max / 1e6 - DELAY_RESOLUTION_MS),
    tookMs: now() - startedAt,
    runs,
    failures,
  }
}
