import { randomBytes } from 'node:crypto'
import { createDatabase, dropDatabase, type PostgresServer, startPostgres } from '@wellpool/servers'

/** The environment variable with the address of a server to use instead of one of our own. Its user may create databases. */
const URL_VARIABLE = 'WELLPOOL_TEST_POSTGRES_URL'

/** The server that all test files share: each database of it belongs to one file. */
export class SharedPostgres {
  readonly #created: string[] = []
  /** Not the process id: in containers runs have the same, and one that was killed has left its databases behind. */
  readonly #run = randomBytes(4).toString('hex')
  #server: Promise<PostgresServer> | undefined
  #databases = 0

  /** Makes an empty database and returns its address; starts the server for the first. */
  async createDatabase(): Promise<string> {
    const name = `wellpool_${this.#run}_${++this.#databases}`
    const external = process.env[URL_VARIABLE]
    if (external !== undefined && external !== '') {
      await createDatabase(external, name)
      this.#created.push(name)
      const url = new URL(external)
      url.pathname = name
      return url.href
    }
    this.#server ??= startPostgres()
    return (await this.#server).createDatabase(name)
  }

  /** Ends our own server, or removes our databases from another one. */
  async close(): Promise<void> {
    const external = process.env[URL_VARIABLE]
    for (const name of this.#created) await dropDatabase(external as string, name)
    await (await this.#server?.catch(() => undefined))?.close()
  }
}
