/**
 * Which state may follow which. The only place that says so: a connection's state changes through
 * {@link assertTransition} and no other way.
 */
export const TRANSITIONS = {
  connecting: ['idle', 'closing'],
  idle: ['acquired', 'checking', 'rebuilding', 'closing'],
  acquired: ['idle', 'rebuilding', 'closing'],
  checking: ['idle', 'rebuilding', 'closing'],
  rebuilding: ['idle', 'closing'],
  closing: ['closed'],
  closed: [],
} as const

/** What a connection is doing. */
export type ConnectionState = keyof typeof TRANSITIONS

/** How well a connection is. `unknown` until its first check or use. */
export type Health = 'unknown' | 'healthy' | 'degraded' | 'unhealthy'

/** All states, in the order of a connection's life. */
export const CONNECTION_STATES = Object.keys(TRANSITIONS) as ConnectionState[]

const allowed = new Map<ConnectionState, ReadonlySet<ConnectionState>>()
for (const state of CONNECTION_STATES) allowed.set(state, new Set<ConnectionState>(TRANSITIONS[state]))

/** Throws if the table does not allow the step: a bug of the pool, never of its user. */
export function assertTransition(from: ConnectionState, to: ConnectionState, id: string): void {
  if (allowed.get(from)?.has(to) !== true) throw new Error(`bug: illegal transition ${from} → ${to} of connection ${id}`)
}
