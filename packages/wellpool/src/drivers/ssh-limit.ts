import { abortable } from '../shared/abortable.ts'
import { duration, show, toMs } from '../shared/option-rules.ts'

/** How long something may take. */
export interface Limit {
  /** Milliseconds; 0 and Infinity: for ever. */
  readonly ms: number
  /** Gives it up before. */
  readonly signal?: AbortSignal | undefined
  /** The error that it is given up with when its time is over. */
  readonly late: () => Error
}

const RULE = duration(0)

/**
 * The time-out of a call, ms.
 *
 * @throws TypeError when what was given is no duration
 */
export function timeoutOf(given: unknown, fallbackMs: number): number {
  if (given === undefined) return fallbackMs
  if (given !== Number.POSITIVE_INFINITY && !RULE.fits(given))
    throw new TypeError(`timeout: got ${show(given)}, allowed is ${RULE.allowed}`)
  return toMs(given) as number
}

/**
 * Runs it and settles as it does, or rejects at once when its time is over or its signal is aborted: the signal that
 * it gets is aborted then, and what becomes of it is its own affair.
 */
export async function limited<T>({ ms, signal, late }: Limit, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const forward = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', forward, { once: true })
  let afterPoll: NodeJS.Immediate | undefined
  // Node runs timers that have expired before it reads what came in meanwhile: the answer may be there.
  const expire = (): void => {
    afterPoll = setImmediate(() => controller.abort(late()))
  }
  const timer = ms === 0 || ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(expire, ms)
  try {
    return await abortable(run(controller.signal), controller.signal)
  } finally {
    clearTimeout(timer)
    clearImmediate(afterPoll)
    signal?.removeEventListener('abort', forward)
  }
}
