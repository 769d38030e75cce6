import type { Health } from './connection-state.ts'
import type { Engine } from './engine.ts'
import type { PoolStats } from './records.ts'

/** Counts the pool as it is now. Nothing is kept up to date for it on the way. */
export function snapshot<Client>({ core, connector, rebuilds }: Engine<Client>): PoolStats {
  const states = { connecting: 0, idle: 0, acquired: 0, checking: 0, rebuilding: 0, closing: 0, closed: 0 }
  const health: Record<Health, number> = { unknown: 0, healthy: 0, degraded: 0, unhealthy: 0 }
  let marked = 0
  for (const connection of core.connections.values()) {
    states[connection.state]++
    if (connection.state === 'connecting') continue
    health[connection.health]++
    if (connection.mark !== undefined) marked++
  }
  const { idle, acquired, checking, connecting, rebuilding, closing } = states
  const { counters } = core
  return {
    name: core.options.name,
    protocol: core.driver.protocol,
    state: core.state,
    open: core.open,
    total: idle + acquired + checking + rebuilding,
    idle,
    acquired,
    checking,
    connecting,
    rebuilding,
    closing,
    retired: core.retired.size,
    waiting: core.waiting.size,
    health,
    marked,
    rebuildsInFlight: rebuilds.queue.inFlight.size,
    breaker: connector.breaker,
    panic: core.panic,
    // Last: V8 takes seventy times as long to add that many properties to an object that began as a copy.
    ...counters,
    checks: { ...counters.checks },
    secondOpinions: { ...counters.secondOpinions },
    closed: { ...counters.closed },
    rebuildsMarked: { ...counters.rebuildsMarked },
  }
}
