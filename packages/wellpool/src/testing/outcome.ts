import type { FakeClock } from './fake-clock.ts'

/**
 * How one call of a fake driver's hook ends.
 *
 * - `fulfil`, `reject`: a promise that settles after `afterMs`; with 0 it has settled already. If the call has a
 *   signal and it is aborted first, the promise rejects with its reason at that moment, as a good driver's does;
 *   with `ignoreAbort` it goes on regardless.
 * - `return`, `throw`: at once, without a promise.
 * - `hang`: a promise that never settles; with `ignoreAbort: false` it rejects when the signal is aborted.
 * - `held`: a promise that settles when the test wants it: `take` is given what settles it.
 * - `twice`: something with a `then` that fulfils, and then fulfils and rejects again.
 *
 * What is fulfilled or returned is `value`; for `connect` it is a new client unless `client` says otherwise:
 * `none` (undefined), or `present` (one that was handed over before and still is open).
 */
export type Outcome =
  | {
      readonly do: 'fulfil'
      readonly afterMs?: number
      readonly ignoreAbort?: boolean
      readonly value?: unknown
      readonly client?: 'none' | 'present'
    }
  | { readonly do: 'reject'; readonly afterMs?: number; readonly ignoreAbort?: boolean; readonly error: unknown }
  | { readonly do: 'return'; readonly value?: unknown }
  | { readonly do: 'throw'; readonly error: unknown }
  | { readonly do: 'hang'; readonly ignoreAbort?: boolean }
  | { readonly do: 'held'; readonly ignoreAbort?: boolean; readonly take: (end: HeldCall) => void }
  | { readonly do: 'twice'; readonly afterMs?: number; readonly value?: unknown }

/** What ends a call that was held. The first call counts, and none does after its signal has ended it. */
export interface HeldCall {
  fulfil(): void
  reject(error: unknown): void
}

/** A promise that fulfils after `afterMs` (default 0). */
export function ok(afterMs = 0, value?: unknown): Outcome {
  return { do: 'fulfil', afterMs, value }
}

/** A promise that rejects after `afterMs` (default 0). */
export function fail(error: unknown, afterMs = 0): Outcome {
  return { do: 'reject', afterMs, error }
}

/** A promise that never settles, aborted or not. */
export function hang(): Outcome {
  return { do: 'hang', ignoreAbort: true }
}

/** How a call went, told before the caller can know. */
export interface Settling {
  /** @returns what the promise fulfils with. */
  fulfil(): unknown
  reject(error: unknown): void
}

/** Plays an outcome on the clock. @returns what the hook returns to its caller. */
export function perform(clock: FakeClock, outcome: Outcome, signal: AbortSignal | undefined, settling: Settling): unknown {
  if (outcome.do === 'return') return settling.fulfil()
  if (outcome.do === 'throw') {
    settling.reject(outcome.error)
    throw outcome.error
  }
  const afterMs = outcome.do === 'hang' || outcome.do === 'held' ? undefined : (outcome.afterMs ?? 0)
  if (outcome.do === 'twice') return settleTwice(clock, afterMs ?? 0, settling)

  return new Promise((resolve, reject) => {
    let over = false
    let takeBack: (() => void) | undefined
    const aborted = (): void => refuse(signal?.reason)
    const refuse = (error: unknown): void => {
      if (over) return
      over = true
      takeBack?.()
      signal?.removeEventListener('abort', aborted)
      settling.reject(error)
      reject(error)
    }
    const arrived = (): void => {
      if (over) return
      if (outcome.do === 'reject') {
        refuse(outcome.error)
        return
      }
      over = true
      signal?.removeEventListener('abort', aborted)
      resolve(settling.fulfil())
    }
    const obeysAbort = outcome.do === 'hang' ? outcome.ignoreAbort === false : outcome.ignoreAbort !== true
    if (signal !== undefined && obeysAbort) {
      if (signal.aborted) {
        aborted()
        return
      }
      signal.addEventListener('abort', aborted)
    }
    if (outcome.do === 'held') outcome.take({ fulfil: arrived, reject: refuse })
    if (afterMs === 0) arrived()
    else if (afterMs !== undefined) takeBack = clock.arrive(afterMs, arrived)
  })
}

/** What a promise would never do: calls both of its caller's functions, and more than once. */
function settleTwice(clock: FakeClock, afterMs: number, settling: Settling): unknown {
  let value: { readonly is: unknown } | undefined
  const callers: [(value: unknown) => void, ((error: unknown) => void) | undefined][] = []
  clock.arrive(afterMs, () => {
    value = { is: settling.fulfil() }
    for (const [fulfilled, rejected] of callers) {
      fulfilled(value.is)
      rejected?.(new Error('settled before'))
      fulfilled(value.is)
    }
  })
  return {
    // biome-ignore lint/suspicious/noThenProperty: being mistaken for a promise is what it is for
    then(fulfilled: (value: unknown) => void, rejected?: (error: unknown) => void): void {
      if (value === undefined) callers.push([fulfilled, rejected])
      else fulfilled(value.is)
    },
  }
}
