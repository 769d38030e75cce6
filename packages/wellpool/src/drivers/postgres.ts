import type pg from 'pg'
import type { Driver } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import { PostgresConnector } from './postgres-connector.ts'
import { classifyPostgresError } from './postgres-errors.ts'
import type { PostgresOptions } from './postgres-options.ts'
import type { PostgresSession } from './postgres-session.ts'
import { type ClientSource, clientsFromFunction, clientsFromOptions } from './postgres-sources.ts'

export type { PasswordContext } from '../shared/password.ts'
export type { PostgresOptions } from './postgres-options.ts'

/**
 * The driver for PostgreSQL, on the package `pg` (8.11 or later), which the application installs. A pool's client
 * is a `pg.Client`, connected and ready.
 *
 * - `connect`: a socket with TCP keep-alive, log-in, then `onConnect`. An abort closes the socket at once. A
 *   password that is wrong, a database that does not exist, certificates that don't fit are `fatal`; a server that
 *   is starting up, shutting down or full is not.
 * - `check`: an empty query, answered by the server's process; it has no effect on the session.
 * - `reset`: nothing is sent when nothing is left to do. An open transaction is rolled back, `LISTEN` is undone;
 *   with `discardAll` the whole session is. Other things that a borrower leaves in the session (`SET`, temporary
 *   tables, prepared statements, advisory locks) are there for the next one unless `discardAll` is set, and so are
 *   listeners on the client.
 * - `watch`: reports the end of the socket and the errors with which the server ends a session, as they arrive. A server that
 *   becomes read-only (`default_transaction_read_only`, version 14 or later) is reported as `retire` with the next answer.
 * - `destroy`: closes the socket. The server notices when it next reads or writes: a statement that is running
 *   there runs on until then.
 * - `secondOpinion`: what `pg_stat_activity` says of the session. A query that runs, a transaction in which the
 *   application thinks, and COPY are `working`; a session that has ended, or waits for a command that is on its way, is
 *   `gone`; behind a pooler such as PgBouncer, whose sessions are not the server's, all is `unknown`.
 * - `classify`: by SQLSTATE.
 *
 * @throws ConfigError when options are wrong: all that are, at once. No message ever shows a password.
 * @example
 * const db = createPool(postgres({ connectionString: process.env.DATABASE_URL }), { maxConnections: 20 })
 * const { rows } = await db.use((client) => client.query('select now()'))
 */
export function postgres(options: PostgresOptions = {}): Driver<pg.Client> {
  return driverOf(clientsFromOptions(options), options)
}

/** How the sessions of clients are set up that the application makes by itself. */
export type PostgresSessionOptions = Pick<PostgresOptions, 'onConnect' | 'discardAll' | 'secondOpinion'>

/**
 * The driver for clients that the application makes by itself: of a class of its own, with a configuration that
 * {@link PostgresOptions} has no words for. In all else it is as {@link postgres}.
 *
 * @param createClient makes a client that has not been connected; called for each connect. It is the pool's from then on
 * @throws ConfigError when `createClient` is no function
 * @example
 * const db = createPool(postgresFrom(() => new MyClient({ connectionString, keepAlive: true })))
 */
export function postgresFrom(createClient: () => pg.Client, options: PostgresSessionOptions = {}): Driver<pg.Client> {
  return driverOf(clientsFromFunction(createClient), options)
}

function driverOf(source: ClientSource, options: PostgresSessionOptions): Driver<pg.Client> {
  const { onConnect, discardAll = false, secondOpinion = true } = options
  const connector = new PostgresConnector(source, { onConnect, discardAll, identified: secondOpinion })
  const sessions = new WeakMap<pg.Client, PostgresSession>()
  const sessionOf = (client: pg.Client): PostgresSession => {
    const session = sessions.get(client)
    if (session === undefined) throw new TypeError('this client was not made by this driver')
    return session
  }
  return {
    protocol: 'postgres',
    async connect({ signal }) {
      const { client, session } = await connector.connect(signal)
      sessions.set(client, session)
      return client
    },
    check: (client, { signal }) => abortable(sessionOf(client).probe(), signal),
    reset: (client) => sessionOf(client).reset(),
    watch: (client, watcher) => sessionOf(client).watch(watcher),
    close: (client) => sessionOf(client).close(),
    destroy: (client) => sessionOf(client).destroy(),
    ref: (client) => sessionOf(client).ref(),
    unref: (client) => sessionOf(client).unref(),
    secondOpinion: (client, other, { limit, signal }) => abortable(sessionOf(client).secondOpinion(sessionOf(other), limit), signal),
    mayAskAbout: (client) => sessionOf(client).mayAskAbout,
    classify: (error) => classifyPostgresError(error, connector.hasThrown(error)),
    secrets: () => connector.secrets,
  }
}
