import mysql, { type ConnectionOptions } from 'mysql2'
import { abortable } from '../shared/abortable.ts'
import { ConnectErrors } from '../shared/connect-errors.ts'
import { askForPassword, type Password } from '../shared/password.ts'
import { Secrets } from '../shared/secrets.ts'
import { type MysqlOptions, resolveMysqlOptions, toConnectionOptions } from './mysql-options.ts'
import { MysqlSession, type SessionOptions } from './mysql-session.ts'

/** Makes the sessions of one driver. */
export class MysqlConnector {
  readonly #options: ConnectionOptions
  readonly #password: Password | undefined
  readonly #session: SessionOptions
  readonly #secrets: Secrets
  readonly #errors = new ConnectErrors()

  /** @throws ConfigError */
  constructor(given: MysqlOptions) {
    const options = resolveMysqlOptions(given)
    const { password, database, onConnect, resetAlways = false, secondOpinion = true, ssl } = options
    this.#options = toConnectionOptions(options)
    this.#password = password
    this.#session = { database, onConnect, resetAlways, identified: secondOpinion, askPassword: (signal) => this.#askPassword(signal) }
    const { key = [], passphrase } = typeof ssl === 'object' ? ssl : {}
    this.#secrets = new Secrets([password, passphrase, ...[key].flat().map(String)])
  }

  /** Every password that was used lately, and the key of TLS. */
  get secrets(): readonly string[] {
    return this.#secrets.all
  }

  /** A session that is logged in and set up. When it rejects, its socket is closed. */
  async connect(signal: AbortSignal): Promise<MysqlSession> {
    signal.throwIfAborted()
    let session: MysqlSession | undefined
    try {
      session = await this.#createSession(signal)
      await abortable(session.open(signal), signal)
      return session
    } catch (error) {
      session?.destroy()
      this.#errors.add(error)
      throw error
    }
  }

  /** Whether a connect failed with this very error. */
  hasThrown(error: unknown): boolean {
    return this.#errors.has(error)
  }

  async #createSession(signal: AbortSignal): Promise<MysqlSession> {
    const password = await this.#askPassword(signal)
    const connection = mysql.createConnection({ ...this.#options, ...(password === undefined ? {} : { password }) })
    return new MysqlSession(connection, this.#session)
  }

  async #askPassword(signal: AbortSignal): Promise<string | undefined> {
    const password = await askForPassword(this.#password, signal)
    if (password !== undefined) this.#secrets.add(password)
    return password
  }
}
