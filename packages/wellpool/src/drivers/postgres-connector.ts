import type pg from 'pg'
import { abortable } from '../shared/abortable.ts'
import { ConnectErrors } from '../shared/connect-errors.ts'
import { Secrets } from '../shared/secrets.ts'
import { PostgresSession, type SessionOptions } from './postgres-session.ts'
import type { ClientSource } from './postgres-sources.ts'

/** Connects the clients of one driver. */
export class PostgresConnector {
  readonly #source: ClientSource
  readonly #session: SessionOptions
  readonly #secrets: Secrets
  readonly #errors = new ConnectErrors()

  constructor(source: ClientSource, session: SessionOptions) {
    this.#source = source
    this.#session = session
    this.#secrets = new Secrets(source.secrets)
  }

  /** Every password that was used lately, and the keys of TLS. */
  get secrets(): readonly string[] {
    return this.#secrets.all
  }

  /** A client that is logged in and set up, and its session. When it rejects, its socket is closed. */
  async connect(signal: AbortSignal): Promise<{ client: pg.Client; session: PostgresSession }> {
    signal.throwIfAborted()
    const client = await this.#create(signal)
    const session = new PostgresSession(client, this.#session)
    try {
      await abortable(session.open(signal), signal)
      return { client, session }
    } catch (error) {
      session.destroy()
      this.#errors.add(error)
      throw error
    } finally {
      // A function that pg has asked for the password has left it there.
      this.#remember(client.password)
    }
  }

  /** Whether a connect failed with this very error. */
  hasThrown(error: unknown): boolean {
    return this.#errors.has(error)
  }

  async #create(signal: AbortSignal): Promise<pg.Client> {
    try {
      const client = await this.#source.create(signal)
      const { key, passphrase } = Object(client.ssl) as { key?: unknown; passphrase?: unknown }
      for (const secret of [client.password, key, passphrase]) this.#remember(secret)
      return client
    } catch (error) {
      this.#errors.add(error)
      throw error
    }
  }

  #remember(secret: unknown): void {
    if (typeof secret === 'string') this.#secrets.add(secret)
  }
}
