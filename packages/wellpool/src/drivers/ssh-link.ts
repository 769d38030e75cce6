import ssh2 from 'ssh2'
import { abortable } from '../shared/abortable.ts'
import type { Secrets } from '../shared/secrets.ts'
import { toSsh2Algorithms } from './ssh-algorithms.ts'
import { SshLogin } from './ssh-auth.ts'
import { SshError } from './ssh-errors.ts'
import { onRefusal } from './ssh-internals.ts'
import { type ClientError, connectFailure, lossInUse } from './ssh-loss.ts'
import type { SshHop } from './ssh-options.ts'
import { JumpWay, LeasedWay, SocketWay, type Way } from './ssh-way.ts'

/** What happens so soon after another thing is taken to follow from it. */
const SOON_MS = 1000
/** How much of a banner is kept for errors, characters. */
const MAX_SAID = 500

/**
 * One SSH connection: a client of ssh2 that is logged in, and the way beneath it. It ends as one; nothing is left on
 * any host of the way.
 */
export class SshLink {
  readonly client = new ssh2.Client()
  readonly hop: SshHop
  readonly #way: Way
  readonly #watchers = new Set<(error: unknown) => void>()
  readonly #closed: Promise<void>
  #login: SshLogin | undefined
  #trustedKey: Buffer | undefined
  #ready = false
  #lost: { readonly error: unknown } | undefined
  #gone = false
  #said = ''
  #bytesRead = 0
  #lastChannelClosedAt = Number.NEGATIVE_INFINITY

