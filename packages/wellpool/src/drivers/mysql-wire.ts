import type { Socket } from 'node:net'
import type mysql from 'mysql2'
import { type MysqlCommand, MysqlTraces } from './mysql-traces.ts'

/** What mysql2's connection has inside, in all of its versions 3. */
interface ConnectionInternals {
  stream: Socket
  /** The command that the server is at work on. */
  readonly _command?: unknown
  /** Why mysql2 has given the connection up. */
  readonly _fatalError?: Error | null
  readonly _protocolError?: Error | null
  /** The server's greeting. */
  readonly _handshakePacket?: { readonly serverVersion?: string } | null
  addCommand(command: MysqlCommand): unknown
  changeUser: ChangeUser
  /** Since version 3.22. */
  reset?: Reset
}

/** Of the values as they are: mysql2 puts the options' own function into the place of anything that is none. */
const asIs = (_field: unknown, next: () => unknown): unknown => next()

type ChangeUser = (this: unknown, options: object, done?: Callback<unknown>) => unknown

type Reset = (this: unknown, done?: Callback<unknown>) => unknown

type Callback<T> = (error: Error | null, result?: T) => void

/** The server's number for "unknown command". */
const UNKNOWN_COMMAND = 1047

/**
 * One connection of mysql2, all of whose commands are overheard, however they are sent: for the traces that a
 * borrower's leave. The driver's own leave none.
 */
export class MysqlWire {
  readonly connection: mysql.Connection
  /** What is below everything else; with TLS, {@link stream} is another one on top of it. */
  readonly socket: Socket
  readonly traces: MysqlTraces
  readonly #internals: ConnectionInternals
  readonly #askPassword: () => Promise<string | undefined>
  readonly #changeUser: ChangeUser
  /** Undefined where mysql2 or the server has no such command. */
  #reset: Reset | undefined
  #userChanged = false
  #quiet = false

  /** @param askPassword for the password of a log-in later than the first */
  constructor(connection: mysql.Connection, askPassword: () => Promise<string | undefined>) {
    this.connection = connection
    this.traces = new MysqlTraces(connection.config.multipleStatements)
    this.#askPassword = askPassword
    this.#internals = connection as unknown as ConnectionInternals
    this.socket = this.#internals.stream
    this.#changeUser = this.#internals.changeUser
    this.#reset = this.#internals.reset
    this.#overhear()
  }

  get stream(): Socket {
    return this.#internals.stream
  }

  /** Whether the server is at work on something. */
  get isBusy(): boolean {
    return this.#internals._command != null
  }

  /** Whether a borrower has logged in as somebody else. */
  get userChanged(): boolean {
    return this.#userChanged
  }

  get isMariadb(): boolean {
    return /mariadb/i.test(this.#internals._handshakePacket?.serverVersion ?? '')
  }

  /** Why mysql2 has given the connection up, if it has. */
  get failure(): Error | undefined {
    return this.#internals._fatalError ?? this.#internals._protocolError ?? undefined
  }

  /** Begins the session anew. Its database stays the one that it has. Where mysql2 or the server can't, it logs in again. */
  async resetSession(): Promise<void> {
    const reset = this.#reset
    if (reset === undefined) return this.logInAgain()
    try {
      await this.ask((done) => reset.call(this.connection, done))
    } catch (error) {
      if ((error as { errno?: unknown }).errno !== UNKNOWN_COMMAND) throw error
      this.#reset = undefined
      await this.logInAgain()
    }
  }

  /** Begins the session anew, with what it had at the first log-in but the password, which may be another one by now. */
  async logInAgain(): Promise<void> {
    const password = await this.#askPassword()
    await this.ask((done) => this.#changeUser.call(this.connection, password === undefined ? {} : { password }, done))
  }

  /** Runs a statement of the driver's own; its result is as the driver wants it, whatever the options say. */
  async query<T>(sql: string): Promise<T> {
    return this.ask<T>((done) => this.connection.query({ sql, rowsAsArray: false, nestTables: false, typeCast: asIs }, done as never))
  }

  /** Begins something of the driver's own, and resolves when it is done. */
  ask<T>(begin: (done: Callback<T>) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      this.quietly(() => begin((error, result) => (error ? reject(error) : resolve(result as T))))
    })
  }

  quietly(begin: () => unknown): void {
    this.#quiet = true
    try {
      begin()
    } finally {
      this.#quiet = false
    }
  }

  #overhear(): void {
    const { addCommand } = this.#internals
    this.#internals.addCommand = (command) => {
      if (!this.#quiet) this.traces.see(command)
      return addCommand.call(this.connection, command)
    }
    this.#internals.changeUser = (options, done) => {
      this.#userChanged = true
      this.traces.setChanged()
      return this.#changeUser.call(this.connection, options, done)
    }
    const reset = this.#reset
    if (reset === undefined) return
    this.#internals.reset = (done) => {
      // It undoes what onConnect has done, and turns the server's reports off.
      this.traces.setChanged()
      return reset.call(this.connection, done)
    }
  }
}
