import type { Duration } from '../engine/duration.ts'
import { ConfigError } from '../engine/errors.ts'
import { abortable } from '../shared/abortable.ts'
import { show, toMs } from '../shared/option-rules.ts'
import type { TcpConversation } from './tcp-conversation.ts'
import { TcpError } from './tcp-errors.ts'
import type { Frame } from './tcp-framing.ts'

/** How long one call of a {@link TcpClient} may take. */
export interface TcpCallOptions {
  /** After this long it rejects with `TcpError` TIMEOUT. Default: never; 0 is now. */
  readonly timeout?: Duration | undefined
  /** When it is aborted, the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** The longest that Node's timers take, ms. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * A connection to a peer that answers frames with frames. Texts and bytes can be sent; what arrives is a text with
 * line framing and bytes with length framing.
 *
 * Ends with the lease: who goes on using it after the release disturbs the next borrower.
 */
export class TcpClient<F extends Frame = string> {
  readonly #conversation: TcpConversation<F>
  readonly #aside: boolean

  /** @internal */
  constructor(conversation: TcpConversation<F>, aside = false) {
    this.#conversation = conversation
    this.#aside = aside
  }

  /**
   * Sends one frame and resolves with the frame that answers it. Several may be under way at the same time: the
   * peer answers in the order of the requests. The answer to a request that was given up is dropped when it comes.
   *
   * @throws TcpError BAD_DATA when the data can't be one frame; TIMEOUT; CLOSED and others when the connection ends.
   */
  async request(data: string | Uint8Array, options: TcpCallOptions = {}): Promise<F> {
    return limited(options, 'answer', (signal) => abortable(this.#conversation.request(data), signal))
  }

  /**
   * Sends one frame that the peer does not answer with exactly one. Resolves when the system has taken it.
   *
   * @throws TcpError BAD_DATA, TIMEOUT, CLOSED
   */
  async send(data: string | Uint8Array, options: TcpCallOptions = {}): Promise<void> {
    return limited(options, 'room to send', (signal) => abortable(this.#conversation.send(data, this.#aside), signal))
  }

  /**
   * The next frame that answers no request: answers to what was sent, and what the peer tells by itself. A frame
   * that comes after a time-out is there for the next call.
   *
   * @throws TcpError TIMEOUT, CLOSED; RELEASED when the client was released meanwhile.
   */
  async receive(options: TcpCallOptions = {}): Promise<F> {
    return limited(options, 'frame', (signal) => this.#conversation.receive(signal))
  }

  /** The frames that answer no request, as they come, until the loop is left; the loop throws when the connection ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<F, never, void> {
    for (;;) yield await this.receive()
  }
}

async function limited<T>({ timeout, signal }: TcpCallOptions, what: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ms = timeout === undefined ? Number.POSITIVE_INFINITY : toMs(timeout)
  if (ms === undefined || ms < 0) {
    throw new ConfigError([{ path: 'timeout', given: show(timeout), allowed: "a duration (ms, or text such as '30s') from 0 ms" }])
  }
  signal?.throwIfAborted()
  const controller = new AbortController()
  const abort = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const late = (): void => controller.abort(new TcpError('TIMEOUT', `no ${what} within ${ms} ms`))
  const timer = ms <= MAX_TIMER_MS ? setTimeout(late, ms) : undefined
  try {
    return await run(controller.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
