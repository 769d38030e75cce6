import type { Loaded } from '../src/load.ts'

/** The two loads: as much as the pool can do, and a share of it. */
export type Load = 'full' | 'part'

/** What an arm's process is told. */
export type Command =
  /** Be measured: at full load, or at so many requests a second. */
  | { readonly do: 'slice'; readonly rate: number | undefined }
  /** Tell the p99 and how much memory is in use, and end. */
  | { readonly do: 'end' }

/** What a slice of load came to. */
export interface Slice extends Omit<Loaded, 'latencies'> {
  /** Health checks that were answered. */
  readonly checks: number
  /** Rebuilds that succeeded. */
  readonly rebuilds: number
}

/** What all slices of an arm came to together, at its end. */
export interface Ended {
  /** Of all requests of each load: in a second alone it would be no more than the machine's longest pause in it. ms */
  readonly p99: Readonly<Record<Load, number>>
  readonly memory: Memory
}

/** Bytes, after everything that can go has gone. */
export interface Memory {
  /** The heap that the pool and its clients have added, with the buffers outside of it. */
  readonly pool: number
  /** The resident set of the process. */
  readonly process: number
}

/** What an arm's process tells. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'slice'; readonly slice: Slice }
  | { readonly kind: 'ended'; readonly ended: Ended }
