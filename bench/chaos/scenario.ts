import type { Workload } from './messages.ts'
import type { Stage } from './stage.ts'

/** Something that goes wrong, and for how long the application is watched. */
export interface Scenario {
  readonly name: string
  /** What happens, for the tables. */
  readonly title: string
  /** How long requests count, s: {@link CALM_MS} before the fault included. */
  readonly seconds: number
  /** The same for a run whose tables are kept. Default: `seconds`. */
  readonly longSeconds?: number
  /** Default `select`. */
  readonly workload?: Workload
  /** Whether it fails over to another server with the same data: it is there before the run begins. */
  readonly failsOver?: boolean
  /** Whether it is measured in the main variant alone. */
  readonly baseOnly?: boolean
  /** Whether a run of it takes so long that all pools are measured at the same time. */
  readonly together?: boolean
  /** Makes the faults, from when the calm is over. What it leaves behind is cleared away with the run. */
  play(stage: Stage): Promise<void>
}

/** Before requests count: the pool warms up, ms. */
export const WARM_UP_MS = 1_500
/** Requests that count, before the first fault, ms. */
export const CALM_MS = 1_500
