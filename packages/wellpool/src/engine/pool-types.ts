import type { Duration } from './duration.ts'

/** How to acquire. */
export interface AcquireOptions {
  /** Ends the wait; the promise rejects with its reason. */
  signal?: AbortSignal | undefined
  /** How long to wait, instead of `acquireTimeout`. 0: not at all. `Infinity`: for ever. */
  timeout?: Duration | undefined
}

/** How to use. */
export interface UseOptions extends AcquireOptions {
  /** Whether the function may run again on another connection if its connection is lost. Default false. */
  idempotent?: boolean | undefined
}

/** What a function given to `use` can know beside its client. */
export interface UseContext {
  /** Aborted when the client is lost, and when the caller's own signal is aborted. */
  readonly signal: AbortSignal
  /** 1 for the first run, more when an `idempotent` function runs again. */
  readonly attempt: number
}

/** How to wait for the end of something. */
export interface WaitOptions {
  /** The longest wait. 0: none. `Infinity`: for ever. */
  timeout?: Duration | undefined
}

/** How to start. */
export interface StartOptions extends AcquireOptions {}

/** How to pause. */
export interface PauseOptions {
  /** Whether those who wait, and those who come, get a `PoolPausedError` at once. Default false. */
  failWaiting?: boolean | undefined
}

/** How to evict. */
export interface EvictOptions {
  /** Whether leased clients are destroyed as well, instead of being closed on release. Default false. */
  interruptInUse?: boolean | undefined
}

/** How to rebuild one connection. */
export interface RebuildOptions extends AcquireOptions {
  /** Whether the connection leaves service at once instead of serving until its successor is ready. Default false. */
  urgent?: boolean | undefined
}

/** How to rebuild several. */
export interface BatchRebuildOptions extends AcquireOptions {
  /** Whether every connection is rebuilt, or only what is marked or due. Default false. */
  all?: boolean | undefined
}
