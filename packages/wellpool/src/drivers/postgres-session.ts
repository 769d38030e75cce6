import type { Socket } from 'node:net'
import type pg from 'pg'
import type { Watcher } from '../engine/driver.ts'
import type { SecondOpinion } from '../engine/reason.ts'
import { SocketActivity } from '../shared/socket-activity.ts'
import { endsSession } from './postgres-errors.ts'
import { type ActivityReader, askAbout, type Backend, createActivityReader, type Flow, identify } from './postgres-opinion.ts'
import type { PostgresOptions } from './postgres-options.ts'

/** What pg's client has inside, in all of its versions 8. */
interface ClientInternals {
  readonly connection: {
    readonly stream: Socket
    /** The named statements that the client believes the server to know, by name. */
    readonly parsedStatements: Record<string, unknown>
    on(event: 'readyForQuery', listener: (message: { status: string }) => void): void
    on(event: 'commandComplete', listener: (message: { text: string }) => void): void
    on(event: 'parameterStatus', listener: (setting: { parameterName: string; parameterValue: string }) => void): void
    on(event: 'errorMessage', listener: (error: Error) => void): void
    on(event: 'notice', listener: (notice: { message: string; code?: string; severity?: string }) => void): void
  }
  /** `query_timeout`: the longest that the client waits for an answer, ms. It is read when a query is sent. */
  readonly connectionParameters: { query_timeout?: unknown }
  /** Whether the server has answered everything and no query waits. */
  readonly readyForQuery?: boolean
  /** The server's process, as named at log-in. */
  readonly processID?: number
}

/** From version 14 on the server tells a session when its value changes: with the answer to whatever is asked next. */
const READ_ONLY = 'default_transaction_read_only'

/** What the sessions of one driver have in common. */
export interface SessionOptions {
  readonly onConnect: PostgresOptions['onConnect']
  readonly discardAll: boolean
  /** Whether the server is asked at the connect which process serves the session. */
  readonly identified: boolean
}

/**
 * What is known of one client and its session beyond what pg tells: whether a transaction is open, what a borrower
 * has left behind, and whether and why the connection was lost.
 */
export class PostgresSession implements Flow {
  readonly #client: pg.Client
  readonly #internals: ClientInternals
  readonly #options: SessionOptions
  /** `I`: idle; `T`: in a transaction; `E`: in one that has failed. As the server said last. */
  #status = 'I'
  #listening = false
  /** Whether what is in flight changes settings itself. */
  #setting = false
  /** Whether a borrower has decided whether its transactions are read-only. */
  #ownReadOnly = false
  #setUpListens = false
  #untouched = true
  #lost: { readonly error: unknown } | undefined
  #lastWords: Error | undefined
  #letGo = false
  #watcher: Watcher | undefined
  #probe: Promise<unknown> | undefined
  #closing: Promise<void> | undefined
  #backend: Backend | undefined
  readonly #activities: ActivityReader
  #activity: SocketActivity | undefined

  /** @param client one that has not been connected yet. */
  constructor(client: pg.Client, options: SessionOptions) {
    this.#client = client
    this.#options = options
    this.#activities = createActivityReader(client)
    this.#internals = client as unknown as ClientInternals
    const { connection } = this.#internals
    connection.on('readyForQuery', ({ status }) => {
      this.#status = status
      this.#untouched = false
      this.#setting = false
    })
    connection.on('commandComplete', ({ text }) => {
      if (text === 'LISTEN') this.#listening = true
      if (text === 'SET') this.#setting = true
    })
    connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName !== READ_ONLY) return
      // Where a borrower has set it, also what comes later may be its own doing: the end of a transaction, a reset.
      if (this.#setting) this.#ownReadOnly = true
      else if (parameterValue === 'on' && !this.#ownReadOnly) this.#watcher?.retire(`the server has become read-only (${READ_ONLY})`)
    })
    // The server's last words come before the end of the socket, and they say more. With a query in flight pg
    // gives them to the query alone.
    connection.on('errorMessage', (error) => {
      if (endsSession(error)) this.#reportLost(error)
    })
    // A crash and an immediate shutdown are announced by a warning; the socket closes without an error.
    connection.on('notice', ({ message, code, severity }) => {
      if (endsSession({ code })) this.#lastWords = Object.assign(new Error(message), { code, severity })
    })
    client.on('error', (error) => this.#reportLost(this.#lastWords ?? error))
    client.on('end', () => this.#reportLost(this.#lastWords ?? new Error('Connection terminated unexpectedly')))
  }

  /** Connects, logs in, and sets the session up. */
  async open(signal: AbortSignal): Promise<void> {
    // With callbacks, here and at the end: a class of the application's that extends pg's may know no other way.
    await promised((done) => this.#client.connect(done))
    if (this.#options.identified) {
      this.#activity = new SocketActivity(this.#internals.connection.stream)
      this.#backend = await identify(this.#client, this.#internals.processID)
    }
    await this.#setUp(signal)
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#lost !== undefined && !this.#letGo) watcher.lost(this.#lost.error)
  }

  /** One round trip to the server's process. It has no effect on the session, whatever condition that is in. */
  async probe(): Promise<void> {
    // Of checks that were given up one is still in flight, and its answer is as good as another one's.
    if (this.#probe === undefined) {
      const untouched = this.#untouched
      this.#probe = this.#ask('').finally(() => {
        this.#probe = undefined
        this.#untouched = untouched
      })
    }
    await this.#probe
  }

