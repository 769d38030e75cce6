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

/** The table in a form that is quick to ask: each acquire and each release does. */
const allowed = Object.fromEntries(
  CONNECTION_STATES.map((from) => [from, Object.fromEntries(CONNECTION_STATES.map((to) => [to, TRANSITIONS[from].includes(to as never)]))]),
) as Readonly<Record<ConnectionState, Readonly<Record<ConnectionState, boolean>>>>

/** Throws if the table does not allow the step: a bug of the pool, never of its user. */
export function assertTransition(from: ConnectionState, to: ConnectionState, id: string): void {
  // The two steps of every lease, known at once: looking them up would cost as much as the rest of an acquire.
  if (from === 'idle' ? to === 'acquired' : from === 'acquired' && to === 'idle') return
  if (!allowed[from][to]) throw new Error(`bug: illegal transition ${from} → ${to} of connection ${id}`)
}
