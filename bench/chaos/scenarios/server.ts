import { randomBytes } from 'node:crypto'
import type { Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { loseHalf } from './flows.ts'

export const passwordRotated: Scenario = {
  name: 'password-rotated',
  title: 'password rotated, known to the application 0.5 s later; half of the backends killed',
  seconds: 7,
  play: (stage) => rotate(stage, 500),
}

export const serverFull: Scenario = {
  name: 'server-full',
  title: 'max_connections reached by others for 4 s (53300); half of the backends killed',
  seconds: 11,
  play: (stage) => fill(stage, 4_000),
}

export const failedOver: Scenario = {
  name: 'failed-over',
  title: 'fail-over to another port, 1 s after the old server is gone',
  seconds: 8,
  failsOver: true,
  async play(stage) {
    const { standby } = stage
    const outage = stage.away('server gone, name changed 1000 ms later')
    await Promise.all([stage.refuse(), stage.endpoint.server.stop('immediate')])
    await stage.sleepUntil(outage.from + 1_000)
    stage.proxy.target = { port: standby.server.port }
    await stage.accept()
    outage.back()
  },
}

export const demoted: Scenario = {
  name: 'demoted',
  title: 'fail-over to another port, the old server is read-only (updates instead of selects)',
  seconds: 8,
  workload: 'update',
  failsOver: true,
  async play(stage) {
    const { standby } = stage
    stage.proxy.target = { port: standby.server.port }
    stage.note('name changed, old server read-only')
    await stage.endpoint.demote()
  },
}

/** Connects need another password, which the application's store of secrets hands out a little later. */
export async function rotate(stage: Stage, lateMs: number): Promise<void> {
  const password = randomBytes(9).toString('hex')
  await stage.endpoint.rotatePassword(password)
  await loseHalf(stage, 'password rotated, half of the backends killed')
  await stage.sleep(lateMs)
  stage.application.setPassword(password)
}

/** Others hold every connection of the server that the application does not. */
export async function fill(stage: Stage, ms: number): Promise<void> {
  const release = await stage.endpoint.fill()
  try {
    await loseHalf(stage, 'server full, half of the backends killed')
    await stage.sleep(ms)
  } finally {
    // The lane's next runs have the same server.
    await release()
  }
}
