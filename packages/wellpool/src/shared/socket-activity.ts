import type { Socket } from 'node:net'
import { systemClock } from '../engine/clock.ts'

/** What even a slow line carries in the longest time that a round trip takes, bytes. */
const BYTES_IN_ROUND_TRIP = 16_384

/**
 * For how long a peer may be silent that is being sent so much: what has been written may still be on its way, in the
 * buffers of this side or of whatever stands between, and nothing here tells.
 *
 * @param limit longer than a round trip of something small takes, ms
 */
export const timeToAnswer = (sentBytes: number, limit: number): number => limit * (1 + sentBytes / BYTES_IN_ROUND_TRIP)

/** Knows since when a socket has been quiet in both directions. */
export class SocketActivity {
  readonly #socket: Socket
  #lastAt = systemClock.now()
  #writtenWhenHeard: number

  constructor(socket: Socket) {
    this.#socket = socket
    this.#writtenWhenHeard = socket.bytesWritten
    socket.on('data', () => {
      this.#writtenWhenHeard = socket.bytesWritten
      this.#note()
    })
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

  /** How much was sent since something was last heard, bytes. */
  get sentBytes(): number {
    return this.#socket.bytesWritten - this.#writtenWhenHeard
  }

  #note(): void {
    this.#lastAt = systemClock.now()
  }
}
