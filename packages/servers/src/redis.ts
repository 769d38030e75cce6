import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Guard } from './guard.ts'
import { findProgram, type Program } from './programs.ts'
import { giveTo, type RunAs, unprivileged } from './run-as.ts'
import { runToEnd } from './run-to-end.ts'
import { readLog, runUntilReady, startOnFreePort } from './run-until-ready.ts'

/** How the server is told to stop. `fast`: it leaves. `crash`: killed. Neither way clients are told anything. */
export type RedisStopMode = 'fast' | 'crash'

/** How a Redis server is set up. */
export interface RedisServerOptions {
  /** Lines of `redis.conf`, by their first word, stronger than the built-in ones. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** Takes TLS and nothing else, with this certificate and its key (PEM). */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Makes it a read-only replica of this server. */
  readonly replicaOf?: RedisServer
}

/** What {@link startRedis} runs. */
export const REDIS_PROGRAM: Program = { name: 'redis-server', debianPackages: ['redis-server'] }

/** Only the data of one test run are at stake: nothing is written to a disk. */
const THROW_AWAY_SETTINGS = {
  bind: '127.0.0.1',
  save: '""',
  appendonly: 'no',
  maxclients: 200,
  'repl-diskless-sync-delay': 0,
} as const

const STOP_SIGNALS = { fast: 'SIGTERM', crash: 'SIGKILL' } as const

/**
 * A real Redis server on a free port of 127.0.0.1, with a password and without persistence. It does not outlive this
 * process, however that ends. Made by {@link startRedis}.
 */
export class RedisServer {
  readonly host = '127.0.0.1'
  readonly password: string
  /** `'7.0.15'`. */
  readonly version: string
  readonly #guard: Guard
  readonly #folder: string
  readonly #program: string
  readonly #runAs: RunAs
  readonly #options: RedisServerOptions
  #port = 0

  private constructor(guard: Guard, folder: string, program: string, runAs: RunAs, version: string, options: RedisServerOptions) {
    this.#guard = guard
    this.#folder = folder
    this.#program = program
    this.#runAs = runAs
    this.#options = options
    this.version = version
    this.password = options.replicaOf?.password ?? randomBytes(12).toString('hex')
  }

  /** @see startRedis */
  static async start(options: RedisServerOptions): Promise<RedisServer> {
    const program = await findProgram(REDIS_PROGRAM)
    const version = /\d+(\.\d+)+/.exec(await runToEnd(program, ['--version']))?.[0] ?? 'unknown'
    const folder = await mkdtemp(join(tmpdir(), 'wellpool-redis-'))
    const guard = new Guard({ folders: [folder], endSignal: STOP_SIGNALS.crash })
    try {
      const runAs = unprivileged(['redis', 'nobody'])
      await giveTo(runAs, folder)
      const server = new RedisServer(guard, folder, program, runAs, version, options)
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

  /** The address of its database 0, for clients. */
  get url(): string {
    return `${this.#options.tls === undefined ? 'redis' : 'rediss'}://:${this.password}@${this.host}:${this.#port}`
  }

  /** Starts the server again, on the same port and without data. Resolves when it takes connections. */
  async start(): Promise<void> {
    await this.#startOn(this.#port)
  }

  /** Stops the server. Resolves when the process has ended. Default `fast`. */
  async stop(mode: RedisStopMode = 'fast'): Promise<void> {
    await this.#guard.end(STOP_SIGNALS[mode])
  }

  /** Stops and starts the server. */
  async restart(mode: RedisStopMode = 'fast'): Promise<void> {
    await this.stop(mode)
    await this.start()
  }

  /** What the server has written so far. */
  async log(): Promise<string> {
    return readLog(this.#path('server.log'))
  }

  /** Ends the server. Nothing is left when it resolves. Doing it twice does no harm. */
  async close(): Promise<void> {
    await this.#guard.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }

  async #write(name: string, text: string): Promise<void> {
    await writeFile(this.#path(name), text, { mode: 0o600 })
    await giveTo(this.#runAs, this.#path(name))
  }

  async #startAnywhere(): Promise<void> {
    this.#port = await startOnFreePort((port) => this.#startOn(port), /Address already in use/)
  }

  /** The settings go into a file: what stands behind the program's name can be read by everybody on the machine. */
  async #startOn(port: number): Promise<void> {
    const { settings, tls, replicaOf } = this.#options
    const secure = { port: 0, 'tls-port': port, 'tls-cert-file': this.#path('server.crt'), 'tls-key-file': this.#path('server.key') }
    if (tls !== undefined) {
      await this.#write('server.crt', tls.certificate)
      await this.#write('server.key', tls.key)
    }
    const all = {
      ...THROW_AWAY_SETTINGS,
      dir: this.#folder,
      requirepass: this.password,
      ...(tls === undefined ? { port } : { ...secure, 'tls-auth-clients': 'no' }),
      ...(replicaOf === undefined ? {} : { replicaof: `${replicaOf.host} ${replicaOf.port}`, masterauth: replicaOf.password }),
      ...settings,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name} ${value}\n`)
    await this.#write('redis.conf', lines.join(''))
    const process = { ...this.#runAs, cwd: this.#folder, env: { PATH: globalThis.process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } }
    const command = { command: this.#program, args: [this.#path('redis.conf')], log: this.#path('server.log'), ...process }
    await runUntilReady(this.#guard, 'Redis', command, (_, said) => said.includes('Ready to accept connections'))
  }
}

/**
 * Makes a new server and starts it; takes a fraction of a second. Who starts it closes it, or declares it with
 * `await using`.
 *
 * @throws NoServerError when the machine has no Redis and none can be installed.
 * @throws Error when it does not start; with what the server said about it.
 * @example
 * await using server = await startRedis()
 * await using replica = await startRedis({ replicaOf: server })
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  return RedisServer.start(options)
}
