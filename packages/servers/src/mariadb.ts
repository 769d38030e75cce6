import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Guard } from './guard.ts'
import { findProgram, type Program } from './programs.ts'
import { giveTo, type RunAs, unprivileged } from './run-as.ts'
import { runToEnd } from './run-to-end.ts'
import { readLog, runUntilReady, startOnFreePort } from './run-until-ready.ts'

/** How the server is told to stop. `fast`: it ends its sessions and leaves. `crash`: killed, nobody is told anything. */
export type MariadbStopMode = 'fast' | 'crash'

/** How a MariaDB server is set up. */
export interface MariadbServerOptions {
  /** Options of `mariadbd` (`max_connections`), stronger than the built-in ones that make a throw-away server fast. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Turns TLS on, with this certificate and its key (PEM). */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

/** What {@link startMariadb} runs. */
export const MARIADB_PROGRAM: Program = { name: 'mariadbd', debianPackages: ['mariadb-server'] }

/** Makes the folder of the data; comes with the server. */
const INSTALL_PROGRAM: Program = { name: 'mariadb-install-db', debianPackages: ['mariadb-server'] }

/** Only the fresh data of one test run are at stake: nothing needs to reach a disk, and there is little of them. */
const THROW_AWAY_SETTINGS = {
  innodb_log_file_size: '4M',
  innodb_buffer_pool_size: '8M',
  innodb_flush_method: 'nosync',
  innodb_flush_log_at_trx_commit: 0,
  innodb_doublewrite: false,
  sync_frm: false,
  key_buffer_size: '1M',
  aria_pagecache_buffer_size: '1M',
  performance_schema: false,
} as const

const RUN_SETTINGS = {
  ...THROW_AWAY_SETTINGS,
  bind_address: '127.0.0.1',
  skip_networking: false,
  skip_name_resolve: true,
  max_connections: 200,
} as const

const STOP_SIGNALS = { fast: 'SIGTERM', crash: 'SIGKILL' } as const

/**
 * A real MariaDB server on a free port of 127.0.0.1, with its data in a folder of the system's temporary one.
 * Neither outlives this process, however it ends. Made by {@link startMariadb}.
 */
export class MariadbServer {
  readonly host = '127.0.0.1'
  readonly user = 'root'
  readonly password: string
  /** `'10.11.19'`. */
  readonly version: string
  readonly #guard: Guard
  readonly #folder: string
  readonly #program: string
  readonly #runAs: RunAs
  readonly #settings: Readonly<Record<string, string | number | boolean>>
  #port = 0
  #databases = 0

