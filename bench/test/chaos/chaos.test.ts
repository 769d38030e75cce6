import { fork } from 'node:child_process'
import { once } from 'node:events'
import { runToEnd } from '@wellpool/servers'
import { expect, it, vi } from 'vitest'
import { describeOwnPostgres } from '../../../packages/wellpool/test/support/postgres.ts'
import { compileLane } from '../../chaos/compile.ts'
import { Lanes } from '../../chaos/lanes.ts'
import type { Job, Run } from '../../chaos/run.ts'
import { CALM_MS } from '../../chaos/scenario.ts'

/** The state that the system tells of each process that this one has started: it begins with T where it was stopped. */
async function childrenOf(parent: number | undefined): Promise<{ readonly pid: string; readonly state: string }[]> {
  const table = await runToEnd('ps', ['-A', '-o', 'pid=,ppid=,stat='])
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/))
  return rows.flatMap(([pid = '', of, state = '']) => (of === String(parent) ? [{ pid, state }] : []))
}

const JOB: Job = { scenario: 'restarted', contender: 'wellpool', variant: 'base', round: 0, seconds: 6, trace: true }

/** Performs the jobs in one lane, one after the other. */
async function perform(jobs: readonly Job[]): Promise<{ runs: readonly Run[]; failures: readonly string[]; serverVersion: string }> {
  const runs: Run[] = []
  const failures: string[] = []
  await using compiled = await compileLane({ sources: true })
  const lanes = await Lanes.start(compiled.program, 1)
  try {
    await lanes.perform(
      jobs,
      (run) => runs.push(run),
      (why) => failures.push(why),
    )
  } finally {
    await lanes.close()
  }
  return { runs, failures, serverVersion: lanes.serverVersion }
}

await describeOwnPostgres('a lane', () => {
  it('plays a scenario for two pools, and sees every request and every connect', async () => {
    const { runs, failures, serverVersion } = await perform([JOB, { ...JOB, contender: 'pg-pool', trace: false }])

    expect(failures).toEqual([])
    expect(serverVersion).toMatch(/^\d+\.\d+$/)
    expect(runs.map(({ job: done }) => done.contender)).toEqual(['wellpool', 'pg-pool'])
    for (const { figures } of runs) {
      // 6 s with 16 requests every 80 ms, however the machine was doing.
      expect(figures.requests + figures.skipped).toBe(1_200)
      expect(figures.ok + figures.failed).toBe(figures.requests)
      expect(figures.ok).toBeGreaterThan(100)
      expect(figures.outageMs).toBeGreaterThan(10)
      expect(figures.accepted).toBeGreaterThan(0)
    }
    const [traced, untraced] = runs
    expect(untraced?.details).toBeUndefined()
    expect(traced?.details?.recording.trace.map(({ event }) => event)).toContain('connectionCreated')
    const { recording, course } = traced?.details ?? {}
    const accepted = course?.accepted.filter((at) => at < course.endsAt) ?? []
    // No connect reaches the proxy that the application has not begun.
    expect(recording?.connects.length).toBeGreaterThanOrEqual(accepted.length)
    expect(traced?.details?.course.episodes).toMatchObject([{ name: 'server restarted' }])
  })

  it('has the other server of a fail-over before the run begins', async () => {
    const { runs, failures } = await perform([{ ...JOB, scenario: 'failed-over', seconds: 8 }])
    expect(failures).toEqual([])
    const [{ details, lateMs } = { details: undefined, lateMs: 0 }] = runs
    const { startsAt = 0, episodes = [] } = details?.course ?? {}
    // The fault comes when the calm is over, but for what the machine has added.
    expect((episodes[0]?.from ?? 0) - (startsAt + CALM_MS)).toBeLessThan(lateMs + 100)
  })

  it('ends its application with itself, even one that has been stopped', async () => {
    await using compiled = await compileLane({ sources: true })
    const lane = fork(compiled.program, { serialization: 'advanced', env: { ...process.env, NODE_OPTIONS: '' } })
    await once(lane, 'message')
    lane.send({ ...JOB, scenario: 'stopped-20s', seconds: 26, trace: false })
    const application = await vi.waitUntil(async () => (await childrenOf(lane.pid)).find(({ state }) => state.startsWith('T')), 20_000)
    const ended = once(lane, 'exit')
    lane.disconnect()
    await ended
    await vi.waitUntil(async () => !(await runToEnd('ps', ['-A', '-o', 'pid='])).split(/\s+/).includes(application.pid), 5_000)
  })

  it('says what went wrong with a run, and goes on', async () => {
    const job: Job = { ...JOB, contender: 'none', seconds: 1, trace: false }
    const { runs, failures } = await perform([job, { ...job, scenario: 'nothing' }, { ...job, contender: 'wellpool' }])
    expect(runs).toEqual([])
    expect(failures).toEqual([
      expect.stringMatching(
        /^restarted \(base\) with none: Error: the application with none ended with code 1: [\s\S]*no pool is called none/,
      ),
      expect.stringMatching(/^nothing \(base\) with none: Error: no scenario is called nothing/),
      expect.stringMatching(/^restarted \(base\) with wellpool: Error: the run had -\d+ ms left when its faults were over/),
    ])
  })
})
