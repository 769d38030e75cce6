import type { Driver } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import { RedisConnector } from './redis-connector.ts'
import { classifyRedisError } from './redis-errors.ts'
import type { RedisClient, RedisOptions } from './redis-options.ts'
import type { RedisSession } from './redis-session.ts'
import type { RedisClientLike } from './redis-wire.ts'

export type { PasswordContext } from '../shared/password.ts'
export type { RedisBaseOptions, RedisClient, RedisOptions } from './redis-options.ts'
export type { RedisClientLike } from './redis-wire.ts'

/**
 * The driver for Redis and what speaks its protocol (Valkey, KeyDB), on the package `redis` (node-redis 5 or later),
 * which the application installs. A pool's client is one of node-redis, connected and ready, that never connects again
 * by itself and queues nothing while it can't send: that is the pool's part.
 *
 * - `connect`: a socket with TCP keep-alive, log-in, a first round trip, then `onConnect`. An abort closes the socket at
 *   once. A password that is wrong, a database that does not exist, certificates that don't fit are `fatal`; a server
 *   that is full or reads its data is not.
 * - `check`: `PING`. It works while the client is subscribed to channels.
 * - `reset`: nothing is sent when nothing is left to do. Where a borrower has left something (`MULTI`, `WATCH`,
 *   subscriptions, `MONITOR`, another database or user, `CLIENT TRACKING`, …) the session is made anew (`RESET`, of
 *   Redis 6.2 and later) and set up again. A blocking command that still waits, and replies that were turned off, can't
 *   be undone: the connection is replaced. Listeners on the client stay.
 * - `watch`: reports the end of the socket, and replies that are none.
 * - `destroy`: closes the socket. The server carries out what it has received.
 * - `secondOpinion`: what `CLIENT LIST` says of the session. A command that blocks is `working`; a session that has
 *   ended, or is found twice to have nothing to do although a command is on its way to it, is `gone`.
 * - `classify`: by the first word of the server's error.
 *
 * @throws ConfigError when options are wrong: all that are, at once. No message ever shows a password.
 * @example
 * const cache = createPool(redis({ url: process.env.REDIS_URL }), { maxConnections: 5 })
 * const value = await cache.use((client) => client.get('key'))
 */
export function redis<Client extends RedisClientLike = RedisClient>(options: RedisOptions<Client> = {}): Driver<Client> {
  const connector = new RedisConnector<Client>(options)
  const sessions = new WeakMap<Client, RedisSession<Client>>()
  const sessionOf = (client: Client): RedisSession<Client> => {
    const session = sessions.get(client)
    if (session === undefined) throw new TypeError('this client was not made by this driver')
    return session
  }
  return {
    protocol: 'redis',
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
    classify: (error) => classifyRedisError(error, connector.hasThrown(error)),
    secrets: () => connector.secrets,
    maxLeasesPerConnection: connector.maxLeases,
  }
}
