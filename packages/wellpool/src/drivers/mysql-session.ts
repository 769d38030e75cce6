import type mysql from 'mysql2'
import type { Connection } from 'mysql2/promise'
import type { Watcher } from '../engine/driver.ts'
import type { SecondOpinion } from '../engine/reason.ts'
import { SocketActivity } from '../shared/socket-activity.ts'
import { askForIdentity, askForSettings, type Greeting, setUpStatement, TRACKING_STATEMENT } from './mysql-greeting.ts'
import { askAboutThread, createThreadReader, type Flow, type Thread } from './mysql-opinion.ts'
import type { MysqlOptions } from './mysql-options.ts'
import type { MysqlOk } from './mysql-traces.ts'
import { MysqlWire } from './mysql-wire.ts'

/** What the sessions of one driver have in common. */
export interface SessionOptions {
  readonly database: string | undefined
  readonly onConnect: MysqlOptions['onConnect']
  readonly resetAlways: boolean
  /** Whether the server is asked at the connect which thread serves the session. */
  readonly identified: boolean
  /** Asks for the password, for a session that logs in again. */
  readonly askPassword: (signal: AbortSignal) => Promise<string | undefined>
}

/** The server's number for "unknown system variable": it is old, or one that only speaks the protocol. */
const UNKNOWN_VARIABLE = 1193
/** A distributed transaction (XA) does not take this statement: it ends with its own, or with the session. */
const WITHIN_XA = 1399

/**
 * What is known of one client and its session beyond what mysql2 tells: what a borrower has left behind, and whether
 * and why the connection was lost.
 */
