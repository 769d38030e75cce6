import type ssh2 from 'ssh2'
import { closed, hangUp } from './ssh-channels.ts'
import { SshError } from './ssh-errors.ts'
import { TerminalText } from './ssh-terminal.ts'

/** How a stream is read. */
export interface StreamOptions {
  readonly columns: number
  readonly encoding: BufferEncoding
  /** How long nothing must have come before what stands in the last line is taken for its end, ms. */
  readonly settleMs: number
  /** The most that one answer may have, bytes. */
  readonly maxOutput: number
  /** Stands in front of messages. */
  readonly name: string
  /** Why the connection beneath has ended; undefined while it has not. */
  readonly lost: () => { readonly error: unknown } | undefined
}

/** A shell's channel: what the device writes, as its terminal would show it, and what is written to it. */
export class CliStream {
  readonly channel: ssh2.ClientChannel
  readonly terminal: TerminalText
  readonly #options: StreamOptions
  readonly #ends = new Set<(error: unknown) => void>()
  #look: (() => void) | undefined
  #closed: { readonly error: unknown } | undefined
  #arrivals = 0

  constructor(channel: ssh2.ClientChannel, options: StreamOptions) {
    this.channel = channel
    this.#options = options
    this.terminal = new TerminalText(options.columns, options.encoding)
    channel.on('data', (data: Buffer) => {
      this.#arrivals++
      this.terminal.write(data)
      this.#look?.()
    })
    channel.stderr.resume()
    // Writing to a channel that the device has closed; its end is reported by itself.
    channel.on('error', () => {})
    const end = (): void => this.#end(this.#loss('the device has closed the CLI'))
    channel.once('end', end)
    channel.once('close', end)
  }

  /** `host:port`, as it stands in front of messages. */
  get name(): string {
    return this.#options.name
  }

  /** Calls back once, when the channel has ended or {@link destroy} was called; at once if it has. */
  onClosed(listener: (error: unknown) => void): () => void {
    if (this.#closed === undefined) this.#ends.add(listener)
    else listener(this.#closed.error)
    return () => {
      this.#ends.delete(listener)
    }
  }

  /** @throws SshError CLI_CLOSED, SSH_CONNECTION_LOST */
  write(text: string): void {
    if (this.#closed !== undefined) throw this.#closed.error
    try {
      this.channel.write(text)
    } catch {
      // ssh2 throws when the connection has ended and the channel has not heard of it yet.
      throw this.#loss('the CLI has ended with its connection')
    }
  }

  /**
   * What `look` finds, as soon as nothing has come after it for the time to settle: a prompt in the middle of a packet
   * may be the beginning of a longer line. It looks at whatever comes from now on, one call at a time.
   *
   * @throws SshError CLI_CLOSED, SSH_CONNECTION_LOST, SSH_OUTPUT_LIMIT; the reason of the signal when that is aborted
   */
  until<T>(look: () => T | undefined, signal: AbortSignal, settleMs = this.#options.settleMs): Promise<T> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      let offClosed = (): void => {}
      const stop = (): void => {
        clearTimeout(timer)
        this.#look = undefined
        offClosed()
        signal.removeEventListener('abort', abort)
      }
      const fail = (error: unknown): void => {
        stop()
        reject(error)
      }
      const abort = (): void => fail(signal.reason)
      const settled = (found: T): void => {
        const { maxOutput } = this.#options
        const arrivals = this.#arrivals
        // Timers that have expired run before what came in meanwhile is read.
        setImmediate(() => {
          if (arrivals !== this.#arrivals || this.#look !== arrived || this.terminal.size > maxOutput) return
          stop()
          resolve(found)
        })
      }
      const arrived = (): void => {
        clearTimeout(timer)
        const { maxOutput, name } = this.#options
        if (this.terminal.size > maxOutput) {
          fail(new SshError('SSH_OUTPUT_LIMIT', `${name}: the device wrote more than ${maxOutput} bytes (maxOutput)`))
          return
        }
        const found = look()
        if (found !== undefined) timer = setTimeout(() => settled(found), settleMs)
      }
      this.#look = arrived
      signal.addEventListener('abort', abort, { once: true })
      offClosed = this.onClosed(fail)
      if (signal.aborted) abort()
    })
  }

  /** Closes the channel. Resolves when the device has closed it as well. */
  async close(): Promise<void> {
    this.#end(this.#loss('the CLI was closed on this side'))
    await closed(this.channel)
  }

  /** Closes the channel and does not wait for the device. */
  destroy(error: unknown): void {
    this.#end(error)
    hangUp(this.channel)
  }

  /** What to say: why the connection has ended, if it has. */
  #loss(what: string): unknown {
    return this.#options.lost()?.error ?? new SshError('CLI_CLOSED', `${this.#options.name}: ${what}`)
  }

  #end(error: unknown): void {
    if (this.#closed !== undefined) return
    this.#closed = { error }
    const ends = [...this.#ends]
    this.#ends.clear()
    for (const end of ends) end(error)
  }
}
