import type { Random } from './random.ts'
import type { SimulatedOptions } from './random-options.ts'

/** How long to wait between two actions, ms: mostly little, sometimes exactly until something is due. */
export function randomTime(random: Random, options: SimulatedOptions): number {
  const range = random.weighted<readonly [number, number]>([
    [20, [0, 2]],
    [30, [1, 30]],
    [20, [20, 400]],
    [12, [300, 3000]],
    [5, [3000, 40_000]],
    [2, [60_000, 3_600_000]],
  ])
  if (random.chance(0.1)) {
    const ms = random.pick([
      options.acquireTimeout,
      options.connectTimeout,
      options.closeTimeout,
      options.idleTimeout,
      options.maxLifetime,
      options.hedgeDelay,
    ])
    // Exactly when something is due, or right before or after.
    if (ms < 700_000) return Math.max(0, ms + random.pick([-1, 0, 0, 1]))
  }
  return random.between(...range)
}
