import { seeded, shuffle } from '../src/random.ts'
import { median } from '../src/statistics.ts'
import { ApplicationProcess } from './application-process.ts'
import { ARM_NAMES, type ArmName } from './arms.ts'
import type { Load, Memory, Slice } from './messages.ts'

/** All arms under the same load, one straight after the other. */
export interface Block {
  readonly load: Load
  readonly slices: Readonly<Record<ArmName, Slice>>
}

/** The arms whose memory is compared. */
export type MemoryArm = 'off' | 'on'

/** What one round came to, in fresh processes: one for all blocks, and one for the memory of each of two arms. */
export interface CostRound {
  readonly blocks: readonly Block[]
  readonly memory: Readonly<Record<MemoryArm, Memory>>
}

/** What all rounds came to. */
export interface Costs {
  /** Requests a second of the blocks with part of the load. */
  readonly rate: number
  readonly rounds: readonly CostRound[]
}

/** Blocks of each load in a round. */
const BLOCKS = 6
/** Slices of each load before the memory is looked at. */
const MEMORY_SLICES = 2
/** Part of the load is this share of what the pool without health checks and rebuilds can do. */
const SHARE = 0.6
const CALIBRATIONS = 5

/** What the measurement needs. */
export interface CostSetting {
  /** The compiled program of the application. */
  readonly program: string
  /** Environment variables of its process. */
  readonly env: Readonly<Record<string, string>>
  readonly rounds: number
  readonly progress: (text: string) => void
}

/**
 * Measures what health checks and rebuilds cost. The arms of a block follow each other within seconds, in one process and
 * over the same connections: two processes of the same program differ by more than what is looked for, in how V8 has
 * compiled them and in how they and the server take turns. Their order is drawn by lot and goes backwards in the next
 * block, so that whatever else the machine does, and what an arm leaves to the next, falls on all of them.
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
  const start = (): Promise<ApplicationProcess> => ApplicationProcess.start(program, env)
  const [loaded, off, on] = await Promise.all([start(), start(), start()])
  try {
    const blocks: Block[] = []
    const random = seeded(round)
    let order = ARM_NAMES
    for (let block = 0; block < BLOCKS; block++) {
      order = block % 2 === 0 ? shuffle(ARM_NAMES, random) : [...order].reverse()
      for (const load of ['part', 'full'] as const) blocks.push({ load, slices: await measureBlock(loaded, order, load, rate) })
    }
    return { blocks, memory: { off: await measureMemory(off, 'off', rate), on: await measureMemory(on, 'on', rate) } }
  } finally {
    for (const application of [loaded, off, on]) application.kill()
  }
}

async function measureBlock(
  application: ApplicationProcess,
  order: readonly ArmName[],
  load: Load,
  rate: number,
): Promise<Block['slices']> {
  const slices: [ArmName, Slice][] = []
  for (const arm of order) slices.push([arm, await application.slice(arm, load === 'part' ? rate : undefined)])
  return Object.fromEntries(slices) as Block['slices']
}

/** Of a process that has never been another arm. */
async function measureMemory(application: ApplicationProcess, arm: MemoryArm, rate: number): Promise<Memory> {
  for (let i = 0; i < MEMORY_SLICES; i++) {
    await application.slice(arm, rate)
    await application.slice(arm, undefined)
  }
  return application.end(arm)
}

/** How many requests a second are part of the load: the same in all rounds. */
async function calibrate({ program, env, progress }: CostSetting): Promise<number> {
  progress('cost: how much is full load')
  const application = await ApplicationProcess.start(program, env)
  try {
    const throughputs: number[] = []
    for (let i = 0; i < CALIBRATIONS; i++) throughputs.push((await application.slice('off', undefined)).throughput)
    return Math.round(SHARE * median(throughputs))
  } finally {
    application.kill()
  }
}
