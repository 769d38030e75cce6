import type { Socket } from 'node:net'
import { TcpError } from './tcp-errors.ts'
import type { Frame, FrameCoder, FrameDecoder } from './tcp-framing.ts'

/** What it costs to keep a frame beside its own bytes. */
const FRAME_COST = 64

interface Waiting<T> {
  resolve(value: T): void
  reject(error: Error): void
}

/**
 * Frames that go and come over one socket, and who is waiting for them. The oldest request gets the next frame; one
 * that no request waits for goes to who receives, or is kept for them while a borrower is talking.
 */
export class TcpConversation<F extends Frame> {
  readonly #socket: Socket
  readonly #coder: FrameCoder<F>
  readonly #decoder: FrameDecoder<F>
  /** How many bytes are kept before the socket is read no further. */
  readonly #maxKept: number
  readonly #requests: Waiting<F>[] = []
  readonly #receivers = new Set<Waiting<F>>()
  readonly #kept: F[] = []
  #keptSize = 0
  readonly #settling = new Set<Waiting<void>>()
  /** Whether a borrower has sent or received without a request. */
  #talking = true
  /** Whether the frame that is arriving began before the oldest request was sent, so that it can't be its answer. */
  #begunUnasked = false
  /** Whether nobody wants to know any more what arrives. */
  #leaving = false
  #arrived = 0
  #ended: Error | undefined

  /** Called once, when the connection has ended. */
  onEnd: (error: Error) => void = () => {}
  /** Called with a frame that nobody has asked for; without it the connection ends. */
  onUnasked: ((frame: F) => void) | undefined

