import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type Settings } from 'node:http2'
import type { Socket } from 'node:net'
import type { Watcher } from '../engine/driver.ts'

/** How much of what a peer says about its leaving is passed on. */
const MAX_FAREWELL = 100

/** One session of HTTP/2, its socket, and what the pool wants of them. */
export class Http2Session {
  readonly client: ClientHttp2Session
  readonly #socket: Socket
  /** Those that the borrowers have opened and that are not over. */
  readonly #streams = new Set<ClientHttp2Stream>()
  #lost: { readonly error: unknown } | undefined
  #retired: string | undefined
  #letGo = false
  #watcher: Watcher | undefined
  #ping: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** Resolves when the session has ended: with the error that has ended it, if there was one. */
  readonly ended: Promise<Error | undefined>

  /** @param socket one that is connected and speaks HTTP/2; the session owns it from now on. */
  constructor(socket: Socket, origin: string, settings: Settings) {
    this.#socket = socket
    this.client = connect(origin, { createConnection: () => socket, settings })
    this.client.on('goaway', (code: number, _lastId: number, data: Uint8Array | undefined) => {
      if (code === constants.NGHTTP2_NO_ERROR) this.#reportRetired(farewell(data))
    })
    let failure: Error | undefined
    this.client.on('error', (error) => {
      failure ??= error
      this.#reportLost(error)
    })
    this.ended = new Promise((resolve) => this.client.once('close', () => resolve(failure)))
    this.client.on('close', () => {
      const why = this.#retired === undefined ? 'the peer has ended the session' : `the session has ended (${this.#retired})`
      this.#reportLost(new Error(why))
    })
    this.#followStreams()
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#letGo) return
    if (this.#retired !== undefined) watcher.retire(this.#retired)
    if (this.#lost !== undefined) watcher.lost(this.#lost.error)
  }

  /** One PING and its answer. Of checks that were given up one is still in flight, and its answer is as good as another's. */
  ping(): Promise<void> {
    this.#ping ??= new Promise<void>((resolve, reject) => {
      this.client.ping((error) => (error === null ? resolve() : reject(error)))
    }).finally(() => {
      this.#ping = undefined
    })
    return this.#ping
  }

  /** Cancels the streams that borrowers have left. Returns nothing when there are none. */
  reset(): Promise<void> | undefined {
    // Behind its answer the peer knows of them.
    return this.#cancelStreams() ? this.ping() : undefined
  }

  ref(): void {
    this.client.ref()
  }

  unref(): void {
    this.client.unref()
  }

  /** Says GOAWAY and lets the streams finish that are open. Resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#letGo = true
    // An unreferenced socket would let the process end before the goodbye is out.
    this.#socket.ref()
    this.#closing ??= this.#sayGoodbye()
    await this.#closing
  }

  /** Closes the socket at once, whatever it is doing. */
  destroy(): void {
    this.#letGo = true
    // The session alone would end them with the code of a stream that is whole.
    this.#cancelStreams()
    this.client.destroy()
    // The session alone would first wait until everything that was written has left.
    this.#socket.destroy()
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#socket.closed) return
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve())
      this.client.close()
    })
  }

  /**
   * Ends the streams that are not over, with a code that is no error: whoever does not listen to the errors of a stream
   * is not to be ended by this.
   *
   * @returns whether there were any
   */
  #cancelStreams(): boolean {
    const left = [...this.#streams].filter((stream) => !isOver(stream))
    for (const stream of left) {
      stream.close(constants.NGHTTP2_CANCEL)
      stream.destroy()
    }
    return left.length > 0
  }

  /** Node does not tell which streams a session has. */
  #followStreams(): void {
    const request = this.client.request.bind(this.client)
    this.client.request = (...parameters) => {
      const stream = request(...parameters)
      this.#streams.add(stream)
      stream.once('close', () => this.#streams.delete(stream))
      return stream
    }
  }

  #reportRetired(detail: string): void {
    this.#retired ??= detail
    if (!this.#letGo) this.#watcher?.retire(this.#retired)
  }

  #reportLost(error: unknown): void {
    if (this.#lost !== undefined || this.#letGo) return
    this.#lost = { error }
    this.#watcher?.lost(error)
  }
}

/** Whether both sides have said all. Its 'close' comes a little later. */
function isOver(stream: ClientHttp2Stream): boolean {
  return stream.closed || stream.destroyed || (stream.readableEnded && stream.writableFinished)
}

/** GOAWAY, and what the peer says about it if that can be read. */
function farewell(data: Uint8Array | undefined): string {
  const text = data === undefined ? '' : Buffer.from(data).toString('latin1').slice(0, MAX_FAREWELL)
  return /^[\x20-\x7e]+$/.test(text) ? `GOAWAY: ${text}` : 'GOAWAY'
}
