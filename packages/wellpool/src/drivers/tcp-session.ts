import type { Socket } from 'node:net'
import type { Watcher } from '../engine/driver.ts'
import { TcpClient } from './tcp-client.ts'
import { TcpConversation } from './tcp-conversation.ts'
import { TcpError } from './tcp-errors.ts'
import type { Frame, FrameCoder } from './tcp-framing.ts'
import type { TcpHooks } from './tcp-options.ts'

/** What the sessions of one driver have in common. */
export interface SessionOptions<F extends Frame> {
  readonly hooks: TcpHooks<F>
  readonly coder: FrameCoder<F>
  readonly maxFrameSize: number
  readonly goodbye: string | Uint8Array | undefined
}

/** One client, its socket, and what the pool wants of them. */
export class TcpSession<F extends Frame> {
  readonly client: TcpClient<F>
  readonly #socket: Socket
  readonly #options: SessionOptions<F>
  readonly #conversation: TcpConversation<F>
  /** Aborted when the connection has ended: what the options' functions still do is in vain. */
  readonly #over = new AbortController()
  #lost: { readonly error: unknown } | undefined
  #letGo = false
  #watcher: Watcher | undefined
  #probe: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(socket: Socket, options: SessionOptions<F>) {
    this.#socket = socket
    this.#options = options
    this.#conversation = new TcpConversation(socket, options.coder, options.maxFrameSize)
    this.client = new TcpClient(this.#conversation)
    const { onUnasked } = options.hooks
    if (onUnasked !== undefined) {
      const answering = new TcpClient(this.#conversation, true)
      const hear = async (frame: F): Promise<unknown> => onUnasked(frame, answering)
      this.#conversation.onUnasked = (frame) => void hear(frame).catch((error) => this.#conversation.end(error))
    }
    this.#conversation.onEnd = (error) => {
      this.#over.abort(error)
      this.#reportLost(error)
    }
  }

  /** Sets the session up, and does not believe in the peer before it has answered. */
  async open(signal: AbortSignal): Promise<void> {
    await this.#options.hooks.onConnect?.(this.client, { signal })
    await this.#conversation.settle()
    await this.probe()
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#lost !== undefined && !this.#letGo) watcher.lost(this.#lost.error)
  }

  /** Of checks that were given up one is still in flight, and its answer is as good as another one's. */
  probe(): Promise<void> {
    this.#probe ??= this.#ask().finally(() => {
      this.#probe = undefined
    })
    return this.#probe
  }

  /** Undoes what a borrower has left. Returns nothing when there is nothing to do. */
  reset(): Promise<void> | undefined {
    if (this.#options.hooks.onRelease !== undefined) return this.#release()
    return this.#conversation.inStep ? undefined : this.#getInStep()
  }

  ref(): void {
    this.#socket.ref()
  }

  unref(): void {
    this.#socket.unref()
  }

  /** Says goodbye. Resolves when the socket is closed. */
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
    this.#conversation.end(new TcpError('CLOSED', 'the connection was destroyed'))
  }

  async #ask(): Promise<void> {
    const { arrived } = this.#conversation
    await this.#options.hooks.probe(this.client, { signal: this.#over.signal })
    if (this.#conversation.arrived === arrived) throw new Error('the probe has brought no frame from the peer, which proves nothing')
    await this.#conversation.settle()
  }

  async #getInStep(): Promise<void> {
    const { talking } = this.#conversation
    await this.#conversation.settle()
    // Behind the answer to a probe nothing comes that was sent for before it.
    if (talking) await this.probe()
  }

  async #release(): Promise<void> {
    await this.#options.hooks.onRelease?.(this.client)
    await this.#conversation.settle()
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#socket.closed) return
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve())
      this.#conversation.leave()
      if (this.#options.goodbye === undefined || this.#socket.writableEnded) this.#socket.end()
      else this.#socket.end(this.#options.coder.encode(this.#options.goodbye))
    })
  }

  #reportLost(error: unknown): void {
    if (this.#lost !== undefined || this.#letGo) return
    this.#lost = { error }
    this.#watcher?.lost(error)
  }
}