  /** @param socket one that is connected; the conversation owns it from now on. */
  constructor(socket: Socket, coder: FrameCoder<F>, maxKept: number) {
    this.#socket = socket
    this.#coder = coder
    this.#decoder = coder.createDecoder()
    this.#maxKept = maxKept
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.end(error))
    // With an error, 'error' has come before.
    socket.on('end', () => this.end(new TcpError('CLOSED', `the peer has ended the connection${this.#where}`)))
    socket.on('close', () => this.end(new TcpError('CLOSED', `the connection was closed${this.#where}`)))
  }

  /** How many frames have come. */
  get arrived(): number {
    return this.#arrived
  }

  /** Whether frames that no request waits for may be on their way. */
  get talking(): boolean {
    return this.#talking
  }

  /** Whether nothing can be on its way but what was asked for with a request, and nothing is left of that. */
  get inStep(): boolean {
    return !this.#talking && this.#left === undefined
  }

  /** Sends a frame and resolves with the one that answers it, even when nobody wants it any more. */
  request(data: string | Uint8Array): Promise<F> {
    return new Promise((resolve, reject) => {
      this.#write(data, reject)
      this.#requests.push({ resolve, reject })
    })
  }

  /**
   * Sends a frame that is not answered by one. Resolves when the system has taken it.
   *
   * @param aside whether it is no borrower's: nobody would read the frames that come after it
   */
  send(data: string | Uint8Array, aside = false): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#write(data, reject, resolve)
      if (!aside) this.#talking = true
    })
  }

  /** The next frame that answers no request; when the signal is aborted first, the frame is the next one's. */
  receive(signal: AbortSignal): Promise<F> {
    this.#talking = true
    return new Promise((resolve, reject) => {
      const kept = this.#kept.shift()
      if (kept !== undefined) {
        this.#keptSize -= FRAME_COST + kept.length
        if (this.#keptSize < this.#maxKept) this.#socket.resume()
        resolve(kept)
        return
      }
      if (this.#ended !== undefined) throw closedBy(this.#ended)
      const receiver = { resolve, reject }
      this.#receivers.add(receiver)
      const abort = (): void => {
        if (this.#receivers.delete(receiver)) reject(signal.reason)
      }
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  /**
   * Ends what a borrower has begun: answers that are on their way are awaited and dropped.
   *
   * @throws TcpError OUT_OF_STEP when something else is left; CLOSED when the connection ends first.
   */
  async settle(): Promise<void> {
    for (const { reject } of this.#receivers) reject(new TcpError('RELEASED', 'the client was released while this waited for a frame'))
    this.#receivers.clear()
    // With unread frames in the way the answers may never be read.
    if (this.#kept.length === 0 && this.#requests.length > 0) {
      await new Promise<void>((resolve, reject) => this.#settling.add({ resolve, reject }))
    }
    if (this.#ended !== undefined) throw closedBy(this.#ended)
    if (this.#left !== undefined) throw new TcpError('OUT_OF_STEP', `the conversation can't go on with what is left: ${this.#left}`)
    // From now on a frame that no request waits for is one that nobody has asked for.
    this.#talking = false
  }

  /** Drops what still arrives, so that the end of it can be read. */
  leave(): void {
    this.#leaving = true
    this.#socket.resume()
  }

  /** Rejects everything that waits, and all that comes after. The first error is the one that is told. */
  end(error: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    const closed = closedBy(error)
    for (const { reject } of [...this.#requests.splice(0), ...this.#receivers, ...this.#settling]) reject(closed)
    this.#receivers.clear()
    this.#settling.clear()
    this.#socket.destroy()
    this.onEnd(error)
  }

  /** What stands in the way of the next borrower. */
  get #left(): string | undefined {
    if (this.#kept.length > 0) return `frames that nobody has read (${this.#kept.length})`
    if (this.#requests.length > 0) return `requests without an answer (${this.#requests.length})`
    return this.#decoder.inFrame ? 'a part of a frame' : undefined
  }

  get #where(): string {
    return this.#decoder.inFrame ? ' in the middle of a frame' : ''
  }

  /** Throws when nothing can be sent; `failed` is called when it turns out later. */
  #write(data: string | Uint8Array, failed: (error: Error) => void, written?: () => void): void {
    if (this.#ended !== undefined) throw closedBy(this.#ended)
    if (this.#socket.writableEnded) throw new TcpError('CLOSED', 'the connection is being closed')
    this.#socket.write(this.#coder.encode(data), (error) => {
      if (error) failed(closedBy(error))
      else written?.()
    })
  }

  #take(chunk: Buffer): void {
    if (this.#leaving) return
    try {
      for (const frame of this.#decoder.push(chunk)) {
        this.#arrived++
        this.#deliver(frame)
        this.#begunUnasked = false
        if (this.#ended !== undefined) return
      }
    } catch (error) {
      this.end(error as Error)
      return
    }
    if (!this.#decoder.inFrame || this.#requests.length > 0) return
    this.#begunUnasked = true
    if (!this.#talking && this.onUnasked === undefined) this.#refuse()
  }

  #deliver(frame: F): void {
    const request = this.#begunUnasked ? undefined : this.#requests.shift()
    if (request !== undefined) {
      request.resolve(frame)
      if (this.#requests.length > 0) return
      for (const { resolve } of this.#settling) resolve()
      this.#settling.clear()
      return
    }
    const [receiver] = this.#receivers
    if (receiver !== undefined) {
      this.#receivers.delete(receiver)
      receiver.resolve(frame)
    } else if (this.#talking) {
      this.#kept.push(frame)
      this.#keptSize += FRAME_COST + frame.length
      if (this.#keptSize >= this.#maxKept) this.#socket.pause()
    } else if (this.onUnasked !== undefined) this.onUnasked(frame)
    else this.#refuse()
  }

  /** Whatever it is, it would be taken for the answer to the next request. */
  #refuse(): void {
    this.end(new TcpError('UNASKED_FRAME', 'the peer has sent a frame that nobody has asked for'))
  }
}

/** The error as callers get it: fatal, whatever has ended the connection. */
function closedBy(error: Error): TcpError {
  return error instanceof TcpError ? error : new TcpError('CLOSED', `the connection has ended: ${error.message}`, error)
}
