import { offAbort, onAbort } from './abort-listeners.ts'
import { Deadline } from './clock.ts'
import type { Core } from './core.ts'

/** How long a call waits, and what ends it early. */
export interface Patience {
  /** ms; `NEVER`: without end */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/**
 * A call that waits for something to happen in the pool. The process stays alive meanwhile, and nothing of
 * the call is left when it has ended.
 *
 * @param begin says whom to tell; returns what undoes that
 * @param late is called when the time is up, and may end the call or let it go on
 * @param aborted is called when the signal is aborted; by default the call rejects with its reason
 */
export async function waitingCall<Client, Result>(
  { clock, hold }: Core<Client>,
  { timeout, signal }: Patience,
  begin: (resolve: (result: Result) => void, reject: (error: unknown) => void) => () => void,
  late: (resolve: (result: Result) => void, reject: (error: unknown) => void) => void,
  aborted?: (resolve: (result: Result) => void) => void,
): Promise<Result> {
  signal?.throwIfAborted()
  hold.retain()
  let end = (): void => {}
  try {
    return await new Promise<Result>((resolve, reject) => {
      const deadline = new Deadline(clock, timeout, () => late(resolve, reject))
      const whenAborted = (): void => {
        if (aborted === undefined) reject(signal?.reason)
        else aborted(resolve)
      }
      onAbort(signal, whenAborted)
      const undo = begin(resolve, reject)
      end = () => {
        deadline.cancel()
        offAbort(signal, whenAborted)
        undo()
      }
    })
  } finally {
    end()
    hold.release()
  }
}
