import type { Behaviour } from './fake-driver.ts'
import { fail, hang, type Outcome, ok } from './outcome.ts'

/** How often a randomly behaving hook does what: shares of 1, the rest goes well. Change them at any time. */
export interface Mishaps {
  /** How long it usually takes, ms: from half of it to one and a half times it. */
  usualMs: number
  reject: number
  throw: number
  hang: number
  /** Ten to a hundred times slower. */
  slow: number
  /** As slow, and regardless of the signal. */
  late: number
  /** Settles more than once. */
  twice: number
}

/** No mishaps. */
export function noMishaps(usualMs: number): Mishaps {
  return { usualMs, reject: 0, throw: 0, hang: 0, slow: 0, late: 0, twice: 0 }
}

/**
 * A behaviour for `FakeDriver.always` that goes wrong by chance.
 * @param random the source of chance; with a seeded one the same mishaps come again.
 * @param mishaps is looked at anew in each call.
 */
export function randomBehaviour(random: () => number, mishaps: Mishaps): Behaviour {
  return ({ hook }) => {
    const time = mishaps.usualMs * (0.5 + random())
    const slowTime = time * (10 + 90 * random())
    const outcomes: [number, () => Outcome][] = [
      [mishaps.reject, () => fail(new Error(`${hook} was refused`), time)],
      [mishaps.throw, () => ({ do: 'throw', error: new Error(`${hook} threw`) })],
      [mishaps.hang, hang],
      [mishaps.slow, () => ok(slowTime)],
      [mishaps.late, () => ({ do: 'fulfil', afterMs: slowTime, ignoreAbort: true })],
      [mishaps.twice, () => ({ do: 'twice', afterMs: time })],
    ]
    let left = random()
    for (const [share, outcome] of outcomes) {
      left -= share
      if (left < 0) return outcome()
    }
    return ok(time)
  }
}
