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
  const timer = core.clock.setTimeout(() => {
    core.counters.leaksSuspected++
    const { generation } = lease
    core.events.emit('leakSuspected', {
      ...core.identify(generation.connection, generation),
      stack,
      heldMs: Math.round(core.clock.now() - lease.acquiredAt),
    })
  }, core.options.leakDetectionThreshold)
  lease.leakWatch = () => core.clock.clearTimeout(timer)
}
