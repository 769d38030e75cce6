import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { Guard } from './guard.ts'
import { NoServerError } from './no-server-error.ts'
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts'
import { childrenOf, haveEnded } from './processes.ts'
import { giveTo, type RunAs, unprivileged } from './run-as.ts'
import { runToEnd } from './run-to-end.ts'
import { readLog, runUntilReady, startOnFreePort } from './run-until-ready.ts'

/**
 * How the server is told to stop. `smart`: it waits for its clients to leave. `fast`: it tells them (57P01), rolls
 * back and leaves. `immediate`: it warns them (57P01) and leaves as it is. `crash`: killed, nobody is told anything.
 */
export type PostgresStopMode = 'smart' | 'fast' | 'immediate' | 'crash'

/** How a PostgreSQL server is set up. */
export interface PostgresServerOptions {
  /** Settings of `postgresql.conf`, before the built-in ones that make a throw-away server fast. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Lines that stand before the built-in one in `pg_hba.conf`. */
  readonly hba?: readonly string[]
  /** Turns TLS on, with this certificate and its key (PEM). */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

/** Only the fresh data of one test run are at stake: nothing needs to reach a disk. */
const THROW_AWAY_SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: false,
  synchronous_commit: false,
  full_page_writes: false,
  autovacuum: false,
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_connections: 200,
  shared_buffers: '16MB',
  log_connections: false,
} as const

const STOP_SIGNALS = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT', crash: 'SIGKILL' } as const

/**
 * A real PostgreSQL server on a free port of 127.0.0.1, with its data in a folder of the system's temporary one.
 * Neither outlives this process, however it ends. Made by {@link startPostgres}.
 */
export class PostgresServer {
  readonly host = '127.0.0.1'
  readonly user = 'postgres'
  readonly password: string
  /** `'18.4'`. */
  readonly version: string
  readonly #guard: Guard
  readonly #folder: string
  readonly #binaries: PostgresBinaries
  readonly #runAs: RunAs
  #port = 0
  #databases = 0

  private constructor(guard: Guard, folder: string, binaries: PostgresBinaries, runAs: RunAs, password: string) {
    this.#guard = guard
    this.#folder = folder
    this.#binaries = binaries
    this.#runAs = runAs
    this.password = password
    this.version = binaries.version
  }

