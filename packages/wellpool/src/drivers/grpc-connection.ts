import type { Socket } from 'node:net'
import { Channel, type ChannelCredentials, connectivityState } from '@grpc/grpc-js'
import type { Watcher } from '../engine/driver.ts'
import { GrpcChannel } from './grpc-channel.ts'
import { GrpcHealth } from './grpc-health.ts'
import type { ResolvedGrpcOptions } from './grpc-options.ts'
import { followSockets } from './grpc-sockets.ts'

/** Where connections of one driver lead to. */
export interface GrpcTarget extends ResolvedGrpcOptions {
  readonly address: string
  readonly credentials: ChannelCredentials
  readonly health: string
}

/** One connection: a channel of grpc-js that connects once, and its socket. */
export class GrpcConnection {
  /** What clients are made with. */
  readonly channel: GrpcChannel
  readonly #inner: Channel
  readonly #health: GrpcHealth
  readonly #sockets: ReadonlySet<Socket>
  readonly #stopFollowing: () => void
  #lost: { readonly error: unknown } | undefined
  #retired: string | undefined
  #letGo = false
  #watcher: Watcher | undefined
  #closing: Promise<void> | undefined

  private constructor({ address, credentials, channelOptions, health }: GrpcTarget) {
    this.#inner = new Channel(address, credentials, channelOptions)
    this.channel = new GrpcChannel(this.#inner, () => open(this.#sockets).length > 0)
    this.#health = new GrpcHealth(this.#inner, health)
    const { sockets, stop } = followSockets(() => this.#inner.getConnectivityState(true))
    this.#sockets = sockets
    this.#stopFollowing = stop
  }

  /** A connection whose server has answered. When it rejects, nothing is left. */
  static async open(target: GrpcTarget, signal: AbortSignal): Promise<GrpcConnection> {
    signal.throwIfAborted()
    const connection = new GrpcConnection(target)
    try {
      await connection.check(signal)
      connection.#follow(target.keepAliveMs)
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    } finally {
      connection.#stopFollowing()
    }
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#letGo) return
    if (this.#retired !== undefined) watcher.retire(this.#retired)
    if (this.#lost !== undefined) watcher.lost(this.#lost.error)
  }

  /** One call of the health service, and its answer. */
  async check(signal: AbortSignal): Promise<void> {
    this.channel.mustServe()
    await this.#health.check(signal)
  }

  /** Cancels the calls that borrowers have left. Returns nothing when there are none. */
  reset(): Promise<void> | undefined {
    if (!this.channel.busy) return undefined
    this.channel.cancelCalls()
    // Behind its answer the server knows of them.
    return this.check(new AbortController().signal)
  }

  ref(): void {
    for (const socket of this.#sockets) socket.ref()
  }

  unref(): void {
    for (const socket of this.#sockets) socket.unref()
  }

  /** Says GOAWAY and lets calls finish that are in flight. Resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#letGo = true
    // An unreferenced socket would let the process end before the goodbye is out.
    this.ref()
    this.#closing ??= this.#sayGoodbye()
    await this.#closing
  }

  /** Closes the socket at once, whatever it is doing. */
  destroy(): void {
    this.#letGo = true
    this.#shutDown('lost', 'the connection was destroyed')
    for (const socket of this.#sockets) socket.destroy()
    this.#stopFollowing()
  }

  async #sayGoodbye(): Promise<void> {
    this.#shutDown('lost', 'the connection is closed')
    await Promise.all(open(this.#sockets).map((socket) => new Promise((resolve) => socket.once('close', resolve))))
  }

  #follow(keepAliveMs: number): void {
    const sockets = open(this.#sockets)
    if (sockets.length === 0) throw new Error('bug: the socket of grpc-js was not seen, or it is closed already')
    for (const socket of sockets) {
      let failure: Error | undefined
      socket.setKeepAlive(true, keepAliveMs)
      socket.on('error', (error) => {
        failure ??= error
      })
      socket.on('close', () => this.#reportLost(failure ?? new Error('the server has closed the connection')))
    }
    this.channel.onClose = () => this.#reportLost(new Error('a borrower has closed the client'))
    const { READY } = connectivityState
    if (this.#inner.getConnectivityState(false) !== READY) this.#left()
    else this.#inner.watchConnectivityState(READY, Number.POSITIVE_INFINITY, () => this.#left())
  }

  /** grpc-js has given the connection up: the server has said GOAWAY, or the socket is about to close. */
  #left(): void {
    if (this.#letGo) return
    this.#shutDown('leaving', 'the server is leaving')
    // A socket that is lost has told so by then.
    setImmediate(() => {
      if (this.#letGo || this.#lost !== undefined || open(this.#sockets).length === 0) return
      this.#retired = 'GOAWAY'
      this.#watcher?.retire(this.#retired)
    })
  }

  #reportLost(error: unknown): void {
    this.#shutDown('lost', 'the connection is lost', error)
    if (this.#lost !== undefined || this.#letGo) return
    this.#lost = { error }
    this.#watcher?.lost(error)
  }

  /** No call can begin after this, so grpc-js can't connect anew. Calls in flight go on as long as the socket does. */
  #shutDown(reason: 'lost' | 'leaving', details: string, cause?: unknown): void {
    this.channel.refuse(reason, details, cause)
    if (this.#inner.getConnectivityState(false) !== connectivityState.SHUTDOWN) this.#inner.close()
  }
}

const open = (sockets: ReadonlySet<Socket>): Socket[] => [...sockets].filter(({ destroyed }) => !destroyed)
