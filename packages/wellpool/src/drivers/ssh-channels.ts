import { setTimeout as delay } from 'node:timers/promises'
import type ssh2 from 'ssh2'
import { SshError, type SshErrorCode } from './ssh-errors.ts'
import { askForChannel, leftIn } from './ssh-internals.ts'
import type { SshLink } from './ssh-link.ts'

type Opened = (error: Error | undefined, channel: ssh2.ClientChannel) => void

/** The terminal that a shell is told it has. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
}

/** For how long after a channel was closed a peer without room may be about to have some, ms. */
const FREEING_MS = 1000
const FIRST_PAUSE_MS = 5

/** The channels of one link: opens them, and closes what is left of them. */
export class SshChannels {
  readonly #link: SshLink
  /** What the peer has not answered yet. */
  readonly #opening = new Set<Promise<unknown>>()
  #lastClosedAt = Number.NEGATIVE_INFINITY

  constructor(link: SshLink) {
    this.#link = link
  }

  /**
   * A channel on which the peer runs this command.
   *
   * @param signal when it is aborted, the channel is closed as soon as it arrives
   * @throws SshError SSH_NO_SESSIONS, SSH_EXEC_REFUSED, SSH_CONNECTION_LOST
   */
  exec(command: string, signal: AbortSignal): Promise<ssh2.ClientChannel> {
    return this.#open('SSH_EXEC_REFUSED', 'runs no such command over an exec channel', signal, (opened) => {
      this.#link.client.exec(command, opened)
    })
  }

  /**
   * A channel with a terminal, on which the peer runs its shell.
   *
   * @param signal when it is aborted, the channel is closed as soon as it arrives
   * @throws SshError SSH_NO_SESSIONS, SSH_SHELL_REFUSED, SSH_CONNECTION_LOST
   */
  shell({ columns, rows }: Terminal, signal: AbortSignal): Promise<ssh2.ClientChannel> {
    return this.#open('SSH_SHELL_REFUSED', 'opens no shell', signal, (opened) => {
      this.#link.client.shell({ term: 'vt100', cols: columns, rows }, opened)
    })
  }

  /**
   * Closes all channels but one, whoever opened them. Returns nothing when there is none; otherwise it resolves when
   * the peer has closed them as well.
   */
  closeAllBut(kept: ssh2.ClientChannel | undefined): Promise<void> | undefined {
    const { open, opening, forwarding } = leftIn(this.#link.client)
    if (opening === 0 && !forwarding && open.every((channel) => channel === kept)) return undefined
    return this.#closeAllBut(kept)
  }

  async #closeAllBut(kept: ssh2.ClientChannel | undefined): Promise<void> {
    await this.#link.whileAlive(Promise.allSettled(this.#opening))
    const { open, opening, forwarding } = leftIn(this.#link.client)
    if (opening > 0) throw new Error('a channel that was asked for through the client of ssh2 has not been answered')
    if (forwarding) throw new Error('the peer forwards ports to the client of ssh2')
    await this.#link.whileAlive(Promise.all(open.filter((channel) => channel !== kept).map(closed)))
    this.#noteClosed()
  }

  async #open(refused: SshErrorCode, what: string, signal: AbortSignal, open: (opened: Opened) => void): Promise<ssh2.ClientChannel> {
    const begun = performance.now()
    for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
      signal.throwIfAborted()
      try {
        return await this.#tryToOpen(refused, what, signal, open)
      } catch (error) {
        const full = error instanceof SshError && error.code === 'SSH_NO_SESSIONS'
        // Servers that allow one channel, or few, free the place of one a moment after they have confirmed its closing.
        const freeing = performance.now() - this.#lastClosedAt < FREEING_MS && performance.now() - begun < FREEING_MS
        if (!full || !freeing) throw error
        await this.#link.whileAlive(delay(pause, undefined, { signal }))
      }
    }
  }

  async #tryToOpen(refused: SshErrorCode, what: string, signal: AbortSignal, open: (opened: Opened) => void): Promise<ssh2.ClientChannel> {
    const answer = new Promise<ssh2.ClientChannel>((resolve, reject) => {
      const answered: Opened = (error, channel) => {
        if (error !== undefined) {
          // A channel is not closed by the refusal of what was wanted on it, and the peer has few.
          if (asked.opened !== undefined) void closed(asked.opened).then(() => this.#noteClosed())
          reject(this.#refusal(error, refused, what))
          return
        }
        channel.once('close', () => this.#noteClosed())
        if (signal.aborted) closed(channel).then(() => reject(signal.reason), reject)
        else resolve(channel)
      }
      const asked = askForChannel(this.#link.client, () => open(answered))
    })
    this.#opening.add(answer)
    try {
      return await this.#link.whileAlive(answer)
    } catch (error) {
      // What ssh2 throws on a client that has ended says less than why it has.
      throw this.#link.lost?.error ?? error
    } finally {
      this.#opening.delete(answer)
    }
  }

  #noteClosed(): void {
    this.#lastClosedAt = performance.now()
  }

  #refusal(error: Error, refused: SshErrorCode, what: string): SshError {
    const { name } = this.#link
    const full = /^\(SSH\) Channel open failure: (.*)/.exec(error.message)
    if (full === null) return new SshError(refused, `${name} ${what}: ${error.message}`, error)
    return new SshError('SSH_NO_SESSIONS', `${name} opens no further channel, as one that has no session left: ${full[1]}`, error)
  }
}

/** Closes a channel, and resolves when the peer has closed it as well. What still arrives on it is thrown away. */
export function closed(channel: ssh2.Channel): Promise<void> {
  return new Promise((resolve) => {
    channel.once('close', () => resolve())
    // A channel whose end nobody reads does not end.
    channel.resume?.()
    if (channel.stderr !== undefined && 'resume' in channel.stderr) channel.stderr.resume()
    hangUp(channel)
  })
}

/** Closes this side of a channel. */
export function hangUp(channel: ssh2.Channel): void {
  try {
    channel.destroy()
  } catch {
    // The connection is gone, and the channel with it.
  }
}
