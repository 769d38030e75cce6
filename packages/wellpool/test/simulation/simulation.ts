import { Chronicle, InvariantViolation, type Spread } from './chronicle.ts'
import type { Kind } from './kinds.ts'
import { listen } from './listeners.ts'
import { playMonth } from './month.ts'
import { playPools } from './pools.ts'
import { randomTime } from './random-time.ts'
import { checkEnd, recover } from './recovery.ts'
import { type Interruptions, Stage, USUAL_INTERRUPTIONS } from './stage.ts'
import { World } from './world.ts'

/** How one run went. */
export interface RunResult {
  readonly seed: number
  readonly kind: Kind
  /** What did not hold; undefined if all did. */
  readonly problem: string | undefined
  /** Callbacks of the clock and actions, each followed by a check of the invariants. */
  readonly steps: number
  /** Two runs with the same hash went alike. */
  readonly hash: string
  /** What happened, line by line; empty unless asked for. */
  readonly trace: readonly string[]
  /** How often what happened. */
  readonly met: ReadonlyMap<string, number>
  readonly spread: Spread
}

/** How to play a run. */
export interface Play {
  /** Default `mixed`. */
  readonly kind?: Kind
  /** Whether what happens is kept, line by line. Default false. */
  readonly keepTrace?: boolean
}

/** A run does no more than this much: a pool with a short interval would otherwise fill an hour with checks. */
const MAX_STEPS = 1500

/** Hardly ever left alone for long, and sometimes gone for days. */
const STOPPED_OFTEN: Interruptions = {
  share: 0.3,
  ms: [1, 50, 400, 999, 1000, 1999, 2500, 60_000, 3_600_000, 3 * 86_400_000],
  setWall: true,
}

/** Plays one run: the same seed and kind always give the same one. Never rejects for what the pool does. */
export async function simulate(seed: number, { kind = 'mixed', keepTrace = false }: Play = {}): Promise<RunResult> {
  const chronicle = new Chronicle(keepTrace)
  const { met, problem: found, spread, trace } = chronicle
  // What is thrown in a microtask of the pool's, or rejected and heard by nobody, would end a real process.
  const unhandled = (reason: unknown): void => found(`nobody handles: ${reason instanceof Error ? reason.stack : String(reason)}`)
  const warned = (warning: Error): void => {
    if (warning.name === 'MaxListenersExceededWarning') found(warning.message)
  }
  process.on('unhandledRejection', unhandled).on('uncaughtException', unhandled).on('warning', warned)
  // Thousands of errors are made on the way; where each came from is only of interest to who reads the trace.
  const { stackTraceLimit } = Error
  if (!keepTrace) Error.stackTraceLimit = 2
  let problem: string | undefined
  try {
    if (kind === 'pools') await playPools(seed, chronicle)
    else if (kind === 'months') await playMonth(seed, chronicle)
    else await playOne(seed, kind, chronicle)
  } catch (error) {
    problem =
      error instanceof InvariantViolation ? error.message : `the run broke off: ${error instanceof Error ? error.stack : String(error)}`
  } finally {
    await new Promise((resolve) => setImmediate(resolve))
    Error.stackTraceLimit = stackTraceLimit
    process.off('unhandledRejection', unhandled).off('uncaughtException', unhandled).off('warning', warned)
  }
  const lines = problem === undefined ? trace.lines : [...trace.lines, problem]
  return { seed, kind, problem, steps: chronicle.steps, hash: trace.hash(), trace: lines, met, spread }
}

/** One pool, for an hour or so. */
async function playOne(seed: number, kind: Kind, chronicle: Chronicle): Promise<void> {
  const world = new World(seed, chronicle, { kind })
  const { clock, random } = world
  const stage = new Stage(chronicle, clock, random, kind === 'clocks' ? STOPPED_OFTEN : USUAL_INTERRUPTIONS)
  const { actions, invariants } = stage.add(world)
  listen(world)
  if (random.chance(0.5)) actions.start()
  const count = random.int(20, 90)
  for (let index = 0; index < count && chronicle.steps < MAX_STEPS; index++) {
    actions.act()
    await stage.settle()
    if (random.chance(0.6)) await stage.passSome(randomTime(random, world.options))
  }
  await recover(world, invariants, actions, stage.pass)
  await checkEnd(world, actions, stage.pass)
}