  /** @see startPostgres */
  static async start(options: PostgresServerOptions): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'wellpool-postgres-'))
    const guard = new Guard({ folders: [folder], endSignal: STOP_SIGNALS.immediate })
    try {
      const runAs = unprivileged()
      await giveTo(runAs, folder)
      const binaries = await findPostgres(runAs, folder)
      if (binaries === undefined) throw new NoServerError('no PostgreSQL: npm has none for this platform, and none is installed')
      const server = new PostgresServer(guard, folder, binaries, runAs, randomBytes(12).toString('hex'))
      await server.#initialise(options)
      await server.#startAnywhere()
      return server
    } catch (error) {
      await guard.close()
      throw error
    }
  }

  /** The same for as long as the server lives, over all restarts. */
  get port(): number {
    return this.#port
  }

  /** The process id of the server; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#guard.pid
  }

  /** The address of the database `postgres`, for clients. */
  get url(): string {
    return this.urlOf('postgres')
  }

  /** The address of a database. */
  urlOf(database: string): string {
    return `postgres://${this.user}:${this.password}@${this.host}:${this.#port}/${database}`
  }

  /** Makes an empty database and returns its address. */
  async createDatabase(name?: string): Promise<string> {
    this.#databases++
    const chosen = name ?? `test_${this.#databases}`
    await createDatabase(this.url, chosen)
    return this.urlOf(chosen)
  }

  /** Starts the server again, on the same port and with the same data. Resolves when it takes connections. */
  async start(): Promise<void> {
    await this.#startOn(this.#port)
  }

  /** Stops the server; its data stay. Resolves when the process has ended. Default `immediate`. */
  async stop(mode: PostgresStopMode = 'immediate'): Promise<void> {
    const { pid } = this.#guard
    const orphans = mode === 'crash' && pid !== undefined ? await childrenOf(pid) : []
    await this.#guard.end(STOP_SIGNALS[mode])
    // Nobody has told them. Until they find out by themselves they hold the shared memory, and no server starts on it.
    await haveEnded(orphans)
  }

  /** Stops and starts the server. */
  async restart(mode: PostgresStopMode = 'immediate'): Promise<void> {
    await this.stop(mode)
    await this.start()
  }

  /** What the server has written so far. */
  async log(): Promise<string> {
    return readLog(this.#log)
  }

  /** Ends the server and removes its data. Nothing is left when it resolves. Doing it twice does no harm. */
  async close(): Promise<void> {
    await this.#guard.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  get #log(): string {
    return join(this.#folder, 'server.log')
  }

  get #process(): RunAs & { cwd: string; env: NodeJS.ProcessEnv } {
    return { ...this.#runAs, cwd: this.#folder, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } }
  }

  async #initialise({ settings = {}, hba = [], tls }: PostgresServerOptions): Promise<void> {
    const passwordFile = join(this.#folder, 'password')
    await writeFile(passwordFile, this.password, { mode: 0o600 })
    await giveTo(this.#runAs, passwordFile)
    const args = [`--pgdata=${this.#data}`, `--username=${this.user}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
    await runToEnd(join(this.#binaries.folder, 'initdb'), [...args, '--locale=C', '--encoding=UTF8', '--no-sync'], this.#process)

    if (tls !== undefined) {
      await this.#write('server.crt', tls.certificate)
      await this.#write('server.key', tls.key)
    }
    const lines = Object.entries({ ...THROW_AWAY_SETTINGS, ssl: tls !== undefined, ...settings }).map(
      ([name, value]) => `${name} = '${value}'`,
    )
    await this.#write('postgresql.conf', lines.join('\n'))
    await this.#write('pg_hba.conf', [...hba, 'host all all 127.0.0.1/32 scram-sha-256', ''].join('\n'))
  }

  /** Into the folder of the data, readable by the server alone: it refuses a key that others can read. */
  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#data, name)
    await writeFile(path, text, { mode: 0o600 })
    await giveTo(this.#runAs, path)
  }

  async #startAnywhere(): Promise<void> {
    this.#port = await startOnFreePort((port) => this.#startOn(port), /could not bind/)
  }

  async #startOn(port: number): Promise<void> {
    const args = ['-D', this.#data, '-p', String(port)]
    const command = { command: join(this.#binaries.folder, 'postgres'), args, log: this.#log, ...this.#process }
    await runUntilReady(this.#guard, 'PostgreSQL', command, (pid) => this.#isReady(pid))
  }

  /** The server keeps its condition in the last line of its pid file; a crash leaves an old one behind. */
  async #isReady(pid: number): Promise<boolean> {
    const lines = (await readFile(join(this.#data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready'
  }
}

/**
 * Makes a new server and starts it; takes about a second. Who starts it closes it, or declares it with `await using`.
 *
 * @throws NoServerError when the machine has no PostgreSQL.
 * @throws Error when it does not start; with what the server said about it.
 * @example
 * await using server = await startPostgres()
 * const url = await server.createDatabase()
 */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  return PostgresServer.start(options)
}

/** Whether {@link startPostgres} has a PostgreSQL to start on this machine. */
export async function canStartPostgres(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'wellpool-postgres-'))
  try {
    const runAs = unprivileged()
    await giveTo(runAs, folder)
    return (await findPostgres(runAs, folder)) !== undefined
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Makes an empty database on the server with this address. */
export async function createDatabase(url: string, name: string): Promise<void> {
  await execute(url, `create database ${pg.escapeIdentifier(name)}`)
}

/** Removes a database, and ends its sessions. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  await execute(url, `drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
