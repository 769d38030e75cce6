import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { Guard } from './guard.ts'
import { findProgram, type Program } from './programs.ts'
import { giveTo, type RunAs, unprivileged } from './run-as.ts'
import { runToEnd } from './run-to-end.ts'
import { runUntilReady } from './run-until-ready.ts'

/** What {@link startRabbitmq} needs; Erlang comes with it. */
export const RABBITMQ: Program = {
  name: 'rabbitmq-server',
  debianPackages: ['rabbitmq-server'],
  // Debian puts a wrapper on the search path that writes to the system's own folders.
  folders: ['/usr/lib/rabbitmq/bin'],
}

const SCRIPTS = '/usr/lib/rabbitmq/bin'

/**
 * A real RabbitMQ broker on a free port of 127.0.0.1, with its data in a folder of the system's temporary one, and an
 * epmd of its own. None of them outlives this process. Made by {@link startRabbitmq}.
 */
export class RabbitmqServer {
  readonly host = '127.0.0.1'
  readonly user = 'guest'
  readonly password = 'guest'
  readonly port: number
  readonly #guards: { readonly broker: Guard; readonly epmd: Guard }
  readonly #folder: string
  readonly #runAs: RunAs
  readonly #env: NodeJS.ProcessEnv

  private constructor(port: number, ports: { epmd: number; dist: number }, folder: string, runAs: RunAs) {
    this.port = port
    this.#folder = folder
    this.#runAs = runAs
    this.#guards = {
      broker: new Guard({ folders: [], endSignal: 'SIGKILL' }),
      epmd: new Guard({ folders: [folder], endSignal: 'SIGKILL' }),
    }
    this.#env = {
      PATH: process.env.PATH,
      HOME: folder,
      LANG: 'C.UTF-8',
      ERL_EPMD_PORT: String(ports.epmd),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `wellpool${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(ports.dist),
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      // Otherwise the script stays between the guard and the broker, and dies alone.
      RABBITMQ_ALLOW_INPUT: '1',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput',
    }
  }

  /** @see startRabbitmq */
  static async start(): Promise<RabbitmqServer> {
    await findProgram(RABBITMQ)
    const runAs = unprivileged(['rabbitmq', 'nobody'])
    const folder = await mkdtemp(join(tmpdir(), 'wellpool-rabbitmq-'))
    const server = new RabbitmqServer(await freePort(), { epmd: await freePort(), dist: await freePort() }, folder, runAs)
    try {
      await server.#initialise()
      await server.start()
      return server
    } catch (error) {
      await server.close()
      throw error
    }
  }

  /** Starts the broker again, on the same port and with the same data. Takes some seconds. */
  async start(): Promise<void> {
    const command = { command: join(SCRIPTS, 'rabbitmq-server'), args: [], log: join(this.#folder, 'broker.log'), ...this.#process }
    await runUntilReady(this.#guards.broker, 'RabbitMQ', command, (_, said) => said.includes('Server startup complete'))
  }

  /** Ends the broker at once; nobody is told. */
  async stop(): Promise<void> {
    await this.#guards.broker.end('SIGKILL')
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Runs `rabbitmqctl`, which takes a second or two, and resolves with what it prints. */
  async control(...args: readonly string[]): Promise<string> {
    return runToEnd(join(SCRIPTS, 'rabbitmqctl'), ['-q', '-n', this.#env.RABBITMQ_NODENAME as string, ...args], this.#process)
  }

  /** Ends the broker and removes its data. Doing it twice does no harm. */
  async close(): Promise<void> {
    await this.#guards.broker.close()
    await this.#guards.epmd.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #process(): RunAs & { cwd: string; env: NodeJS.ProcessEnv } {
    return { ...this.#runAs, cwd: this.#folder, env: this.#env }
  }

  async #initialise(): Promise<void> {
    const files = { plugins: '[].\n', 'rabbitmq.conf': 'log.console = true\nlog.file = false\n' }
    await giveTo(this.#runAs, this.#folder)
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.#folder, name), text)
      await giveTo(this.#runAs, join(this.#folder, name))
    }
    for (const name of ['mnesia', 'log']) {
      await mkdir(join(this.#folder, name))
      await giveTo(this.#runAs, join(this.#folder, name))
    }
    // The broker would start one that outlives it.
    await this.#guards.epmd.run({
      command: await findProgram({ name: 'epmd', debianPackages: ['erlang-base'] }),
      args: ['-port', this.#env.ERL_EPMD_PORT as string, '-address', '127.0.0.1'],
      log: join(this.#folder, 'epmd.log'),
      ...this.#process,
    })
  }
}

/**
 * Makes a new broker and starts it; takes some seconds. Who starts it closes it, or declares it with `await using`.
 *
 * @throws NoServerError when there is no RabbitMQ and none can be installed
 * @throws Error when it does not start; with what it said about it
 */
export async function startRabbitmq(): Promise<RabbitmqServer> {
  return RabbitmqServer.start()
}