  private constructor(hop: SshHop, way: Way) {
    this.hop = hop
    this.#way = way
    // An agent that does not work ends nothing: the next way to log in follows.
    this.client.on('error', (error: ClientError) => {
      if (error.level !== 'agent') this.#end(this.#reasonOf(error))
    })
    this.#closed = new Promise((resolve) => {
      this.client.on('close', () => {
        this.#gone = true
        this.#end(this.#reasonOf(new Error(`the peer closed the connection${this.#hint}`)))
        resolve()
      })
    })
    const hear = (text: string): void => {
      this.#said = (this.#said + text).slice(-MAX_SAID)
    }
    this.client.on('greeting', hear).on('banner', hear)
    way.onLost((cause) => {
      const message = `${this.name}: the way there broke: ${cause instanceof Error ? cause.message : 'lost'}`
      this.#end(new SshError('SSH_CONNECTION_LOST', message, cause))
    })
  }

  /**
   * Connects and logs in, over all jump hosts. When it rejects, nothing is left of it, on no host.
   *
   * @param secrets remembers the passwords that are asked for
   */
  static async open(hop: SshHop, secrets: Secrets, signal: AbortSignal): Promise<SshLink> {
    signal.throwIfAborted()
    const link = new SshLink(hop, await wayTo(hop, secrets, signal))
    try {
      await abortable(link.whileAlive(link.#connect(secrets, signal)), signal)
      return link
    } catch (error) {
      link.destroy()
      throw error
    }
  }

  /** `host:port`, as it stands in front of messages. */
  get name(): string {
    return `${this.hop.host}:${this.hop.port}`
  }

  /** Why it is of no more use; undefined while it is. */
  get lost(): { readonly error: unknown } | undefined {
    return this.#lost
  }

  /** How many bytes have come in so far. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** What the peer said before and during the log-in, the last of it. */
  get said(): string {
    return this.#said
  }

  /**
   * Calls back once, when the link is lost or destroyed; at once if it is.
   *
   * @returns takes the listener off
   */
  onLost(listener: (error: unknown) => void): () => void {
    if (this.#lost === undefined) this.#watchers.add(listener)
    else listener(this.#lost.error)
    return () => {
      this.#watchers.delete(listener)
    }
  }

  /** The promise, or a rejection with why the link was lost if that comes first. */
  async whileAlive<T>(promise: Promise<T>): Promise<T> {
    let stop = (): void => {}
    const lost = new Promise<never>((_, reject) => {
      stop = this.onLost(reject)
    })
    try {
      return await Promise.race([promise, lost])
    } finally {
      stop()
    }
  }

  /** Its only channel has been closed: some devices end the connection with it. */
  noteLastChannel(): void {
    this.#lastChannelClosedAt = performance.now()
  }

  ref(): void {
    this.#way.ref()
  }

  unref(): void {
    this.#way.unref()
  }

  /** Says goodbye, here and then on the hosts of the way. Resolves when all sockets are closed. */
  async close(): Promise<void> {
    this.#end(this.#closedHere())
    // An unreferenced socket would let the process end before the goodbye is out.
    this.ref()
    if (!this.#gone) {
      this.client.end()
      await this.#closed
    }
    await this.#way.close()
  }

  /** Closes all sockets at once. */
  destroy(error: unknown = this.#closedHere()): void {
    this.#end(error)
    this.#way.destroy()
  }

  async #connect(secrets: Secrets, signal: AbortSignal): Promise<void> {
    const { hop, client } = this
    const knownTypes = await hop.hostKeys.prepare()
    // Given up in the meantime: a socket that is made now would be nobody's.
    if (this.#lost !== undefined) return
    // A socket is handed to ssh2 in the turn in which it is made: its first error may come in the next.
    const opened = this.#way.open(hop.host, hop.port)
    const sock = opened instanceof Promise ? await opened : opened
    if (this.#lost !== undefined) return
    const login = new SshLogin(hop, secrets, signal, (error) => this.destroy(error))
    this.#login = login
    const ready = new Promise<void>((resolve) => client.once('ready', resolve))
    client.on('change password', () => login.refuse('it wants the password changed'))
    const algorithms = toSsh2Algorithms(hop.options.algorithms, knownTypes)
    client.connect({
      sock,
      username: hop.options.username,
      ...(algorithms === undefined ? {} : { algorithms }),
      hostVerifier: (key: Buffer, verify: (trusted: boolean) => void) => this.#trusts(key, verify),
      authHandler: (offered, partly, next) => {
        login.next(offered, partly, (method) => this.#whenPresent(() => next(method)))
      },
      // The pool's signal bounds the connect, and the driver looks after the connection itself.
      readyTimeout: 0,
      keepaliveInterval: 0,
    })
    onRefusal(client, (offered, partly) => login.hear(offered, partly))
    // ssh2 has paused it until it listens itself.
    sock.on('data', (data: Buffer) => {
      this.#bytesRead += data.length
    })
    await ready
    this.#ready = true
  }

  /**
   * Whether the peer's key may be trusted: told at once, or later to `verify`. When keys are exchanged anew the answer
   * has to be there at once: ssh2 loses step with the peer otherwise.
   */
  #trusts(key: Buffer, verify: (trusted: boolean) => void): boolean | undefined {
    if (this.#trustedKey !== undefined) return this.#trustedKey.equals(key)
    try {
      const judged = this.hop.hostKeys.check(key)
      if (judged === undefined) {
        this.#trustedKey = key
        return true
      }
      judged.then(
        () => {
          this.#trustedKey = key
          this.#whenPresent(() => verify(true))
        },
        (error: unknown) => this.destroy(error),
      )
      return undefined
    } catch (error) {
      this.destroy(error)
      return false
    }
  }

  /** What is asked outside may be answered when the connection has ended, and ssh2 can't bear it then. */
  #whenPresent(tell: () => void): void {
    if (this.#lost !== undefined) return
    try {
      tell()
    } catch (error) {
      this.destroy(error)
    }
  }

  #reasonOf(error: ClientError): Error {
    if (this.#ready) return lossInUse(error, this.name)
    return connectFailure(error, { name: this.name, said: this.#said, login: this.#login })
  }

  get #hint(): string {
    const soon = performance.now() - this.#lastChannelClosedAt < SOON_MS
    return soon ? ' after its only channel had ended; for devices that do so there is the option cli' : ''
  }

  #closedHere(): SshError {
    return new SshError('SSH_CONNECTION_LOST', `${this.name}: the connection was closed on this side`)
  }

  #end(error: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = { error }
    const watchers = [...this.#watchers]
    this.#watchers.clear()
    for (const watcher of watchers) watcher(error)
  }
}

async function wayTo({ jump, options }: SshHop, secrets: Secrets, signal: AbortSignal): Promise<Way> {
  if (jump === undefined) return new SocketWay(options.localAddress)
  if ('acquire' in jump) return new LeasedWay(await jump.acquire({ signal }))
  return new JumpWay(await SshLink.open(jump, secrets, signal))
}
