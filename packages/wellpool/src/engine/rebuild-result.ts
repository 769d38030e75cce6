import type { Reason } from './reason.ts'

/** Where a rebuild failed: connecting the successor, checking it, or putting it in place. */
export type RebuildStage = 'connect' | 'check' | 'replace'

/** What became of one rebuild. */
export interface RebuildResult {
  readonly connectionId: string
  readonly pool: string
  readonly protocol: string
  readonly success: boolean
  readonly reason: Reason
  readonly oldGeneration: number
  /** The generation in place now; absent if the rebuild failed. */
  readonly newGeneration?: number
  readonly durationMs: number
  /** Where it failed; absent if it succeeded. */
  readonly stage?: RebuildStage
  /** Why it failed; absent if it succeeded. */
  readonly error?: Error
  /** When it ended, ms since 1970. */
  readonly timestamp: number
}

/** What became of several rebuilds. */
export interface BatchRebuildResult {
  readonly total: number
  readonly succeeded: number
  readonly failed: number
  /** Not begun: the batch was aborted or its time was up. */
  readonly skipped: number
  readonly byProtocol: Readonly<Record<string, { total: number; succeeded: number; failed: number; skipped: number }>>
  readonly results: readonly RebuildResult[]
  /** ms since 1970. */
  readonly startedAt: number
  /** ms since 1970. */
  readonly endedAt: number
  readonly durationMs: number
  /** Whether the caller's signal ended it early. */
  readonly cancelled: boolean
}
