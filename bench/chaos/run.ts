import { monitorEventLoopDelay } from 'node:perf_hooks'
import { FaultProxy } from 'wellpool/testing'
import { seeded } from '../src/random.ts'
import { ApplicationProcess } from './application-process.ts'
import { sleepUntil } from './clock.ts'
import type { Endpoint } from './endpoint.ts'
import { type Course, type Figures, figuresOf, NOT_HEALED_MS } from './figures.ts'
import type { Recording } from './messages.ts'
import { CALM_MS, type Scenario, WARM_UP_MS } from './scenario.ts'
import { Stage } from './stage.ts'
import { VARIANTS, type VariantName } from './variants.ts'

/** One contender in one scenario, once. */
export interface Job {
  readonly scenario: string
  readonly contender: string
  readonly variant: VariantName
  /** 0 for the first. Also the seed of what is left to chance: the same for all contenders. */
  readonly round: number
  /** How long requests count. */
  readonly seconds: number
  readonly trace: boolean
}

/** What came of it. */
export interface Run {
  readonly job: Job
  readonly figures: Figures
  /** How late the lane's process, with the proxy in it, was at worst, ms: what the machine and the proxy have added to latencies. */
  readonly lateMs: number
  /** With `trace`: all that was seen. */
  readonly details?: { readonly recording: Recording; readonly course: Course }
}

/** How often the lane looks whether it is late, ms. */
const DELAY_RESOLUTION_MS = 5

/** The servers of a lane. */
export interface Endpoints {
  readonly primary: Endpoint
  standby(): Promise<Endpoint>
}

/** Plays one scenario for one contender, with a proxy and an application process of its own. */
export async function play(scenario: Scenario, job: Job, { primary, standby }: Endpoints): Promise<Run> {
  const variant = VARIANTS[job.variant]
  await primary.reset()
  const { server, password, settings } = primary
  const chance = seeded(job.round + 1)
  await using proxy = await FaultProxy.start({ port: server.port }, { random: chance })
  // Before the application begins: to make a server takes seconds, and the machine.
  const other = scenario.failsOver === true ? await withDataOf(primary, await standby()) : undefined
  const stage = new Stage({ proxy, endpoint: primary, standby: other, variant, random: chance })
  const application = await ApplicationProcess.start({
    contender: job.contender,
    address: { host: proxy.host, port: proxy.port, ...settings, password },
    variant: job.variant,
    workload: scenario.workload ?? 'select',
    seed: job.round + 1,
    trace: job.trace,
  })
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delay.enable()
  try {
    const startsAt = application.firstDue + WARM_UP_MS
    const endsAt = startsAt + job.seconds * 1000
    stage.enter(application, startsAt, endsAt)
    await sleepUntil(startsAt)
    // What came before is the start of the application, which takes the lane some time too.
    delay.reset()
    await sleepUntil(startsAt + CALM_MS)
    await scenario.play(stage)
    // Without this a fault that comes after the end, or as good as, would have done no harm.
    if (stage.timeLeft < NOT_HEALED_MS) {
      throw new Error(`the run had ${Math.round(stage.timeLeft)} ms left when its faults were over: too few to see whether the pool heals`)
    }
    await sleepUntil(endsAt)
    delay.disable()
    const recording = await application.end(endsAt)
    const { course } = stage
    const lateMs = Math.max(0, delay.max / 1e6 - DELAY_RESOLUTION_MS)
    return { job, figures: figuresOf(recording, course), lateMs, ...(job.trace && { details: { recording, course } }) }
  } finally {
    delay.disable()
    application.kill()
  }
}

async function withDataOf({ password }: Endpoint, other: Endpoint): Promise<Endpoint> {
  await other.reset()
  await other.rotatePassword(password)
  return other
}
