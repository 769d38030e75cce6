import type { Loaded } from '../src/load.ts'
import type { ArmName } from './arms.ts'

/** The two loads: as much as the pool can do, and a share of it. */
export type Load = 'full' | 'part'

/** What an application is told. */
export type Command =
  /** Be measured as one of the arms: at full load, or at so many requests a second. */
  | { readonly do: 'slice'; readonly arm: ArmName; readonly rate: number | undefined }
  /** Tell how much memory is in use as one of the arms, and end. */
  | { readonly do: 'end'; readonly arm: ArmName }

/** What a slice of load came to. */
export interface Slice extends Omit<Loaded, 'latencies'> {
  /** Of its requests, ms. */
  readonly p99: number
  /** Health checks that were answered. */
  readonly checks: number
  /** Rebuilds that succeeded. */
  readonly rebuilds: number
}

/** Bytes, after everything that can go has gone. */
export interface Memory {
  /** The heap that the pool and its clients have added, with the buffers outside of it. */
  readonly pool: number
  /** The resident set of the process. */
  readonly process: number
}

/** What an application tells. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'slice'; readonly slice: Slice }
  | { readonly kind: 'ended'; readonly memory: Memory }
