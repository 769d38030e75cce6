import type { ConnectionState, Health } from '../api/contract.ts'

/** What stands for a health beside its colour. A healthy one has none: what is well does not ask to be looked at. */
export const HEALTH_SIGNS: Readonly<Record<Health, string>> = { healthy: '', unknown: '?', degraded: '!', unhealthy: '×' }

/** What a cell shows: what it does where that says more than how it is. */
export function signOf(state: ConnectionState, health: Health): string {
  if (state === 'rebuilding') return '↻'
  return state === 'connecting' ? '' : HEALTH_SIGNS[health]
}
