import { EventEmitter } from 'node:events'
import type { Client, PoolClient } from 'pg'
import PgPool from 'pg-pool'
import type { OpenPool } from '../contender.ts'
import type { Endpoint } from '../endpoint.ts'

/** What pg-pool calls of a client, and no more. */
class IdleClient extends EventEmitter {
  readonly _queryable = true
  readonly _ending = false
  readonly #endpoint: Endpoint

  constructor({ endpoint }: { endpoint: Endpoint }) {
    super()
    this.#endpoint = endpoint
  }

  connect(callback: () => void): void {
    this.#endpoint.connect(callback)
  }

  end(callback: () => void): void {
    this.#endpoint.closed()
    callback()
  }
}

/** pg-pool with a client that does nothing. Promises; no acquire time-out unless asked for. */
export const open: OpenPool = async ({ endpoint, maxConnections, minConnections, acquireTimeout }) => {
  const options = {
    endpoint,
    max: maxConnections,
    ...(minConnections === undefined ? {} : { min: minConnections }),
    ...(acquireTimeout === undefined ? {} : { connectionTimeoutMillis: acquireTimeout }),
  }
  const pool = new PgPool(options, IdleClient as unknown as new () => Client)
  return {
    style: 'promise',
    acquire: () => pool.connect(),
    release: (client) => (client as PoolClient).release(),
    waiting: () => pool.waitingCount,
  }
}
