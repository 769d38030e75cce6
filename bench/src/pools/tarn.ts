import { Pool } from 'tarn'
import type { OpenPool } from '../contender.ts'

/** tarn, knex' pool. Promises; acquire time-out of 30 s by default. */
export const open: OpenPool = async ({ endpoint, maxConnections, minConnections, acquireTimeout }) => {
  const pool = new Pool<object>({
    create: () => endpoint.connected().then(() => ({})),
    destroy: () => endpoint.closed(),
    min: minConnections ?? 0,
    max: maxConnections,
    ...(acquireTimeout === undefined ? {} : { acquireTimeoutMillis: acquireTimeout }),
  })
  return {
    style: 'promise',
    acquire: () => pool.acquire().promise,
    release: (resource) => pool.release(resource as object),
    waiting: () => pool.numPendingAcquires(),
  }
}
