import type { Scenario } from './scenario.ts'
import { halfSlow, halfThroughput, idleSilent, silent, slowConnects } from './scenarios/flows.ts'
import { killedEachSecond, killedTenTimes } from './scenarios/kills.ts'
import { goneForTwoSeconds, refused, restarted, unanswered } from './scenarios/outages.ts'
import { blocked, stopped } from './scenarios/process.ts'
import { calm, random } from './scenarios/random.ts'
import { demoted, failedOver, passwordRotated, serverFull } from './scenarios/server.ts'

/** All scenarios, in the order of the tables. */
export const SCENARIOS: readonly Scenario[] = [
  calm,
  killedTenTimes,
  killedEachSecond,
  restarted,
  goneForTwoSeconds,
  refused,
  unanswered,
  silent,
  idleSilent,
  halfSlow,
  halfThroughput,
  slowConnects,
  passwordRotated,
  serverFull,
  failedOver,
  demoted,
  stopped,
  blocked,
  random,
]
