import type { ChannelModel } from 'amqplib'
import type { Driver } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import { ConnectErrors } from '../shared/connect-errors.ts'
import { askForPassword } from '../shared/password.ts'
import { Secrets } from '../shared/secrets.ts'
import { AmqpConnection } from './amqp-connection.ts'
import { classifyAmqpError } from './amqp-errors.ts'
import { type AmqpOptions, resolveAmqpOptions } from './amqp-options.ts'

export type { PasswordContext } from '../shared/password.ts'
export { BlockedError } from './amqp-connection.ts'
export type { AmqpOptions } from './amqp-options.ts'

/**
 * The driver for AMQP 0-9-1 and RabbitMQ, on the package `amqplib`, which the application installs. A pool's client is
 * amqplib's connection (`ChannelModel`); borrowers open channels over it.
 *
 * - `connect`: a socket with TCP keep-alive, log-in, and a channel for checks. An abort closes the socket at once. A
 *   password that is wrong and certificates that don't fit are `fatal`; a vhost that lets nobody in is not, for it may
 *   have too many connections.
 * - `check`: one round trip on that channel. A connection that the broker has blocked fails it at once.
 * - `reset`, after the last lease: channels that are open still are closed; messages that were not acknowledged go back
 *   to their queues.
 * - `close`: the same, so that what was published is out, and the goodbye. `destroy`: the socket is closed.
 * - `watch`: reports the end of the socket, the broker's goodbye, and missed heartbeats.
 * - `classify`: by AMQP's codes: what ends a channel is the application's own, what ends the connection is `fatal`.
 *
 * @throws ConfigError when options are wrong: all that are, at once. No message ever shows a password.
 * @example
 * const broker = createPool(amqp({ host: 'rabbit.internal', user: 'app', password }), { maxConnections: 4 })
 * await broker.use(async (connection) => {
 *   const channel = await connection.createConfirmChannel()
 *   channel.sendToQueue('orders', Buffer.from('hello'))
 *   await channel.waitForConfirms()
 * })
 */
export function amqp(options: AmqpOptions = {}): Driver<ChannelModel> {
  const resolved = resolveAmqpOptions(options)
  const { password: given, tls } = resolved
  const { key, passphrase } = typeof tls === 'object' ? tls : {}
  const secrets = new Secrets([given, key, passphrase])
  const connectErrors = new ConnectErrors()
  const connections = new WeakMap<ChannelModel, AmqpConnection>()
  const connectionOf = (client: ChannelModel): AmqpConnection => {
    const connection = connections.get(client)
    if (connection === undefined) throw new TypeError('this client was not made by this driver')
    return connection
  }
  return {
    protocol: 'amqp',
    maxLeasesPerConnection: resolved.maxLeases,
    async connect({ signal }) {
      signal.throwIfAborted()
      try {
        const password = (await askForPassword(given, signal)) ?? 'guest'
        if (typeof given === 'function') secrets.add(password)
        const connection = await AmqpConnection.open(resolved, password, signal)
        connections.set(connection.client, connection)
        return connection.client
      } catch (error) {
        connectErrors.add(error)
        throw error
      }
    },
    check: (client, { signal }) => abortable(connectionOf(client).check(), signal),
    reset: (client) => connectionOf(client).reset(),
    watch: (client, watcher) => connectionOf(client).watch(watcher),
    close: (client) => connectionOf(client).close(),
    destroy: (client) => connectionOf(client).destroy(),
    ref: (client) => connectionOf(client).ref(),
    unref: (client) => connectionOf(client).unref(),
    classify: (error) => classifyAmqpError(error, connectErrors.has(error)),
    secrets: () => secrets.all,
  }
}
