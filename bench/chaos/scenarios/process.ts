import type { Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'

export const stopped: Scenario = {
  name: 'stopped-20s',
  title: 'process stopped for 20 s and continued',
  seconds: 26,
  play: (stage) => stop(stage, 20_000),
}

export const blocked: Scenario = {
  name: 'blocked-2s',
  title: 'event loop blocked for 2 s',
  seconds: 7,
  play: (stage) => block(stage, 2_000),
}

/**
 * SIGSTOP, and SIGCONT so long after. Between two beats: pg's own time-outs run before it reads the answers that came in
 * meanwhile, so that what is in flight would fail with every pool on it.
 */
export async function stop(stage: Stage, ms: number): Promise<void> {
  await stage.untilBeat(40)
  const outage = stage.away(`process stopped for ${ms} ms`)
  stage.stoodStill(await stage.application.stop(ms))
  outage.back()
}

/** The application's own code does not give the event loop back. */
export async function block(stage: Stage, ms: number): Promise<void> {
  await stage.untilBeat(40)
  const outage = stage.away(`event loop blocked for ${ms} ms`)
  stage.stoodStill(await stage.application.block(ms))
  outage.back()
}
