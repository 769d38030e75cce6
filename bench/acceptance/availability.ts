import { compileLane } from '../chaos/compile.ts'
import { type Course, dueIn } from '../chaos/figures.ts'
import { Lanes } from '../chaos/lanes.ts'
import { ACQUIRE_MS, SUBJECT } from '../chaos/pools.ts'
import type { Job, Run } from '../chaos/run.ts'
import { SCENARIOS } from '../chaos/scenarios.ts'

/** What the faults of one scenario have done, in all rounds together. */
export interface ScenarioOutcome {
  readonly scenario: string
  readonly title: string
  /** Requests that could have been answered, and how many of them were not. */
  readonly reachable: Count
  /** The same with those whose endpoint was there so shortly that a pool is allowed to miss it. */
  readonly barelyReachable: Count
  /** Requests in whose whole time the endpoint was away. No pool can answer them. */
  readonly unreachable: number
  readonly runs: number
  /** In how many of them all requests of the end were answered, with no help from outside. */
  readonly recovered: number
  /** Why requests failed, and how many for each reason. */
  readonly errors: Readonly<Record<string, number>>
  /** How late the process with the proxy in it was at worst, ms: what the machine's other work has added. */
  readonly lateMs: number
  /** Why its requests are no measure of availability; undefined if they are. */
  readonly leftOut: string | undefined
}

export interface Count {
  readonly requests: number
  readonly failed: number
}

/** So long may a pool take to notice that its endpoint is back, ms: the limit that `npm run chaos` holds it to. */
export const MAY_TAKE_MS = 300
/** Who still fails at the end of a run, ms, has not recovered. */
const END_MS = 1_000

/** Scenarios in which there is no fault, or whose requests nobody could have answered. */
const NO_FAULTS = ['calm', 'random']
const LEFT_OUT: Readonly<Record<string, string>> = {
  'stopped-20s': 'the application was stopped',
  'blocked-2s': 'the application stood still',
  'server-full': 'the server had no connection to give',
}

/** Runs that do nothing but wait for most of their time share the machine. */
const LANES = 3

/** Plays every fault of `npm run chaos` with Wellpool. */
export async function measureAvailability(rounds: number, progress: (text: string) => void): Promise<ScenarioOutcome[]> {
  const scenarios = SCENARIOS.filter(({ name }) => !NO_FAULTS.includes(name))
  const jobs = scenarios.flatMap(({ name, seconds }) =>
    Array.from({ length: LEFT_OUT[name] === undefined ? rounds : 1 }, (_, round): Job => {
      return { scenario: name, contender: SUBJECT, variant: 'base', round, seconds, trace: true }
    }),
  )
  await using compiled = await compileLane()
  const lanes = await Lanes.start(compiled.program, LANES)
  const runs: Run[] = []
  try {
    const done = (run: Run): void => {
      runs.push(run)
      progress(`availability: ${runs.length} of ${jobs.length} runs, ${run.job.scenario}`)
    }
    await lanes.perform(jobs, done, (why) => {
      throw new Error(`no figures: ${why}`)
    })
  } finally {
    await lanes.close()
  }
  return scenarios.map(({ name, title }) => {
    const own = runs.filter(({ job }) => job.scenario === name)
    return { scenario: name, title, leftOut: LEFT_OUT[name], ...sumUp(own) }
  })
}

function sumUp(runs: readonly Run[]): Omit<ScenarioOutcome, 'scenario' | 'title' | 'leftOut'> {
  const requests = runs.flatMap((run) => requestsOf(run))
  const count = (leastMs: number): Count => {
    const counted = requests.filter(({ reachableMs }) => reachableMs > leastMs)
    return { requests: counted.length, failed: counted.filter(({ failed }) => failed).length }
  }
  return {
    reachable: count(MAY_TAKE_MS),
    barelyReachable: count(0),
    unreachable: requests.filter(({ reachableMs }) => reachableMs <= 0).length,
    runs: runs.length,
    recovered: runs.filter((run) => !requestsOf(run).some(({ failed, leftMs }) => failed && leftMs < END_MS)).length,
    errors: addUp(runs.map(({ figures }) => figures.errors)),
    lateMs: Math.max(0, ...runs.map(({ lateMs }) => lateMs)),
  }
}

interface Judged {
  readonly failed: boolean
  readonly reachableMs: number
  /** From when it was due until the end of the run, ms. */
  readonly leftMs: number
}

function requestsOf({ details }: Run): Judged[] {
  if (details === undefined) throw new Error('bug: a run without its requests')
  const { recording, course } = details
  const { counted } = dueIn(course, recording.requests)
  return counted.map(({ due, error }) => ({
    failed: error !== undefined,
    reachableMs: reachableFor(due, course),
    leftMs: course.endsAt - due,
  }))
}

function addUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [name, count] of counts.flatMap(Object.entries)) sums[name] = (sums[name] ?? 0) + (count as number)
  return sums
}

/** The longest time at a stretch in which the endpoint was there, between when a request was due and its deadline, ms. */
export function reachableFor(due: number, { episodes }: Pick<Course, 'episodes'>): number {
  const deadline = due + ACQUIRE_MS
  let longest = 0
  let since = due
  for (const { from, until } of episodes) {
    if (until === undefined || until <= since || from >= deadline) continue
    longest = Math.max(longest, from - since)
    since = until
  }
  return Math.max(longest, deadline - since)
}
