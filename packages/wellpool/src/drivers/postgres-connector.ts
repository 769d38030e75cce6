import pg from 'pg'
import { abortable } from '../shared/abortable.ts'
import { ConnectErrors } from '../shared/connect-errors.ts'
import { askForPassword } from '../shared/password.ts'
import { Secrets } from '../shared/secrets.ts'
import { type PostgresOptions, resolvePostgresOptions } from './postgres-options.ts'
import { PostgresSession, type SessionOptions } from './postgres-session.ts'

/** Makes the clients of one driver. */
export class PostgresConnector {
  readonly #config: pg.ClientConfig
  readonly #password: PostgresOptions['password']
  readonly #session: SessionOptions
  readonly #secrets: Secrets
  readonly #errors = new ConnectErrors()

  /** @throws ConfigError */
  constructor(options: PostgresOptions) {
    const { config, foundPassword } = resolvePostgresOptions(options)
    this.#config = config
    this.#password = options.password
    this.#session = { onConnect: options.onConnect, discardAll: options.discardAll ?? false, identified: options.secondOpinion ?? true }
    const { key, passphrase } = typeof options.ssl === 'object' ? options.ssl : {}
    this.#secrets = new Secrets([foundPassword, options.password, key, passphrase])
  }

  /** Every password that was used lately, and the key of TLS. */
  get secrets(): readonly string[] {
    return this.#secrets.all
  }

  /** A client that is logged in and set up, and its session. When it rejects, its socket is closed. */
  async connect(signal: AbortSignal): Promise<{ client: pg.Client; session: PostgresSession }> {
    signal.throwIfAborted()
    const client = await this.#createClient(signal)
    const session = new PostgresSession(client, this.#session)
    try {
      await abortable(session.open(signal), signal)
      return { client, session }
    } catch (error) {
      session.destroy()
      this.#errors.add(error)
      throw error
    }
  }

  /** Whether a connect failed with this very error. */
  hasThrown(error: unknown): boolean {
    return this.#errors.has(error)
  }

  async #createClient(signal: AbortSignal): Promise<pg.Client> {
    const password = await askForPassword(this.#password, signal)
    const client = new pg.Client(this.#config)
    if (password !== undefined) {
      this.#secrets.add(password)
      // Not through the configuration: there an address without a password would win over it.
      client.password = password
    }
    return client
  }
}
