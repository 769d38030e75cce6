import { seeded, shuffle } from '../src/random.ts'
import { median } from '../src/statistics.ts'
import { ArmProcess } from './arm-process.ts'
import { ARM_NAMES, type ArmName } from './arms.ts'
import type { Ended, Load, Slice } from './messages.ts'

/** All arms under the same load, one straight after the other. */
export interface Block {
  readonly load: Load
  readonly slices: Readonly<Record<ArmName, Slice>>
}

/** What one round came to: every arm in a fresh process, and several blocks. */
export interface CostRound {
  readonly blocks: readonly Block[]
  readonly ended: Readonly<Record<ArmName, Ended>>
}

/** What all rounds came to. */
export interface Costs {
  /** Requests a second of the blocks with part of the load. */
  readonly rate: number
  readonly rounds: readonly CostRound[]
}

/** Blocks of each load in a round. */
const BLOCKS = 6
/** Part of the load is this share of what the pool without health checks and rebuilds can do. */
const SHARE = 0.6
const CALIBRATIONS = 5

/** What the measurement needs. */
export interface CostSetting {
  /** The compiled program of an arm. */
  readonly program: string
  /** Environment variables of its processes. */
  readonly env: Readonly<Record<string, string>>
  readonly rounds: number
  readonly progress: (text: string) => void
}

/**
 * Measures what health checks and rebuilds cost. The arms of a block follow each other within seconds, in an order that
 * is drawn by lot and goes backwards in the next block, so that whatever else the machine does falls on all of them.
 */
export async function measureCost(setting: CostSetting): Promise<Costs> {
  const rate = await calibrate(setting)
  const rounds: CostRound[] = []
  for (let round = 0; round < setting.rounds; round++) {
    setting.progress(`cost: round ${round + 1} of ${setting.rounds}, ${rate} requests/s are 60 % load`)
    rounds.push(await measureRound(setting, rate, round))
  }
  return { rate, rounds }
}

async function measureRound({ program, env }: CostSetting, rate: number, round: number): Promise<CostRound> {
  const arms = await startAll(program, env)
  try {
    const blocks: Block[] = []
    const random = seeded(round)
    let order = ARM_NAMES
    for (let block = 0; block < BLOCKS; block++) {
      order = block % 2 === 0 ? shuffle(ARM_NAMES, random) : [...order].reverse()
      for (const load of ['part', 'full'] as const) blocks.push({ load, slices: await measureBlock(arms, order, load, rate) })
    }
    return { blocks, ended: await eachArm((arm) => arms[arm].end()) }
  } finally {
    for (const arm of ARM_NAMES) arms[arm].kill()
  }
}

async function measureBlock(
  arms: Readonly<Record<ArmName, ArmProcess>>,
  order: readonly ArmName[],
  load: Load,
  rate: number,
): Promise<Block['slices']> {
  const slices: [ArmName, Slice][] = []
  for (const arm of order) slices.push([arm, await arms[arm].slice(load === 'part' ? rate : undefined)])
  return Object.fromEntries(slices) as Block['slices']
}

/** How many requests a second are part of the load: the same in all rounds. */
async function calibrate({ program, env, progress }: CostSetting): Promise<number> {
  progress('cost: how much is full load')
  const off = await ArmProcess.start(program, 'off', env)
  try {
    const throughputs: number[] = []
    for (let i = 0; i < CALIBRATIONS; i++) throughputs.push((await off.slice(undefined)).throughput)
    return Math.round(SHARE * median(throughputs))
  } finally {
    off.kill()
  }
}

function startAll(program: string, env: Readonly<Record<string, string>>): Promise<Record<ArmName, ArmProcess>> {
  return eachArm((arm) => ArmProcess.start(program, arm, env))
}

async function eachArm<Result>(run: (arm: ArmName) => Promise<Result>): Promise<Record<ArmName, Result>> {
  const results = await Promise.all(ARM_NAMES.map(async (arm) => [arm, await run(arm)] as const))
  return Object.fromEntries(results) as Record<ArmName, Result>
}
