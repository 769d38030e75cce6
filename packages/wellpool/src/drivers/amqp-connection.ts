import type { Socket } from 'node:net'
import { type Channel, type ChannelModel, connect } from 'amqplib'
import type { Watcher } from '../engine/driver.ts'
import { abortable } from '../shared/abortable.ts'
import type { ResolvedAmqpOptions } from './amqp-options.ts'

/** The broker reads nothing of this connection: it is short of memory or disk. */
export class BlockedError extends Error {
  override readonly name = 'BlockedError'
}

/** One connection to a broker, its socket, and the channels over it. */
export class AmqpConnection {
  readonly client: ChannelModel
  readonly #socket: Socket
  /** Those that borrowers have opened and that are not closed. */
  readonly #channels = new Set<Channel>()
  /** For checks. */
  #own: Channel | undefined
  #blocked: string | undefined
  #lost: { readonly error: unknown } | undefined
  #letGo = false
  #watcher: Watcher | undefined
  #probe: Promise<unknown> | undefined
  #closing: Promise<void> | undefined

  private constructor(client: ChannelModel) {
    this.client = client
    this.#socket = (client.connection as unknown as { readonly stream: Socket }).stream
    let failure: unknown
    client.on('error', (error) => {
      failure ??= error
    })
    client.on('close', (error) => this.#reportLost(failure ?? error ?? new Error('the broker has closed the connection')))
    this.#socket.on('close', () => this.#reportLost(failure ?? new Error('the connection was closed')))
    client.on('blocked', (reason) => {
      this.#blocked = reason === '' ? 'no reason given' : reason
    })
    client.on('unblocked', () => {
      this.#blocked = undefined
    })
  }

  /** A connection that is logged in and has a channel open. When it rejects, nothing is left. */
  static async open({ url, socket }: ResolvedAmqpOptions, password: string, signal: AbortSignal): Promise<AmqpConnection> {
    signal.throwIfAborted()
    // amqplib gives nobody its socket before it is logged in; a signal reaches it.
    const giveUp = new AbortController()
    let connection: AmqpConnection | undefined
    try {
      const socketOptions = Object.assign({}, socket, { signal: giveUp.signal })
      connection = new AmqpConnection(await abortable(connect({ ...url, password }, socketOptions), signal))
      await abortable(connection.#prepare(), signal)
      return connection
    } catch (error) {
      giveUp.abort()
      connection?.destroy()
      throw error
    }
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#lost !== undefined && !this.#letGo) watcher.lost(this.#lost.error)
  }

  /** One round trip on a channel of its own: the limit of unread messages, of which it has none. */
  async check(): Promise<void> {
    if (this.#blocked !== undefined) throw new BlockedError(`the broker has blocked the connection: ${this.#blocked}`)
    // Of checks that were given up one is still in flight, and its answer is as good as another one's.
    this.#probe ??= this.#ask().finally(() => {
      this.#probe = undefined
    })
    await this.#probe
  }

  /** Closes the channels that borrowers have left. Returns nothing when there are none. */
  reset(): Promise<unknown> | undefined {
    if (this.#channels.size === 0) return undefined
    return Promise.all([...this.#channels].map(closeChannel))
  }

  ref(): void {
    for (const holder of this.#holders) holder.ref()
  }

  unref(): void {
    for (const holder of this.#holders) holder.unref()
  }

  /** Closes the channels that are left, and says goodbye. Resolves when the socket is closed. */
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
    // With an error amqplib notices, and stops its heart.
    this.#socket.destroy(new Error('the connection was destroyed'))
  }

  /** What holds the process open: the socket, and the timers of amqplib's heart, which is null without heartbeats. */
  get #holders(): readonly { ref(): unknown; unref(): unknown }[] {
    const { heartbeater } = this.client.connection as unknown as {
      readonly heartbeater: { readonly sendTimer: NodeJS.Timeout; readonly recvTimer: NodeJS.Timeout } | null
    }
    return heartbeater === null ? [this.#socket] : [this.#socket, heartbeater.sendTimer, heartbeater.recvTimer]
  }

  async #prepare(): Promise<void> {
    this.#own = await this.client.createChannel()
    this.#own.on('error', () => {})
    this.#followChannels()
  }

  async #ask(): Promise<void> {
    if (this.#own === undefined) throw new Error('bug: no channel for checks')
    await this.#own.prefetch(0)
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#socket.closed) return
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve())
      // That it is over already is what was wanted.
      void this.#goodbye().catch(() => this.#socket.destroy())
    })
  }

  async #goodbye(): Promise<void> {
    // amqplib writes this goodbye at once, and what channels have sent a little later: behind a goodbye the broker
    // reads nothing. One that has blocked the connection reads nothing anyway, and closes no channel.
    if (this.#blocked === undefined) await this.reset()
    await this.client.close()
  }

  /** amqplib does not tell which channels a connection has. */
  #followChannels(): void {
    const { client } = this
    const follow = <C extends Channel>(channel: C): C => {
      this.#channels.add(channel)
      channel.once('close', () => this.#channels.delete(channel))
      // The error is the rejection of what was asked for. As an event that nobody hears it would end the process.
      channel.on('error', () => {})
      return channel
    }
    const [createChannel, createConfirmChannel] = [client.createChannel.bind(client), client.createConfirmChannel.bind(client)]
    client.createChannel = async (...parameters) => follow(await createChannel(...parameters))
    client.createConfirmChannel = async (...parameters) => follow(await createConfirmChannel(...parameters))
  }

  #reportLost(error: unknown): void {
    if (this.#lost !== undefined || this.#letGo) return
    this.#lost = { error }
    this.#watcher?.lost(error)
  }
}

/** Resolves when the channel is closed, also one that its borrower is closing: for amqplib that is an error. */
function closeChannel(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    channel.once('close', () => resolve())
    channel.close().catch(() => {})
  })
}
