/** What one process measured: metric name → value. */
export type Sample = Readonly<Record<string, number>>

/** One column of a workload's table. */
export interface Metric {
  readonly name: string
  readonly unit: string
  /** Digits after the point. */
  readonly digits: number
  /** Contenders whose value of the same round every other is divided by. */
  readonly relativeTo?: readonly string[]
}

/** What Wellpool must reach. */
export interface Target {
  readonly metric: string
  /** Whose value is meant: where all contenders are Wellpool, in different sizes. Default: `wellpool`. */
  readonly of?: string
  /** The contender whose value of the same round it is divided by; absent: the limit is absolute. */
  readonly relativeTo?: string
  readonly limit: number
  /** Whether the value must be at least the limit; otherwise at most. */
  readonly atLeast?: boolean
  /**
   * For figures that the machine's noise can turn either way: missed only when the whole confidence interval is on the wrong side.
   * Otherwise the median decides.
   */
  readonly byInterval?: boolean
}

/** A picture of some of a workload's metrics, where its contenders are sizes. */
export interface Curves {
  /** The name of its file in docs/images. */
  readonly file: string
  readonly title: string
  /** What grows. */
  readonly over: string
  /** Metrics of the same unit. */
  readonly metrics: readonly string[]
}

/** What a workload may need from outside of the measuring processes: set up once, for all rounds. */
export interface Surroundings {
  /** Environment variables for the measuring processes. */
  readonly env: Readonly<Record<string, string>>
  /** A line for the report: which server, which version. */
  readonly description: string
  close(): Promise<void>
}

/** One workload: what is measured, for whom, and what must come out. */
export interface Workload {
  readonly name: string
  readonly title: string
  /** Rounds unless told otherwise. */
  readonly rounds: number
  readonly contenders: readonly string[]
  readonly metrics: readonly Metric[]
  readonly targets: readonly Target[]
  /** How its growth is shown. */
  readonly curves?: readonly Curves[]
  /** Flags that node needs to measure this. */
  readonly nodeFlags?: readonly string[]
  prepare?(): Promise<Surroundings>
  /** Runs in a fresh process that has loaded nothing but this contender. */
  run(contender: string): Promise<Sample>
}
