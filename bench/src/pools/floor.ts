import type { OpenPool } from '../contender.ts'

/**
 * What no pool can beat: an array of connections, and a queue of promises for those who come too late.
 * No time-out, no check, no life cycle, no guard against a second release.
 */
export const open: OpenPool = async ({ maxConnections }) => {
  const idle: unknown[] = Array.from({ length: maxConnections }, (_, id) => ({ id }))
  let waiting: ((connection: unknown) => void)[] = []
  let served = 0
  const enqueue = (resolve: (connection: unknown) => void): void => {
    waiting.push(resolve)
  }
  return {
    style: 'promise',
    acquire: () => idle.pop() ?? new Promise(enqueue),
    release: (connection) => {
      const next = waiting[served]
      if (next === undefined) {
        idle.push(connection)
        return
      }
      served++
      next(connection)
      if (served === waiting.length) {
        waiting = []
        served = 0
      }
    },
    waiting: () => waiting.length - served,
  }
}
