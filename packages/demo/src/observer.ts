import pg from 'pg'

/** Names the pool's sessions at the server, and nobody else's. */
export interface Sessions {
  readonly applicationName: string
}

/** One session of the pool's, as the server sees it. */
export interface Backend {
  readonly pid: number
  readonly active: boolean
}

/** No answer of the server's is waited for longer than this, ms. */
const LIMIT_MS = 2_000

/**
 * Looks at the pool's sessions from the server's side, over a connection of its own that goes straight to the
 * server: neither the pool nor the faults between it and the server have a part in what it says.
 */
export class Observer {
  readonly #url: string
  readonly #applicationName: string
  #client: pg.Client | undefined
  #queue: Promise<unknown> = Promise.resolve()

  constructor(url: string, { applicationName }: Sessions) {
    this.#url = url
    this.#applicationName = applicationName
  }

  /** `'18.4'`. */
  async version(): Promise<string> {
    const rows = await this.#ask<{ version: string }>(`select current_setting('server_version') as version`)
    return (rows[0]?.version ?? '').split(' ')[0] ?? ''
  }

  /** The pool's sessions, those at work first. @throws when the server can't be asked */
  async backends(): Promise<Backend[]> {
    return this.#ask<Backend>(
      `select pid, state = 'active' as active from pg_stat_activity where application_name = $1 order by active desc nulls last, pid`,
      [this.#applicationName],
    )
  }

  /** Ends sessions of the pool's. @returns how many */
  async kill(pids: readonly number[]): Promise<number> {
    const rows = await this.#ask<{ killed: boolean }>('select pg_terminate_backend(pid) as killed from unnest($1::int[]) as pid', [pids])
    return rows.filter(({ killed }) => killed).length
  }

  async close(): Promise<void> {
    await this.#queue.catch(() => {})
    await this.#client?.end().catch(() => {})
    this.#client = undefined
  }

  /** One question after another, so that there is never more than one connection. */
  async #ask<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const answer = this.#queue.catch(() => {}).then(() => this.#askNow<Row>(text, values))
    this.#queue = answer
    return answer
  }

  async #askNow<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    this.#client ??= await this.#connect()
    const client = this.#client
    try {
      const { rows } = await client.query(text, [...values])
      return rows as Row[]
    } catch (error) {
      // Whatever it was, the next question gets a new connection.
      if (this.#client === client) this.#client = undefined
      void client.end().catch(() => {})
      throw error
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: `${this.#applicationName}-observer`,
      connectionTimeoutMillis: LIMIT_MS,
      query_timeout: LIMIT_MS,
    })
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    await client.connect()
    return client
  }
}
