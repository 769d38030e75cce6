import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'
import { Guard } from './guard.ts'

const START_LIMIT_MS = 30_000
const START_TRIES = 5
const LOOK_EVERY_MS = 10

/** What lets Node run a program of this repository as it stands. */
const TYPESCRIPT = new URL('../../../tools/typescript.mjs', import.meta.url).href

/**
 * A server of our own in a process of its own, on a free port of 127.0.0.1. It does not outlive this process, however
 * that ends. Its program is one of the folder `programs`.
 */
export class ProgramServer {
  readonly host = '127.0.0.1'
  readonly #guard: Guard
  readonly #folder: string
  readonly #program: string
  readonly #settings: object
  #port = 0
  #controlPort = 0

  private constructor(guard: Guard, folder: string, program: string, settings: object) {
    this.#guard = guard
    this.#folder = folder
    this.#program = program
    this.#settings = settings
  }

  /**
   * @param program its file in the folder `programs`
   * @param settings what the program is told, beside its ports
   * @throws Error when it does not start; with what it said about it
   */
  static async start(program: string, settings: object): Promise<ProgramServer> {
    const folder = await mkdtemp(join(tmpdir(), 'wellpool-server-'))
    const guard = new Guard({ folders: [folder], endSignal: 'SIGKILL' })
    const server = new ProgramServer(guard, folder, program, settings)
    try {
      await server.#startOnFreePort()
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

  /** A folder for what tests need on disk; removed with the server. */
  get folder(): string {
    return this.#folder
  }

  /** The process id of the server; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#guard.pid
  }

  /** Tells the server something, beside its protocol, and resolves with what it says to that. */
  async tell(command: string, argument = ''): Promise<unknown> {
    return tell(this.#controlPort, command, argument)
  }

  /** Ends the process at once. Its clients' sockets close. */
  async stop(): Promise<void> {
    await this.#guard.end('SIGKILL')
  }

  /** Starts it again on the same port. */
  async start(): Promise<void> {
    await this.#startOn(this.#port, this.#controlPort)
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Ends the server. Nothing is left when it resolves. Doing it twice does no harm. */
  async close(): Promise<void> {
    await this.#guard.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #log(): string {
    return join(this.#folder, 'server.log')
  }

  async #startOnFreePort(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const [port, controlPort] = [await freePort(), await freePort()]
        await this.#startOn(port, controlPort)
        this.#port = port
        this.#controlPort = controlPort
        return
      } catch (error) {
        // Between the look for a free port and the start somebody else may have taken it.
        if (tries === START_TRIES || !(error as Error).message.includes('EADDRINUSE')) throw error
      }
    }
  }

  async #startOn(port: number, controlPort: number): Promise<void> {
    const program = fileURLToPath(new URL(`programs/${this.#program}`, import.meta.url))
    const settings = JSON.stringify({ ...this.#settings, port, controlPort })
    const pid = await this.#guard.run({
      command: process.execPath,
      args: ['--import', TYPESCRIPT, program, settings],
      cwd: this.#folder,
      env: { PATH: process.env.PATH },
      log: this.#log,
    })
    let ended = false
    void this.#guard.exited.then(() => {
      ended = true
    })
    const limit = performance.now() + START_LIMIT_MS
    while ((await tell(controlPort, 'pid').catch(() => undefined)) !== pid) {
      if (ended) throw new Error(`${this.#program} did not start:\n${await this.#said()}`)
      if (performance.now() > limit) throw new Error(`${this.#program} was not ready within ${START_LIMIT_MS} ms:\n${await this.#said()}`)
      await delay(LOOK_EVERY_MS)
    }
  }

  async #said(): Promise<string> {
    return readFile(this.#log, 'utf8').catch(() => '')
  }
}

/** Over a connection of its own: one that is kept would be dead after a restart. */
async function tell(controlPort: number, command: string, argument = ''): Promise<unknown> {
  const path = `/${command}?${encodeURIComponent(argument)}`
  const request = get({ host: '127.0.0.1', port: controlPort, path, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const body = (await response.setEncoding('utf8').toArray()).join('')
  if (response.statusCode !== 200) throw new Error(`${path}: ${body}`)
  return JSON.parse(body)
}
