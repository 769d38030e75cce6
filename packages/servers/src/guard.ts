import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { GUARD_SOURCE } from './guard-source.ts'
import type { RunAs } from './run-as.ts'

/** How a guard is set up. */
export interface GuardOptions {
  /** Removed, with all that is in them, when the guard ends. */
  readonly folders: readonly string[]
  /** Ends the server at once, without its waiting for clients; after 5 s `SIGKILL` follows. */
  readonly endSignal: NodeJS.Signals
}

/** A program to run. */
export interface Command extends RunAs {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** The file that its output is appended to. */
  readonly log: string
}

type GuardMessage = { spawned: number } | { failed: string } | { exited: string }

interface Starting {
  resolve(pid: number): void
  reject(error: Error): void
}

/**
 * Runs a server, one at a time, and sees to it that neither the server nor its folders outlive this process,
 * however it ends. It does not keep this process from ending.
 */
export class Guard {
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  #starting: Starting | undefined
  #pid: number | undefined
  #exited: Promise<string> = Promise.resolve('never started')
  #reportExit: (how: string) => void = () => {}

  constructor(options: GuardOptions) {
    this.#process = spawn(process.execPath, ['-e', GUARD_SOURCE, JSON.stringify(options.folders), options.endSignal], {
      // Its own process group: what ends this one's must not end it before its work is done.
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { PATH: process.env.PATH },
    })
    this.#process.on('message', (message) => this.#hear(message as GuardMessage))
    this.#ended = once(this.#process, 'exit').then(() => this.#hear({ exited: 'its guard is gone' }))
    this.#hold(false)
  }

  /** The server's process id, while it runs. */
  get pid(): number | undefined {
    return this.#pid
  }

  /** Resolves when the running server has ended, with how it did; at once if none runs. */
  get exited(): Promise<string> {
    return this.#exited
  }

  /**
   * Starts the program. Resolves with its process id when it runs.
   *
   * @throws Error when it can't be run, or the guard is closed.
   */
  async run(command: Command): Promise<number> {
    // What is sent over a closed channel comes back as an event that nobody hears, and ends the process.
    if (!this.#process.connected) throw new Error('the server has been closed, and cannot be started again')
    if (this.#pid !== undefined || this.#starting !== undefined) throw new Error('bug: the guard runs a server already')
    return this.#holding(
      new Promise<number>((resolve, reject) => {
        this.#starting = { resolve, reject }
        this.#process.send({ run: command })
      }),
    )
  }

  /** Sends a signal to the running server and resolves when that has ended; at once if none runs. */
  async end(signal: NodeJS.Signals): Promise<string> {
    // A guard that is being closed ends it by itself.
    if (this.#pid !== undefined && this.#process.connected) this.#process.send({ signal })
    return this.#holding(this.#exited)
  }

  /** Ends the server if it runs, removes the folders, and ends the guard. Doing it twice does no harm. */
  async close(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    this.#process.ref()
    await this.#ended
  }

  #hear(message: GuardMessage): void {
    const starting = this.#starting
    this.#starting = undefined
    if ('spawned' in message) {
      this.#pid = message.spawned
      this.#exited = new Promise((resolve) => {
        this.#reportExit = resolve
      })
      starting?.resolve(message.spawned)
      return
    }
    const how = 'failed' in message ? message.failed : message.exited
    this.#pid = undefined
    this.#reportExit(how)
    starting?.reject(new Error(`the server could not be run: ${how}`))
  }

  async #holding<T>(promise: Promise<T>): Promise<T> {
    this.#hold(true)
    try {
      return await promise
    } finally {
      this.#hold(false)
    }
  }

  /** Whether the guard holds this process open. */
  #hold(held: boolean): void {
    for (const handle of [this.#process, this.#process.channel]) {
      if (held) handle?.ref()
      else handle?.unref()
    }
  }
}
