/** A seed that once found a bug. */
export interface NamedSeed {
  readonly seed: number
  /** What was wrong, as a test's title: "with seed 9649 …". */
  readonly was: string
}

/** Every bug of the engine that the simulation has found beyond the seeds that are always played. */
export const NAMED_SEEDS: readonly NamedSeed[] = [
  { seed: 5471, was: 'a timer was left after a close that cut a drain short' },
  { seed: 9562, was: 'a timer was left after a close for which a drain was waiting' },
  { seed: 5374, was: 'a client that was proven by a release, and had room for several, served one' },
  { seed: 9649, was: 'a rebuild did not begin when a check of its connection settled after its time-out' },
]
