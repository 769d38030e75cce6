import { Pool } from 'lightning-pool'
import type { OpenPool } from '../contender.ts'

/** lightning-pool. Promises; no acquire time-out unless asked for. */
export const open: OpenPool = async ({ endpoint, maxConnections, minConnections, acquireTimeout, maxWaiting }) => {
  const pool = new Pool<object>(
    { create: () => endpoint.connected().then(() => ({})), destroy: () => endpoint.closed() },
    {
      max: maxConnections,
      maxQueue: maxWaiting + 1,
      ...(minConnections === undefined ? {} : { min: minConnections }),
      ...(acquireTimeout === undefined ? {} : { acquireTimeoutMillis: acquireTimeout }),
    },
  )
  return {
    style: 'promise',
    acquire: () => pool.acquire(),
    release: (resource) => pool.release(resource as object),
    waiting: () => pool.pending,
  }
}
