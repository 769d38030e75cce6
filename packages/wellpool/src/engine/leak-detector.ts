import type { Core } from './core.ts'
import type { Lease } from './lease.ts'

/**
 * Watches a lease that may have been forgotten: if it is still held after `leakDetectionThreshold`, an event
 * shows where it was acquired.
 */
export function watchForLeak<Client>(core: Core<Client>, lease: Lease<Client>): void {
  const threshold = core.options.leakDetectionThreshold
  const { stack = '' } = new Error('acquired here')
  const timer = core.clock.setTimeout(() => {
    core.counters.leaksSuspected++
    const { connection, number } = lease.generation
    core.events.emit('leakSuspected', {
      connectionId: connection.id,
      generation: number,
      stack,
      heldMs: core.clock.now() - lease.acquiredAt,
    })
  }, threshold)
  lease.leakWatch = () => core.clock.clearTimeout(timer)
}
