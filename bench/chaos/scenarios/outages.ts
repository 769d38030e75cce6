import type { Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'

export const restarted: Scenario = {
  name: 'restarted',
  title: 'server restarted (immediate)',
  seconds: 7,
  play: (stage) => restart(stage, 0),
}

export const goneForTwoSeconds: Scenario = {
  name: 'gone-2s',
  title: 'server gone for 2 s',
  seconds: 9,
  play: (stage) => restart(stage, 2_000),
}

export const refused: Scenario = {
  name: 'refused-5s',
  title: 'refused and reset for 5 s',
  seconds: 13,
  play: (stage) => refuse(stage, 5_000),
}

export const unanswered: Scenario = {
  name: 'unanswered-10s',
  title: 'endpoint accepts but never answers for 10 s',
  seconds: 18,
  play: (stage) => leaveUnanswered(stage, 10_000),
}

/** The server stops without waiting for anybody, and starts again so long after, or as soon as it can. */
export async function restart(stage: Stage, awayMs: number): Promise<void> {
  const { server } = stage.endpoint
  const outage = stage.away(awayMs === 0 ? 'server restarted' : `server gone for ${awayMs} ms`)
  // While the server is down its host refuses; the proxy, left alone, would accept.
  await Promise.all([stage.refuse(), server.stop('immediate'), stage.sleep(Math.max(0, awayMs - 1_000))])
  await Promise.all([server.start(), stage.sleepUntil(outage.from + awayMs)])
  await stage.accept()
  outage.back()
}

/** All flows are reset, and connects refused. */
export async function refuse(stage: Stage, ms: number): Promise<void> {
  const outage = stage.away(`refused for ${ms} ms`)
  await stage.refuse()
  stage.resetPresent()
  await stage.sleepUntil(outage.from + ms)
  await stage.accept()
  outage.back()
}

/** All flows are reset, and whoever connects waits. */
export async function leaveUnanswered(stage: Stage, ms: number): Promise<void> {
  const outage = stage.away(`connects unanswered for ${ms} ms`)
  const fault = stage.inject({ kind: 'unanswered' }, 'new')
  stage.resetPresent()
  await stage.sleepUntil(outage.from + ms)
  fault.heal()
  outage.back()
}
