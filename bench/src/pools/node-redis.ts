import { createClientPool, RedisClient } from '@redis/client'
import type { OpenPool } from '../contender.ts'

/**
 * node-redis' own pool and its own clients, of which only `connect` is replaced. The pool has one way in:
 * `execute`, which lends a client for the time that a function takes. Acquire time-out on by default.
 */
export const open: OpenPool = async ({ endpoint, maxConnections, minConnections, acquireTimeout }) => {
  RedisClient.prototype.connect = async function connect(this: never) {
    await endpoint.connected()
    return this
  }
  RedisClient.prototype.destroy = () => endpoint.closed()
  const pool = createClientPool(undefined, {
    minimum: minConnections ?? 1,
    maximum: maxConnections,
    ...(acquireTimeout === undefined ? {} : { acquireTimeout }),
  })
  await pool.connect()
  return {
    style: 'execute',
    execute: (work) => pool.execute(work),
    waiting: () => pool.tasksQueueLength,
  }
}
