import { Deadline } from './clock.ts'
import { attempt } from './closer.ts'
import type { Generation } from './connection.ts'
import type { Core } from './core.ts'
import type { CheckContext } from './driver.ts'
import { formatMs } from './duration.ts'
import { HealthCheckError } from './errors.ts'

/** How one round trip to the peer went. `settled: false` with `timedOut`: the driver is still silent. */
export interface CheckResult {
  readonly ok: boolean
  readonly elapsedMs: number
  readonly timedOut: boolean
  readonly error: HealthCheckError | undefined
}

/** What is asked of a client: by default the driver's check. */
export type Ask<Client> = (client: Client, context: CheckContext) => unknown

/** Ends a check; its signal is aborted and nothing is heard of it any more. */
export type Abandon = () => void

/**
 * Asks the driver for a sign of life from one client. `ended` hears the result once: at the answer, or when
 * the time is up. `settled` hears once when the driver answers after its time was up.
 */
export function checkClient<Client>(
  core: Core<Client>,
  generation: Generation<Client>,
  timeout: number,
  ended: (result: CheckResult) => void,
  settled: () => void = () => {},
  ask: Ask<Client> = (client, context) => core.driver.check(client, context),
): Abandon {
  const { clock } = core
  const controller = new AbortController()
  const startedAt = clock.now()
  let phase: 'asking' | 'late' | 'over' = 'asking'

  const end = (ok: boolean, timedOut: boolean, cause: unknown): void => {
    if (phase === 'late') {
      phase = 'over'
      settled()
    }
    if (phase !== 'asking') return
    phase = timedOut ? 'late' : 'over'
    deadline.cancel()
    const what = timedOut ? `time-out after ${formatMs(timeout)}` : core.copyError(cause).message
    const error = ok
      ? undefined
      : new HealthCheckError(
          `check of connection ${generation.connection.id} failed: ${what}`,
          timedOut ? undefined : core.copyError(cause),
        )
    ended({ ok, elapsedMs: clock.now() - startedAt, timedOut, error })
  }
  const deadline = new Deadline(clock, timeout, () => {
    end(false, true, undefined)
    controller.abort(new HealthCheckError(`the check took longer than ${formatMs(timeout)}`))
  })
  attempt(() => ask(generation.client, { signal: controller.signal })).then(
    () => end(true, false, undefined),
    (error: unknown) => end(false, false, error),
  )
  return () => {
    if (phase === 'over') return
    phase = 'over'
    deadline.cancel()
    controller.abort(new HealthCheckError('the check was abandoned'))
  }
}
