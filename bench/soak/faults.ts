import { silence, slowHalf } from '../chaos/scenarios/flows.ts'
import { leaveUnanswered, refuse, restart } from '../chaos/scenarios/outages.ts'
import type { Stage } from '../chaos/stage.ts'

/** What is done to the application's connections in turn. Each leaves things as they were, but for the connections. */
export const FAULTS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'one backend killed': async (stage) => void (await stage.endpoint.kill(1)),
  'all backends killed': async (stage) => void (await stage.endpoint.kill(Number.MAX_SAFE_INTEGER)),
  'server restarted': (stage) => restart(stage, 0),
  'refused and reset': (stage) => refuse(stage, between(stage, 200, 1_500)),
  'connects unanswered': (stage) => leaveUnanswered(stage, between(stage, 200, 1_500)),
  'present flows silent': async (stage) => {
    const fault = silence(stage)
    await stage.sleep(between(stage, 1_000, 2_500))
    fault.heal()
  },
  'half of the flows slow': async (stage) => {
    const fault = slowHalf(stage, between(stage, 150, 600))
    await stage.sleep(between(stage, 1_000, 2_500))
    fault.heal()
  },
}

function between({ random }: Stage, least: number, most: number): number {
  return Math.round(least + random() * (most - least))
}
