import pg from 'pg'
import { ConfigError } from '../engine/errors.ts'
import { askForPassword } from '../shared/password.ts'
import { type PostgresOptions, resolvePostgresOptions } from './postgres-options.ts'

/** Where a driver has its clients from. */
export interface ClientSource {
  /** A client that has not been connected. */
  create(signal: AbortSignal): Promise<pg.Client>
  /** What all its clients have in common and what must never be seen. What is no text is left out. */
  readonly secrets: readonly unknown[]
}

/**
 * Clients made from the driver's options.
 *
 * @throws ConfigError
 */
export function clientsFromOptions(options: PostgresOptions): ClientSource {
  const { config, foundPassword } = resolvePostgresOptions(options)
  const { key, passphrase } = typeof options.ssl === 'object' ? options.ssl : {}
  return {
    secrets: [foundPassword, options.password, key, passphrase],
    async create(signal) {
      const password = await askForPassword(options.password, signal)
      const client = new pg.Client(config)
      // Not through the configuration: there an address without a password would win over it.
      if (password !== undefined) client.password = password
      return client
    },
  }
}

/** Clients that the application makes. */
export function clientsFromFunction(createClient: () => pg.Client): ClientSource {
  if (typeof createClient !== 'function') {
    throw new ConfigError([{ path: 'createClient', given: typeof createClient, allowed: 'a function that returns a client' }])
  }
  return {
    secrets: [],
    async create() {
      const client = createClient()
      if ((client as { connection?: unknown }).connection === undefined) {
        const allowed = "a client of pg's JavaScript, not yet connected: that of libpq hides its socket and the state of its session"
        throw new ConfigError([{ path: 'createClient', given: 'a client without a connection', allowed }])
      }
      return client
    },
  }
}
