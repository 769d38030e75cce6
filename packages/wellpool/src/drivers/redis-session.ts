import type { Socket } from 'node:net'
import type { Watcher } from '../engine/driver.ts'
import type { SecondOpinion } from '../engine/reason.ts'
import { createPeerReader, type Flow, identifyPeer, type Peer, PeerInquiry } from './redis-opinion.ts'
import type { RedisOptions } from './redis-options.ts'
import { type RedisClientLike, RedisWire } from './redis-wire.ts'

/** What the sessions of one driver have in common. */
export interface SessionOptions<Client> {
  readonly database: number
  readonly onConnect: RedisOptions<Client>['onConnect']
  /** Whether the server is asked at the connect whose session it is. */
  readonly identified: boolean
}

/** What a session is made of. */
export interface SessionParts<Client> {
  /** One that has not been connected yet, and will not connect again. */
  readonly client: Client
  /** Begins to connect it, and returns the socket that this takes, if that can be seen. */
  readonly connect: () => { readonly done: Promise<unknown>; readonly socket: Socket | undefined }
  /** Closes the socket, also while it connects: node-redis itself does not. */
  readonly closeSocket: () => void
  /** Asks for the password again, before the client logs in again. */
  readonly askAgain: () => Promise<void>
}

/**
 * What is known of one client and its session beyond what node-redis tells: what a borrower has left behind, and
 * whether and why the connection was lost.
 */
export class RedisSession<Client extends RedisClientLike> implements Flow {
  readonly #parts: SessionParts<Client>
  readonly #options: SessionOptions<Client>
  readonly #wire: RedisWire<Client>
  readonly #peers = createPeerReader((...command) => this.#wire.send(...command))
  readonly #inquiry = new PeerInquiry(this)
  #peer: Peer | undefined
  #lost: { readonly error: unknown } | undefined
  #letGo = false
  #watcher: Watcher | undefined
  #probe: Promise<unknown> | undefined
  #closing: Promise<void> | undefined
  #endClosing = (): void => {}

  constructor(parts: SessionParts<Client>, options: SessionOptions<Client>) {
    this.#parts = parts
    this.#options = options
    this.#wire = new RedisWire(parts.client, options.database)
    this.client.on('error', (error) => this.#reportLost(error))
    this.client.on('end', () => this.#reportLost(new Error('Socket closed unexpectedly')))
  }

  /** What the application uses. */
  get client(): Client {
    return this.#parts.client
  }

  /** Connects, logs in, and sets the session up. */
  async open(signal: AbortSignal): Promise<void> {
    const { done, socket } = this.#parts.connect()
    this.#wire.observe(socket)
    await done
    // A server that reads its data takes log-ins already, and answers nothing else.
    const [peer] = await Promise.all([this.#options.identified ? this.#identify() : undefined, this.#wire.send('PING')])
    this.#peer = peer
    await this.#runOnConnect(signal)
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#lost !== undefined && !this.#letGo) watcher.lost(this.#lost.error)
  }

  /** One round trip to the server, also while it sends messages of channels. */
  async probe(): Promise<void> {
    // Of checks that were given up one is still in flight, and its answer is as good as another one's.
    this.#probe ??= this.#wire.send('PING').finally(() => {
      this.#probe = undefined
    })
    await this.#probe
  }

  get peer(): Peer | undefined {
    return this.#peer
  }

  get inFlight(): number {
    return this.#wire.inFlight
  }

  get sentBytes(): number {
    return this.#wire.sentBytes
  }

  get lastAt(): number {
    return this.#wire.lastAt
  }

  get bytesRead(): number | undefined {
    return this.#wire.bytesRead
  }

  get bytesReadThen(): number | undefined {
    return this.#wire.bytesReadThen
  }

  /** Whether the server could tell more of the commands in flight than is known here. */
  get mayAskAbout(): boolean {
    return this.#peer !== undefined && this.bytesRead !== undefined && this.inFlight > 0
  }

  /** What the server does for this session, asked over another one that nobody uses. */
  secondOpinion(other: RedisSession<Client>, limit: number): Promise<SecondOpinion> {
    return this.#inquiry.ask(other.#peers, other.#peer, limit)
  }

  /** Undoes what a borrower has left. Returns nothing when there is nothing to do. */
  reset(): Promise<void> | undefined {
    const { any, broken, waiting } = this.#wire.traces
    // The next borrower would wait behind it, and so would whatever is sent to end it.
    if (waiting > 0) throw new Error('a borrower has left a command that waits in the server for something to come')
    if (broken) throw new Error('a borrower has turned replies off: what follows could not be told apart')
    return any || this.client.isPubSubActive ? this.#startAnew() : undefined
  }

  ref(): void {
    this.client.ref()
  }

  unref(): void {
    this.client.unref()
  }

  /** Waits for what is in flight. Resolves when the socket is closed, or {@link destroy} has put an end to it. */
  async close(): Promise<void> {
    this.#letGo = true
    if (!this.client.isOpen) return this.#closing
    // An unreferenced socket would let the process end before the last reply is in.
    this.ref()
    this.#closing ??= new Promise((resolve, reject) => {
      this.#endClosing = resolve
      this.client.close().then(() => resolve(), reject)
    })
    await this.#closing
  }

  /** Closes the socket at once, whatever it is doing. What waits for a reply hears of it. */
  destroy(): void {
    this.#letGo = true
    try {
      this.client.destroy()
    } catch {
      // Of version 5: it is closed, or closing.
    }
    this.#parts.closeSocket()
    this.#endClosing()
  }

  async #identify(): Promise<Peer | undefined> {
    return identifyPeer((...command) => this.#wire.send(...command))
  }

  async #runOnConnect(signal: AbortSignal): Promise<void> {
    await this.#options.onConnect?.(this.client, { signal })
    this.#wire.traces.clear()
  }

  async #startAnew(): Promise<void> {
    const { databaseChanged, switches } = this.#wire.traces
    this.#wire.traces.clear()
    await this.#parts.askAgain()
    await this.#wire.reset()
    // node-redis itself goes back to the database that the borrower has chosen, and believes it to be the other.
    if (databaseChanged) await this.#wire.send('SELECT', String(this.#options.database))
    await Promise.all(switches.map((name) => this.#wire.send('CLIENT', name, 'OFF')))
    if (this.#wire.traces.any || this.client.isPubSubActive) {
      throw new Error('a borrower goes on using the session that it has given back')
    }
    // Nobody would abort it: what takes too long for the pool is destroyed.
    await this.#runOnConnect(new AbortController().signal)
  }

  #reportLost(error: unknown): void {
    if (this.#lost !== undefined || this.#letGo) return
    this.#lost = { error }
    this.#watcher?.lost(error)
  }
}
