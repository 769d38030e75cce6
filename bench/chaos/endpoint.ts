import { randomBytes } from 'node:crypto'
import { type PostgresServer, startPostgres } from '@wellpool/servers'
import pg from 'pg'
import { ROWS } from './messages.ts'

/** Who the application logs in as, and who takes the server's connections from it. No superuser: those have places of their own. */
export const APPLICATION = 'application'
const OTHERS = 'others'

/** Few enough that others can fill the server, and more than any pool may open. */
const SERVER_CONNECTIONS = 40

/** How many connections a try to fill the server up makes at a time. */
const FILL_AT_ONCE = 5
const FILL_EVERY_MS = 20

/** One PostgreSQL server of a lane, set up for the application, and what is done to it by its administrator. */
export class Endpoint {
  readonly server: PostgresServer
  #admin: pg.Client | undefined
  #password = ''

  private constructor(server: PostgresServer) {
    this.server = server
  }

  static async start(): Promise<Endpoint> {
    const endpoint = new Endpoint(await startPostgres({ settings: { max_connections: SERVER_CONNECTIONS } }))
    await endpoint.administer(`
      create role ${APPLICATION} login;
      create role ${OTHERS} login password '${OTHERS}';
      create table counters (id int primary key, n int not null);
      insert into counters select id, 0 from generate_series(0, ${ROWS - 1}) id;
      grant select, update on counters to ${APPLICATION}`)
    return endpoint
  }

  /** What the application logs in with. */
  get password(): string {
    return this.#password
  }

  get settings(): { user: string; database: string } {
    return { user: APPLICATION, database: 'postgres' }
  }

  /** As new: it runs, takes writes, and nobody is connected. */
  async reset(): Promise<void> {
    if (this.server.pid === undefined) await this.server.start()
    await this.administer('alter system reset default_transaction_read_only')
    await this.administer('select pg_reload_conf()')
    await this.administer(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename in ('${APPLICATION}', '${OTHERS}')`)
    await this.rotatePassword(randomBytes(9).toString('hex'))
  }

  /** From now on connects need another password; sessions go on. */
  async rotatePassword(password: string): Promise<void> {
    await this.administer(`alter role ${APPLICATION} password '${password}'`)
    this.#password = password
  }

  /** Ends this many of the application's sessions, those at work first. @returns how many there were */
  async kill(most: number): Promise<number> {
    const killed = await this.administer(
      `select pg_terminate_backend(pid) from (
        select pid from pg_stat_activity where usename = '${APPLICATION}' order by state, state_change desc limit ${most}
      ) chosen`,
    )
    return killed.rowCount ?? 0
  }

  /** How many sessions the application has. */
  async sessions(): Promise<number> {
    const { rows } = await this.administer(`select count(*)::int as n from pg_stat_activity where usename = '${APPLICATION}'`)
    return (rows as { n: number }[])[0]?.n ?? 0
  }

  /** Refuses writes from now on, on present connections too: a primary that is none any more. */
  async demote(): Promise<void> {
    await this.administer('alter system set default_transaction_read_only = on')
    await this.administer('select pg_reload_conf()')
  }

  /** Others take every connection that the server has left, and those that become free. @returns what ends it */
  async fill(): Promise<() => Promise<void>> {
    const clients: pg.Client[] = []
    const { host, port } = this.server
    let ended = false
    const takeOne = async (): Promise<boolean> => {
      const client = new pg.Client({ host, port, user: OTHERS, password: OTHERS, database: 'postgres' })
      client.on('error', () => {})
      try {
        await client.connect()
      } catch {
        return false
      }
      clients.push(client)
      return true
    }
    const takeAll = async (): Promise<void> => {
      while ((await Promise.all(Array.from({ length: FILL_AT_ONCE }, takeOne))).some(Boolean) && !ended);
    }
    await takeAll()
    const goOn = async (): Promise<void> => {
      while (!ended) {
        await new Promise((resolve) => setTimeout(resolve, FILL_EVERY_MS))
        await takeAll()
      }
    }
    const going = goOn()
    return async () => {
      ended = true
      await going
      await Promise.all(clients.map((client) => client.end()))
    }
  }

  /** Runs statements as the administrator. */
  async administer(sql: string): Promise<pg.QueryResult> {
    const client = this.#admin ?? (await this.#connect())
    return client.query(sql)
  }

  async close(): Promise<void> {
    await this.server.close()
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.server.url, options: '-c default_transaction_read_only=off' })
    // The server is stopped and started again under it.
    const gone = (): void => {
      if (this.#admin === client) this.#admin = undefined
    }
    client.on('error', gone)
    client.on('end', gone)
    await client.connect()
    this.#admin = client
    return client
  }
}
