import { Deadline } from './clock.ts'
import type { Core } from './core.ts'
import type { Lease } from './lease.ts'

/** Where somebody asks for a connection. @param below the pool's own function, up to which nothing is shown */
export function traceOf(below: (...args: never) => unknown): Error {
  const trace = new Error('acquired here')
  Error.captureStackTrace(trace, below)
  return trace
}

/**
 * Watches a lease that may have been forgotten: if it is still held after `leakDetectionThreshold`, an event
 * shows where it was acquired.
 */
export function watchForLeak<Client>(core: Core<Client>, lease: Lease<Client>, { stack = '' }: Error): void {
  const { clock, options } = core
  const { generation } = lease
  const { lostListeners } = generation
  // After a sleep what ends the lease may still be to be read.
  const deadline = new Deadline(clock, options.leakDetectionThreshold, () => {
    core.counters.leaksSuspected++
    core.events.emit('leakSuspected', {
      ...core.identify(generation.connection, generation),
      stack,
      heldMs: Math.round(clock.now() - lease.acquiredAt),
    })
  })
  const end = (): void => {
    deadline.cancel()
    lostListeners.delete(end)
  }
  // A client that was destroyed is no longer missed, whoever still has it.
  lostListeners.add(end)
  lease.leakWatch = end
}