  get backend(): Backend | undefined {
    return this.#backend
  }

  get hasRequestInFlight(): boolean {
    return this.#internals.readyForQuery !== true
  }

  get quietFor(): number {
    return this.#activity?.quietFor ?? 0
  }

  get sentBytes(): number {
    return this.#activity?.sentBytes ?? 0
  }

  /** Whether the server could tell more of the request in flight than is known here. */
  get mayAskAbout(): boolean {
    return this.#backend !== undefined && this.hasRequestInFlight
  }

  /** What the server does for this session, asked over another one that nobody uses. */
  secondOpinion(other: PostgresSession, limit: number): Promise<SecondOpinion> {
    return askAbout(this, other.#activities, other.#backend, limit)
  }

  /** Undoes what a borrower has left. Returns nothing when there is nothing to do. */
  reset(): Promise<void> | undefined {
    if (this.#options.discardAll) return this.#unfinished || !this.#untouched ? this.#startAnew() : undefined
    return this.#unfinished || this.#overheard ? this.#tidyUp() : undefined
  }

  ref(): void {
    this.#internals.connection.stream.ref()
  }

  unref(): void {
    this.#internals.connection.stream.unref()
  }

  /** Says goodbye. Resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#letGo = true
    // An unreferenced socket would let the process end before the goodbye is out.
    this.ref()
    this.#closing ??= promised((done) => this.#client.end(done))
    await this.#closing
  }

  /** Closes the socket at once, whatever it is doing. */
  destroy(): void {
    this.#letGo = true
    this.#internals.connection.stream.destroy()
  }

  async #setUp(signal: AbortSignal): Promise<void> {
    await this.#options.onConnect?.(this.#client, { signal })
    this.#setUpListens = this.#listening
    this.#untouched = true
  }

  async #tidyUp(): Promise<void> {
    if (this.#unfinished) await this.#rollBack()
    if (!this.#overheard) return
    await this.#ask('UNLISTEN *')
    this.#listening = false
  }

  async #startAnew(): Promise<void> {
    if (this.#unfinished) await this.#rollBack()
    await this.#ask('DISCARD ALL')
    this.#listening = false
    this.#ownReadOnly = false
    // pg would go on using statements that the server has forgotten.
    const { parsedStatements } = this.#internals.connection
    for (const name of Object.keys(parsedStatements)) delete parsedStatements[name]
    // Nobody would abort it: what takes too long for the pool is destroyed.
    await this.#setUp(new AbortController().signal)
  }

  async #rollBack(): Promise<void> {
    await this.#ask('ROLLBACK')
    // The borrower may have sent more, behind our ROLLBACK.
    if (this.#unfinished) throw new Error(`after ROLLBACK the session is still busy or in a transaction (status ${this.#status})`)
  }

  /**
   * The client's own limit does not hold for it: it would make an answer of the server's silence, and end the wait for
   * what a borrower has left running. The pool has limits, and knows what silence means.
   */
  #ask(text: string): Promise<unknown> {
    const { connectionParameters } = this.#internals
    const limit = connectionParameters.query_timeout
    connectionParameters.query_timeout = 0
    try {
      return this.#client.query(text)
    } finally {
      connectionParameters.query_timeout = limit
    }
  }

  /** Whether something is in flight, or a transaction is open. */
  get #unfinished(): boolean {
    return this.#status !== 'I' || this.hasRequestInFlight
  }

  /** Whether the server sends notifications that the set-up of the session did not ask for. */
  get #overheard(): boolean {
    return this.#listening && !this.#setUpListens
  }

  #reportLost(error: unknown): void {
    if (this.#lost !== undefined || this.#letGo) return
    this.#lost = { error }
    this.#watcher?.lost(error)
  }
}

const promised = (begin: (done: (error?: Error | null) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    begin((error) => (error ? reject(error) : resolve()))
  })