  private constructor(guard: Guard, folder: string, program: string, runAs: RunAs, version: string, options: MariadbServerOptions) {
    this.#guard = guard
    this.#folder = folder
    this.#program = program
    this.#runAs = runAs
    this.version = version
    this.password = randomBytes(12).toString('hex')
    const tls = options.tls === undefined ? {} : { ssl_cert: this.#path('server.crt'), ssl_key: this.#path('server.key') }
    this.#settings = { ...RUN_SETTINGS, ...tls, ...options.settings }
  }

  /** @see startMariadb */
  static async start(options: MariadbServerOptions): Promise<MariadbServer> {
    const program = await findProgram(MARIADB_PROGRAM)
    const install = await findProgram(INSTALL_PROGRAM)
    const version = /\d+(\.\d+)+/.exec(await runToEnd(program, ['--no-defaults', '--version']))?.[0] ?? 'unknown'
    const folder = await mkdtemp(join(tmpdir(), 'wellpool-mariadb-'))
    const guard = new Guard({ folders: [folder], endSignal: STOP_SIGNALS.crash })
    try {
      const runAs = unprivileged(['mysql', 'nobody'])
      await giveTo(runAs, folder)
      const server = new MariadbServer(guard, folder, program, runAs, version, options)
      await server.#initialise(install, options)
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

  /** The address of the database `mysql`, for clients. */
  get url(): string {
    return this.urlOf('mysql')
  }

  /** The address of a database. */
  urlOf(database: string): string {
    return `mysql://${this.user}:${this.password}@${this.host}:${this.#port}/${database}`
  }

  /** Makes an empty database and returns its address. */
  async createDatabase(name?: string): Promise<string> {
    this.#databases++
    const chosen = name ?? `test_${this.#databases}`
    await executeMysql(this.url, `create database \`${chosen}\``)
    return this.urlOf(chosen)
  }

  /** Starts the server again, on the same port and with the same data. Resolves when it takes connections. */
  async start(): Promise<void> {
    await this.#startOn(this.#port)
  }

  /** Stops the server; its data stay. Resolves when the process has ended. Default `fast`. */
  async stop(mode: MariadbStopMode = 'fast'): Promise<void> {
    await this.#guard.end(STOP_SIGNALS[mode])
  }

  /** Stops and starts the server. */
  async restart(mode: MariadbStopMode = 'fast'): Promise<void> {
    await this.stop(mode)
    await this.start()
  }

  /** What the server has written so far. */
  async log(): Promise<string> {
    return readLog(this.#path('server.log'))
  }

  /** Ends the server and removes its data. Nothing is left when it resolves. Doing it twice does no harm. */
  async close(): Promise<void> {
    await this.#guard.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #process(): RunAs & { cwd: string; env: NodeJS.ProcessEnv } {
    return { ...this.#runAs, cwd: this.#folder, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } }
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }

  async #initialise(install: string, { tls }: MariadbServerOptions): Promise<void> {
    const args = ['--no-defaults', `--datadir=${this.#path('data')}`, '--auth-root-authentication-method=normal', '--skip-test-db']
    await runToEnd(install, [...args, '--skip-name-resolve', ...toArguments(THROW_AWAY_SETTINGS)], this.#process)
    // Run at every start; what it does a second time changes nothing.
    await this.#write('start.sql', `set password for root@'127.0.0.1' = password('${this.password}');\n`)
    if (tls !== undefined) {
      await this.#write('server.crt', tls.certificate)
      await this.#write('server.key', tls.key)
    }
  }

  async #write(name: string, text: string): Promise<void> {
    await writeFile(this.#path(name), text, { mode: 0o600 })
    await giveTo(this.#runAs, this.#path(name))
  }

  async #startAnywhere(): Promise<void> {
    this.#port = await startOnFreePort((port) => this.#startOn(port), /Address already in use/)
  }

  async #startOn(port: number): Promise<void> {
    const places = { datadir: 'data', socket: 'server.sock', pid_file: 'server.pid', init_file: 'start.sql' }
    const paths = Object.fromEntries(Object.entries(places).map(([name, file]) => [name, this.#path(file)]))
    const args = ['--no-defaults', ...toArguments({ ...paths, port, ...this.#settings })]
    const command = { command: this.#program, args, log: this.#path('server.log'), ...this.#process }
    await runUntilReady(this.#guard, 'MariaDB', command, (_, said) => said.includes('ready for connections'))
  }
}

/**
 * Makes a new server and starts it; takes a few seconds. Who starts it closes it, or declares it with `await using`.
 *
 * @throws NoServerError when the machine has no MariaDB and none can be installed.
 * @throws Error when it does not start; with what the server said about it.
 * @example
 * await using server = await startMariadb()
 * const url = await server.createDatabase()
 */
export async function startMariadb(options: MariadbServerOptions = {}): Promise<MariadbServer> {
  return MariadbServer.start(options)
}

/** Runs one statement on the server with this address, over a connection of its own. */
export async function executeMysql(url: string, sql: string): Promise<unknown> {
  // Only when it is asked for: whoever starts other servers need not wait for it.
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection(url)
  try {
    return (await connection.query(sql))[0]
  } finally {
    await connection.end()
  }
}

function toArguments(settings: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${typeof value === 'boolean' ? Number(value) : value}`)
}
