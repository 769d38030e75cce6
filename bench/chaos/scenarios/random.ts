import type { Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { loseHalf, silence, slowDownConnects, slowHalf, throttle } from './flows.ts'
import { leaveUnanswered, refuse, restart } from './outages.ts'
import { block, stop } from './process.ts'
import { fill, rotate } from './server.ts'

/** The rest after each fault, ms: enough to heal in, for whoever heals. */
const REST_MS = { least: 3_000, most: 8_000 }
/** No fault begins so close to the end, ms. */
const LAST_MS = 10_000

/** Each leaves things as they were, but for the connections. */
const FAULTS: readonly ((stage: Stage) => Promise<void>)[] = [
  (stage) => kill(stage, 1),
  (stage) => kill(stage, Number.MAX_SAFE_INTEGER),
  (stage) => restart(stage, 0),
  (stage) => restart(stage, between(stage, 1_000, 3_000)),
  (stage) => refuse(stage, between(stage, 200, 4_000)),
  (stage) => leaveUnanswered(stage, between(stage, 200, 4_000)),
  async (stage) => heal(stage, silence(stage), 5_000),
  async (stage) => heal(stage, slowHalf(stage, between(stage, 150, 600)), 5_000),
  async (stage) => heal(stage, await throttle(stage, 1_000), 5_000),
  async (stage) => {
    const slow = slowDownConnects(stage, 3_000)
    await loseHalf(stage, 'half of the backends killed, connects take 3 s')
    await heal(stage, slow, 4_000)
  },
  (stage) => rotate(stage, between(stage, 0, 1_000)),
  (stage) => fill(stage, between(stage, 500, 3_000)),
  (stage) => block(stage, between(stage, 500, 2_000)),
  (stage) => stop(stage, between(stage, 1_000, 8_000)),
]

export const random: Scenario = {
  name: 'random',
  title: 'all of it at random for ten minutes',
  seconds: 120,
  longSeconds: 600,
  baseOnly: true,
  together: true,
  async play(stage) {
    while (stage.timeLeft > LAST_MS + REST_MS.most) {
      await pick(stage, FAULTS)(stage)
      await stage.sleep(between(stage, REST_MS.least, REST_MS.most))
    }
  },
}

/** None at all: what the machine, and the other runs on it, do to the figures. */
export const calm: Scenario = {
  name: 'calm',
  title: 'nothing happens',
  seconds: 6,
  play: async (stage) => stage.note('nothing'),
}

async function kill(stage: Stage, most: number): Promise<void> {
  await stage.untilBeat(between(stage, -1, 8))
  stage.note(most === 1 ? 'one backend killed' : 'all backends killed')
  await stage.endpoint.kill(most)
}

async function heal(stage: Stage, fault: { heal(): void }, afterMs: number): Promise<void> {
  await stage.sleep(afterMs)
  fault.heal()
}

function between({ random }: Stage, least: number, most: number): number {
  return Math.round(least + random() * (most - least))
}

function pick<T>({ random }: Stage, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T
}
