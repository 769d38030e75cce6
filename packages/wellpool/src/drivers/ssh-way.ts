import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type ssh2 from 'ssh2'
import { SshError } from './ssh-errors.ts'
import { type AskedChannel, askForChannel } from './ssh-internals.ts'

/** What lies beneath an SSH connection: a socket, a jump host of its own, or one that several share. */
export interface Way {
  /** A stream to the host, which is connected or about to be. Called once. */
  open(host: string, port: number): Duplex | Promise<Duplex>
  /** Calls back when the way breaks. */
  onLost(listener: (error: unknown) => void): void
  ref(): void
  unref(): void
  /** Leaves it behind, once the stream has ended. */
  close(): Promise<void>
  /** Leaves it behind at once. */
  destroy(): void
}

/** TCP finds out by itself that a peer is gone, where nothing else asks. */
const TCP_KEEPALIVE_MS = 30_000

/** Straight to the host. */
export class SocketWay implements Way {
  readonly #localAddress: string | undefined
  #socket: Socket | undefined

  constructor(localAddress: string | undefined) {
    this.#localAddress = localAddress
  }

  open(host: string, port: number): Socket {
    const local = this.#localAddress === undefined ? {} : { localAddress: this.#localAddress }
    this.#socket = connect({ host, port, ...local, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS })
    return this.#socket
  }

  /** ssh2 reports what becomes of the socket. */
  onLost(): void {}

  ref(): void {
    this.#socket?.ref()
  }

  unref(): void {
    this.#socket?.unref()
  }

  async close(): Promise<void> {}

  destroy(): void {
    this.#socket?.destroy()
  }
}

/** As much of an SSH connection as a way over it needs. */
export interface JumpLink {
  readonly name: string
  readonly client: ssh2.Client
  onLost(listener: (error: unknown) => void): () => void
  ref(): void
  unref(): void
  close(): Promise<void>
  destroy(): void
}

/** Over a jump host that nobody else uses: it is left for good with the way. */
export class JumpWay implements Way {
  readonly #link: JumpLink

  constructor(link: JumpLink) {
    this.#link = link
  }

  open(host: string, port: number): Promise<Duplex> {
    return forward(this.#link.client, this.#link.name, host, port).stream
  }

  onLost(listener: (error: unknown) => void): void {
    this.#link.onLost(listener)
  }

  ref(): void {
    this.#link.ref()
  }

  unref(): void {
    this.#link.unref()
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  destroy(): void {
    this.#link.destroy()
  }
}

/** A pool of sessions with a jump host, as far as a way needs it. */
export interface JumpPool {
  acquire(options: { readonly signal: AbortSignal }): Promise<JumpLease>
}

/** A lease of such a pool. */
export interface JumpLease {
  readonly client: { readonly client: ssh2.Client }
  release(): void
}

/** Over a session of a pool, which others may share: its lease lasts as long as the way. */
export class LeasedWay implements Way {
  readonly #lease: JumpLease
  #disown = (): void => {}
  #stream: Duplex | undefined
  #left = false

  constructor(lease: JumpLease) {
    this.#lease = lease
  }

  async open(host: string, port: number): Promise<Duplex> {
    const forwarding = forward(this.#lease.client.client, 'the jump host', host, port)
    this.#disown = forwarding.disown
    const stream = await forwarding.stream
    if (this.#left) drop(stream)
    this.#stream = stream
    return stream
  }

  /** A session that ends takes its channels with it, and ssh2 reports that. */
  onLost(): void {}

  /** What holds the process is the pool's affair. */
  ref(): void {}

  unref(): void {}

  async close(): Promise<void> {
    this.#leave()
  }

  destroy(): void {
    if (this.#stream !== undefined) drop(this.#stream)
    this.#leave()
  }

  #leave(): void {
    if (this.#left) return
    this.#left = true
    // A host that answers nothing keeps the jump host busy for minutes: the session is not given up for it.
    this.#disown()
    this.#lease.release()
  }
}

/** A channel of a jump host that leads to another host. Who disowns it drops the stream when it comes all the same. */
function forward(client: ssh2.Client, name: string, host: string, port: number): { readonly stream: Promise<Duplex>; disown(): void } {
  let asked: AskedChannel | undefined
  const stream = new Promise<Duplex>((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(new SshError('SSH_JUMP', `${name} does not get through to ${host}:${port}: ${error.message}`, error))
    const answered: ssh2.ClientCallback = (error, channel) => {
      if (error !== undefined) {
        fail(error)
        return
      }
      // A jump host passes on that the other side has ended, and waits for the end of this one: OpenSSH does. A socket ends by itself.
      channel.once('end', () => drop(channel))
      resolve(channel)
    }
    try {
      asked = askForChannel(client, () => client.forwardOut('127.0.0.1', 0, host, port, answered))
    } catch (error) {
      fail(error as Error)
    }
  })
  return { stream, disown: () => asked?.disown() }
}

function drop(stream: Duplex): void {
  try {
    stream.destroy()
  } catch {
    // The jump host's session is gone, and its channels with it.
  }
}
