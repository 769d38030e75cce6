import { Duplex } from 'node:stream'
import mysql from 'mysql2'
import type { OpenPool, Setup } from '../contender.ts'

/**
 * mysql2's callbacks, awaited: the same asynchronous caller as with every other pool. (Its own promise API is
 * slower: it wraps each connection anew.) This pool has no acquire time-out.
 */
export const open: OpenPool = async (setup) => {
  const pool = createPool(setup)
  return {
    style: 'promise',
    acquire: () =>
      new Promise((resolve, reject) => {
        pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)))
      }),
    release,
    waiting: () => waiting(pool),
  }
}

/** mysql2's callbacks with a caller that is written in callbacks as well: no promise anywhere. */
export const openForCallbacks: OpenPool = async (setup) => {
  const pool = createPool(setup)
  return {
    style: 'callback',
    acquire: (callback) => pool.getConnection(callback),
    release,
    waiting: () => waiting(pool),
  }
}

/**
 * mysql2's own pool and its own `PoolConnection`s, over a stream that goes nowhere. Of the whole path only
 * `connect` is replaced, which would wait for a server's greeting.
 */
function createPool({ endpoint, maxConnections }: Setup): mysql.Pool {
  mysql.PoolConnection.prototype.connect = (callback?: (error: mysql.QueryError | null) => void) => endpoint.connect(() => callback?.(null))
  return mysql.createPool({
    connectionLimit: maxConnections,
    connectTimeout: 0,
    stream: () => new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() }),
  })
}

function release(connection: unknown): void {
  ;(connection as mysql.PoolConnection).release()
}

/** The pool doesn't say how many wait; its queue does. */
function waiting(pool: mysql.Pool): number {
  return (pool as unknown as { readonly _connectionQueue: { readonly length: number } })._connectionQueue.length
}
