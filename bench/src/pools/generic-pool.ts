import { createPool } from 'generic-pool'
import type { OpenPool } from '../contender.ts'

/** generic-pool. Promises; no acquire time-out unless asked for. */
export const open: OpenPool = async ({ endpoint, maxConnections, minConnections, acquireTimeout }) => {
  const pool = createPool<object>(
    { create: () => endpoint.connected().then(() => ({})), destroy: async () => endpoint.closed() },
    {
      max: maxConnections,
      ...(minConnections === undefined ? {} : { min: minConnections }),
      ...(acquireTimeout === undefined ? {} : { acquireTimeoutMillis: acquireTimeout }),
    },
  )
  return {
    style: 'promise',
    acquire: () => pool.acquire(),
    release: (resource) => void pool.release(resource as object),
    waiting: () => pool.pending,
  }
}
