import type { ServerChannel } from 'ssh2'

/** How a device writes. */
export interface OutputOptions {
  /** The most characters that go into one packet. */
  readonly packetSize: number
  /** How long it waits before each packet but the first, ms. */
  readonly delayMs: number
}

/** What a device writes to one channel, in packets and in order. */
export class DeviceOutput {
  readonly #channel: ServerChannel
  readonly #options: () => OutputOptions
  #queue = ''
  #flowing = false
  #held = false
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  #drained: (() => void)[] = []

  constructor(channel: ServerChannel, options: () => OutputOptions) {
    this.#channel = channel
    this.#options = options
  }

  write(text: string): void {
    this.#queue += text
    this.#flow()
  }

  /** Calls back when all that was written is on its way. */
  whenDrained(callback: () => void): void {
    if (this.#queue === '') callback()
    else this.#drained.push(callback)
  }

  /** While it is held, nothing goes out. */
  hold(held: boolean): void {
    this.#held = held
    this.#flow()
  }

  stop(): void {
    this.#queue = ''
    this.#drained = []
    clearTimeout(this.#timer as NodeJS.Timeout)
    clearImmediate(this.#timer as NodeJS.Immediate)
  }

  #flow(): void {
    if (this.#flowing || this.#held || this.#queue === '') return
    this.#flowing = true
    const { packetSize, delayMs } = this.#options()
    this.#channel.write(this.#queue.slice(0, packetSize))
    this.#queue = this.#queue.slice(packetSize)
    const next = (): void => {
      this.#flowing = false
      this.#flow()
      if (this.#queue !== '') return
      for (const drained of this.#drained.splice(0)) drained()
    }
    // Packets of one turn would arrive as one.
    this.#timer = delayMs > 0 ? setTimeout(next, delayMs) : setImmediate(next)
  }
}
