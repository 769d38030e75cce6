import type { Scenario } from '../scenario.ts'

/** Around a beat, ms: before the queries are sent, while they are under way, when they have been answered. */
const OFFSETS_MS = [-1, 0, 0.5, 1, 1.5, 2, 3, 4, 6, 8]
const KILL_EVERY_MS = 400

export const killedTenTimes: Scenario = {
  name: 'killed-ten-times',
  title: 'all backends killed ten times in 4 s, around queries in flight',
  seconds: 8,
  async play(stage) {
    for (const offset of OFFSETS_MS) {
      await stage.untilBeat(offset)
      stage.note('all backends killed')
      await stage.endpoint.kill(Number.MAX_SAFE_INTEGER)
      await stage.sleep(KILL_EVERY_MS - 80)
    }
  },
}

export const killedEachSecond: Scenario = {
  name: 'killed-each-second',
  title: 'one backend killed every second for a minute',
  seconds: 20,
  longSeconds: 64,
  async play(stage) {
    for (let kills = 0; stage.timeLeft > 3_000; kills++) {
      await stage.untilBeat(OFFSETS_MS[kills % OFFSETS_MS.length] as number)
      stage.note('one backend killed')
      await stage.endpoint.kill(1)
      await stage.sleep(920)
    }
  },
}
