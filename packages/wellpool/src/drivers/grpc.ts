import type { Driver } from '../engine/driver.ts'
import { ConnectErrors } from '../shared/connect-errors.ts'
import { Secrets } from '../shared/secrets.ts'
import { GrpcConnection } from './grpc-connection.ts'
import { classifyGrpcError } from './grpc-errors.ts'
import { type GrpcOptions, resolveGrpcOptions } from './grpc-options.ts'

export { GrpcConnectionError } from './grpc-errors.ts'
export { NotServingError } from './grpc-health.ts'
export type { GrpcClientOptions, GrpcOptions } from './grpc-options.ts'

/**
 * The driver for gRPC, on the package `@grpc/grpc-js` (1.13 or later), which the application installs. A pool's client
 * is a client of the application's own, generated or not; many borrowers share one.
 *
 * Each client is one connection: it shares none with others, and grpc-js makes no other beneath it.
 *
 * - `connect`: one call of the health service, answered by the server. An abort closes the socket at once. Certificates
 *   that don't fit are `fatal`, and a server that speaks no HTTP/2.
 * - `check`: `grpc.health.v1.Health/Check`, beside whatever calls do. `NOT_SERVING` fails it; a server that has no such
 *   service, or lets nobody ask, has answered and is alive.
 * - `reset`, after the last lease: calls that are in flight still are cancelled.
 * - `watch`: reports the end of the socket as lost, and a GOAWAY as `retire`: no new leases, and calls in flight finish
 *   on the old connection.
 * - `close`: GOAWAY, and calls in flight finish. `destroy`: the socket is closed.
 * - `classify`: by the status of a call.
 *
 * @throws ConfigError when options are wrong: all that are, at once.
 * @example
 * const driver = grpc({
 *   address: 'orders.internal:50051',
 *   credentials: credentials.createSsl(),
 *   client: (address, credentials, options) => new OrdersClient(address, credentials, options),
 * })
 */
export function grpc<Client extends object>(options: GrpcOptions<Client>): Driver<Client> {
  const { address, credentials, client: makeClient, health = '' } = options ?? {}
  const resolved = resolveGrpcOptions(options)
  const target = { ...resolved, address, credentials, health }
  const secrets = new Secrets(options.secrets)
  const connectErrors = new ConnectErrors()
  const connections = new WeakMap<Client, GrpcConnection>()
  const connectionOf = (client: Client): GrpcConnection => {
    const connection = connections.get(client)
    if (connection === undefined) throw new TypeError('this client was not made by this driver')
    return connection
  }
  const open = async (signal: AbortSignal): Promise<Client> => {
    const connection = await GrpcConnection.open(target, signal)
    try {
      const { channel } = connection
      const client = makeClient(address, credentials, { ...resolved.channelOptions, channelOverride: channel })
      mustUse(client, channel)
      connections.set(client, connection)
      return client
    } catch (error) {
      connection.destroy()
      throw error
    }
  }
  return {
    protocol: 'grpc',
    maxLeasesPerConnection: resolved.maxLeases,
    async connect({ signal }) {
      try {
        return await open(signal)
      } catch (error) {
        connectErrors.add(error)
        throw error
      }
    },
    check: (client, { signal }) => connectionOf(client).check(signal),
    reset: (client) => connectionOf(client).reset(),
    watch: (client, watcher) => connectionOf(client).watch(watcher),
    close: (client) => connectionOf(client).close(),
    destroy: (client) => connectionOf(client).destroy(),
    ref: (client) => connectionOf(client).ref(),
    unref: (client) => connectionOf(client).unref(),
    classify: (error) => classifyGrpcError(error, connectErrors.has(error)),
    secrets: () => secrets.all,
  }
}

/** A client that was made without the options would have a connection of its own, which nobody looks after. */
function mustUse(client: object, channel: object): void {
  const { getChannel } = client as { getChannel?: unknown }
  if (typeof getChannel === 'function' && getChannel.call(client) !== channel) {
    throw new TypeError('the function `client` has not passed its options on to the client that it has made')
  }
}
