import type { Connection } from 'mysql2/promise'
import type { Driver } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import { MysqlConnector } from './mysql-connector.ts'
import { classifyMysqlError } from './mysql-errors.ts'
import type { MysqlOptions } from './mysql-options.ts'
import type { MysqlSession } from './mysql-session.ts'

export type { PasswordContext } from '../shared/password.ts'
export type { MysqlClientOptions, MysqlOptions } from './mysql-options.ts'

/**
 * The driver for MySQL and MariaDB, on the package `mysql2` (3.11 or later), which the application installs. A pool's
 * client is a `Connection` of `mysql2/promise`, connected and ready.
 *
 * - `connect`: a socket with TCP keep-alive, log-in, then `onConnect`. An abort closes the socket at once. A password
 *   that is wrong, a database that does not exist, certificates that don't fit are `fatal`; a server that is shutting
 *   down or full is not.
 * - `check`: a ping (`COM_PING`), answered by the session's thread; it has no effect on the session.
 * - `reset`: nothing is sent when nothing is left to do. An open transaction is rolled back. Where anything else has
 *   changed (settings, user variables, temporary tables, locks, the database) the session is made anew
 *   (`COM_RESET_CONNECTION`) and set up again. What stored functions do unseen stays, unless `resetAlways` is set.
 *   Listeners on the client stay.
 * - `watch`: reports the end of the socket, as `wait_timeout`, `KILL` and a shutdown bring it about.
 * - `destroy`: closes the socket. The server notices when it next writes: a statement that is running there runs on
 *   until then.
 * - `secondOpinion`: what the list of processes says of the session's thread. A query that runs or waits for a lock is
 *   `working`; a thread that has ended, or waits for a command that is on its way, is `gone`; behind a proxy whose
 *   sessions are not the server's all is `unknown`.
 * - `classify`: by the server's error numbers.
 *
 * @throws ConfigError when options are wrong: all that are, at once. No message ever shows a password.
 * @example
 * const db = createPool(mysql({ uri: process.env.DATABASE_URL }), { maxConnections: 20 })
 * const [rows] = await db.use((client) => client.query('select now()'))
 */
export function mysql(options: MysqlOptions = {}): Driver<Connection> {
  const connector = new MysqlConnector(options)
  const sessions = new WeakMap<Connection, MysqlSession>()
  const sessionOf = (client: Connection): MysqlSession => {
    const session = sessions.get(client)
    if (session === undefined) throw new TypeError('this client was not made by this driver')
    return session
  }
  return {
    protocol: 'mysql',
    async connect({ signal }) {
      const session = await connector.connect(signal)
      sessions.set(session.client, session)
      return session.client
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
    classify: (error) => classifyMysqlError(error, connector.hasThrown(error)),
    secrets: () => connector.secrets,
  }
}
