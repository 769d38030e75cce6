import type { Socket } from 'node:net'
import { systemClock } from '../engine/clock.ts'

/** Knows since when a socket has been quiet in both directions. */
export class SocketActivity {
  readonly #socket: Socket
  #lastAt = systemClock.now()

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', () => this.#note())
    // Nothing tells of what is written. A counter would, but not when.
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
    const noted = (...args: unknown[]): boolean => {
      this.#note()
      return write(...args)
    }
    socket.write = noted as Socket['write']
  }

  /** How long ago something was last sent or heard, ms; 0 while what has arrived is not being read. */
  get quietFor(): number {
    return this.#socket.isPaused() ? 0 : systemClock.now() - this.#lastAt
  }

  #note(): void {
    this.#lastAt = systemClock.now()
  }
}