export class MysqlSession implements Flow {
  /** What the application uses. */
  readonly client: Connection
  readonly #wire: MysqlWire
  readonly #options: SessionOptions
  /** Aborted by {@link destroy}. */
  readonly #life = new AbortController()
  #greeting: Greeting | undefined
  readonly #threads = createThreadReader(
    (sql) => this.#wire.query(sql),
    () => this.#wire.isMariadb,
  )
  #activity: SocketActivity | undefined
  #lost: { readonly error: unknown } | undefined
  #letGo = false
  #watcher: Watcher | undefined
  #probe: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /** @param connection one that has begun to connect. */
  constructor(connection: mysql.Connection, options: SessionOptions) {
    this.#wire = new MysqlWire(connection, () => options.askPassword(this.#life.signal))
    this.#options = options
    this.client = connection.promise()
    connection.on('error', (error) => this.#reportLost(error))
    connection.on('end', () => this.#reportLost(undefined))
    // With a statement in flight mysql2 gives its error to that alone.
    this.#wire.socket.on('close', () => this.#reportLost(undefined))
  }

  /** Waits until it is logged in, and sets the session up. */
  async open(signal: AbortSignal): Promise<void> {
    await this.#wire.ask<unknown>((done) => this.#wire.connection.connect(done))
    await this.#greet()
    await this.#track()
    await this.#runOnConnect(signal)
  }

  watch(watcher: Watcher): void {
    this.#watcher = watcher
    if (this.#lost !== undefined && !this.#letGo) watcher.lost(this.#lost.error)
  }

  /** One round trip to the session's thread. It has no effect on the session, whatever condition that is in. */
  async probe(): Promise<void> {
    // Of checks that were given up one is still in flight, and its answer is as good as another one's.
    this.#probe ??= this.#wire
      .ask<void>((done) => this.#wire.connection.ping(done))
      .finally(() => {
        this.#probe = undefined
      })
    await this.#probe
  }

  /** Undefined also when a borrower has changed the user: others do not see that one's threads. */
  get thread(): Thread | undefined {
    return this.#wire.userChanged ? undefined : this.#greeting?.thread
  }

  get hasRequestInFlight(): boolean {
    return this.#wire.isBusy
  }

  get quietFor(): number {
    return this.#activity?.quietFor ?? 0
  }

  get sentBytes(): number {
    return this.#activity?.sentBytes ?? 0
  }

  /** Whether the server could tell more of the request in flight than is known here. */
  get mayAskAbout(): boolean {
    return this.thread !== undefined && this.hasRequestInFlight
  }

  /** What the server does for this session, asked over another one that nobody uses. */
  secondOpinion(other: MysqlSession, limit: number): Promise<SecondOpinion> {
    return askAboutThread(this, other.#threads, other.thread, limit)
  }

  /** Undoes what a borrower has left. Returns nothing when there is nothing to do. */
  reset(): Promise<void> | undefined {
    const { changed, inTransaction, untouched } = this.#wire.traces
    if (changed || (this.#options.resetAlways && !untouched)) return this.#startAnew()
    return inTransaction || this.#wire.isBusy ? this.#rollBack() : undefined
  }

  ref(): void {
    this.#wire.stream.ref()
  }

  unref(): void {
    this.#wire.stream.unref()
  }

  /** Says goodbye. Resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#letGo = true
    // An unreferenced socket would let the process end before the goodbye is out.
    this.ref()
    this.#closing ??= new Promise((resolve) => {
      const { connection, socket } = this.#wire
      if (socket.closed) resolve()
      else socket.once('close', () => resolve())
      this.#wire.quietly(() => connection.end())
    })
    await this.#closing
  }

  /** Closes the socket at once, whatever it is doing. What waits for an answer hears of it. */
  destroy(): void {
    this.#letGo = true
    this.#life.abort()
    this.#wire.stream.destroy()
    this.#wire.socket.destroy()
  }

  async #greet(): Promise<void> {
    const ask = <Row>(sql: string): Promise<Row[]> => this.#wire.query(sql)
    if (!this.#options.identified) {
      this.#greeting = await askForSettings(ask)
      return
    }
    const { connection, stream, isMariadb } = this.#wire
    this.#activity = new SocketActivity(stream)
    this.#greeting = await askForIdentity(ask, { threadId: connection.threadId, isMariadb })
  }

  async #track(): Promise<void> {
    try {
      this.#wire.traces.learn(await this.#wire.query<MysqlOk>(TRACKING_STATEMENT))
    } catch (error) {
      if (numberOf(error) !== UNKNOWN_VARIABLE) throw error
      this.#wire.traces.expectNoReports()
    }
  }

  async #runOnConnect(signal: AbortSignal): Promise<void> {
    await this.#options.onConnect?.(this.client, { signal })
    this.#wire.traces.clear()
  }

  async #rollBack(): Promise<void> {
    this.#wire.traces.clear()
    try {
      await this.#wire.query('ROLLBACK')
    } catch (error) {
      if (numberOf(error) !== WITHIN_XA) throw error
      return this.#startAnew()
    }
    // Statements that were still in flight have been answered since.
    if (this.#wire.traces.changed) return this.#startAnew()
    this.#assertUnused()
    this.#wire.traces.clear()
  }

  async #startAnew(): Promise<void> {
    const wire = this.#wire
    if (wire.userChanged) throw new Error('a borrower has changed the user of the session')
    wire.traces.clear()
    await wire.resetSession()
    const { database } = this.#options
    // There is no statement by which to have no database again.
    if (database === undefined && (await this.#currentDatabase()) !== null) await wire.logInAgain()
    const settings = this.#greeting?.settings
    if (settings !== undefined) await wire.query(setUpStatement(settings, wire.traces.reported))
    if (database !== undefined) await wire.query(`USE ${wire.connection.escapeId(database)}`)
    this.#assertUnused()
    // Nobody would abort it: what takes too long for the pool is destroyed.
    await this.#runOnConnect(new AbortController().signal)
  }

  async #currentDatabase(): Promise<unknown> {
    const [row] = await this.#wire.query<{ name: unknown }[]>('SELECT DATABASE() AS name')
    return row?.name
  }

  /** The borrower may have gone on, between and behind what was sent to tidy up. */
  #assertUnused(): void {
    if (this.#wire.isBusy || !this.#wire.traces.untouched) throw new Error('a borrower goes on using the session that it has given back')
  }

  #reportLost(error: unknown): void {
    if (this.#lost !== undefined || this.#letGo) return
    this.#lost = { error: error ?? this.#wire.failure ?? new Error('Connection lost: The server closed the connection.') }
    this.#watcher?.lost(this.#lost.error)
  }
}

function numberOf(error: unknown): unknown {
  return (error as { errno?: unknown }).errno
}
