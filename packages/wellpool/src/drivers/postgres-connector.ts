import pg from 'pg'
import { abortable } from './postgres-abortable.ts'
import { type PasswordContext, type PostgresOptions, resolvePostgresOptions } from './postgres-options.ts'
import { PostgresSecrets } from './postgres-secrets.ts'
import { PostgresSession, type SessionOptions } from './postgres-session.ts'

/** Makes the clients of one driver. */
export class PostgresConnector {
  readonly #config: pg.ClientConfig
  readonly #password: PostgresOptions['password']
  readonly #session: SessionOptions
  readonly #secrets: PostgresSecrets
  readonly #errors = new WeakSet<object>()

  /** @throws ConfigError */
  constructor(options: PostgresOptions) {
    const { config, foundPassword } = resolvePostgresOptions(options)
    this.#config = config
    this.#password = options.password
    this.#session = { onConnect: options.onConnect, discardAll: options.discardAll ?? false, identified: options.secondOpinion ?? true }
    this.#secrets = new PostgresSecrets(foundPassword, options)
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
      if (error instanceof Error) this.#errors.add(error)
      throw error
    }
  }

  /** Whether a connect failed with this very error. */
  hasThrown(error: unknown): boolean {
    return error instanceof Error && this.#errors.has(error)
  }

  async #createClient(signal: AbortSignal): Promise<pg.Client> {
    const given = this.#password
    const password = typeof given === 'function' ? await abortable(ask(given, signal), signal) : given
    const client = new pg.Client(this.#config)
    if (password !== undefined) {
      this.#secrets.add(password)
      // Not through the configuration: there an address without a password would win over it.
      client.password = password
    }
    return client
  }
}

async function ask(giver: (context: PasswordContext) => string | Promise<string>, signal: AbortSignal): Promise<string> {
  const password: unknown = await giver({ signal })
  if (typeof password !== 'string')
    throw new TypeError(`the function for the password returned a value of type ${typeof password}, not a text`)
  return password
}
