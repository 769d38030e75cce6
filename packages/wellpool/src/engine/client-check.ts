import { Deadline } from './clock.ts'
import { attempt } from './closer.ts'
import type { Generation } from './connection.ts'
import type { Core } from './core.ts'
import type { CheckContext } from './driver.ts'
import { formatMs } from './duration.ts'
import { HealthCheckError } from './errors.ts'
import type { CheckOutcome } from './metrics.ts'

/** How one round trip to the peer went. `settled: false` with `timedOut`: the driver is still silent. */
export interface CheckResult {
  readonly ok: boolean
  readonly elapsedMs: number
  readonly timedOut: boolean
  /** Whether the driver says that the client is of no more use. */
  readonly fatal: boolean
  readonly error: HealthCheckError | undefined
}

/** What is asked of a client: by default the driver's check. */
export type Ask<Client> = (client: Client, context: CheckContext) => unknown

/** Ends a check; its signal is aborted and nothing is heard of it any more. */
export type Abandon = () => void

/**
 * Asks the driver for a sign of life from one client, and counts how that went. `ended` hears the result once: at the
 * answer, or when the time is up. `settled` hears once when the driver answers after its time was up.
 *
 * @param ask what is asked instead of the driver's check; that is not counted as one
 */
export function checkClient<Client>(
  core: Core<Client>,
  generation: Generation<Client>,
  timeout: number,
  ended: (result: CheckResult) => void,
  settled: () => void = () => {},
  ask?: Ask<Client>,
): Abandon {
  const { clock, driver } = core
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
    const copy = ok || timedOut ? undefined : core.copyError(cause)
    const what = copy?.message ?? `time-out after ${formatMs(timeout)}`
    const error = ok ? undefined : new HealthCheckError(`check of connection ${generation.connection.id} failed: ${what}`, copy)
    const fatal = copy !== undefined && core.classify(cause) === 'fatal'
    const result = { ok, elapsedMs: clock.now() - startedAt, timedOut, fatal, error }
    if (ask === undefined) {
      count(core, result)
      if (ok) generation.lastCheckMs = result.elapsedMs
    }
    ended(result)
  }
  const deadline = new Deadline(clock, timeout, () => {
    end(false, true, undefined)
    controller.abort(new HealthCheckError(`the check took longer than ${formatMs(timeout)}`))
  })
  const { signal } = controller
  core.calling = true
  attempt(() => (ask === undefined ? driver.check(generation.client, { signal }) : ask(generation.client, { signal }))).then(
    () => end(true, false, undefined),
    (error: unknown) => end(false, false, error),
  )
  core.calling = false
  return () => {
    if (phase === 'over') return
    phase = 'over'
    deadline.cancel()
    core.calling = true
    controller.abort(new HealthCheckError('the check was abandoned'))
    core.calling = false
  }
}

function count<Client>(core: Core<Client>, { ok, timedOut, elapsedMs }: CheckResult): void {
  const slow = elapsedMs > core.options.degradedThreshold
  const outcome: CheckOutcome = ok ? (slow ? 'degraded' : 'healthy') : timedOut ? 'timed_out' : 'rejected'
  core.counters.checks[outcome]++
  core.measure('checked', outcome, elapsedMs)
}
