import type { Snapshot } from './snapshot.ts'
import { clockTime, duration, printable } from './text.ts'

/** Every so often a line says how things stand, ms. */
export const STATUS_EVERY_MS = 5_000

/** Where the demo stands, in lines for a log: the pool and the requests, then the connections. */
export function statusLines({ stats, requests, latency, connections, reasonOf, invariants, router }: Snapshot): string[] {
  const { open, idle, acquired, retired, checking, waiting, breaker } = stats
  const sessions = invariants.backends === undefined ? 'no answer from the server' : `${invariants.backends} sessions at the server`
  return [
    `requests ${numbers(requests, latency)}`,
    `pool open ${open} idle ${idle} in use ${acquired + retired} checking ${checking} waiting ${waiting} breaker ${breaker}; ${sessions}`,
    `router ${numbers(router.requests, router.latency)}; ${router.sessions} of ${router.sessionLimit} sessions`,
    ...[...connections, ...router.connections].map(({ id, generation, state, health, mark, requests: served }) => {
      const reason = mark ?? reasonOf(id)
      const why = reason === undefined ? '' : ` (${reason.kind}: ${reason.detail})`
      return printable(`${id} generation ${generation} ${state} ${health}, ${served} requests${why}`)
    }),
  ]
}

function numbers({ ok, failed, underWay }: Snapshot['requests'], latency: Snapshot['latency']): string {
  const times = latency === undefined ? '' : `; p50 ${duration(latency.p50)} p99 ${duration(latency.p99)} max ${duration(latency.max)}`
  return `${ok} ok ${failed} failed ${underWay} under way${times}`
}

/** A line of the log, with the time since the beginning. */
export function stamped(text: string, sinceMs: number): string {
  return `${clockTime(sinceMs)}  ${text}`
}
