import { type ChildProcess, fork } from 'node:child_process'

const PATIENCE_MS = 60_000

/** How a {@link Child} is started. */
export interface ChildSettings {
  /** What it is called in errors. */
  readonly name: string
  readonly args: readonly string[]
  /** Flags of node. */
  readonly flags?: readonly string[]
  /** Environment variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** One that says nothing for longer than this has hung, ms. Default a minute. */
  readonly patienceMs?: number
}

/** A process of ours that is told what to do, and answers in reports of several kinds. */
export class Child<Command extends object, Report extends { readonly kind: string }> {
  readonly #process: ChildProcess
  readonly #name: string
  readonly #patienceMs: number

  /** @param program compiled */
  constructor(program: string, { name, args, flags = [], env = {}, patienceMs = PATIENCE_MS }: ChildSettings) {
    this.#name = name
    this.#patienceMs = patienceMs
    // No flags from outside: a loader or a profiler would be measured as well.
    this.#process = fork(program, [...args], { execArgv: [...flags], env: { ...process.env, ...env, NODE_OPTIONS: '' } })
  }

  tell(command: Command): void {
    this.#process.send(command)
  }

  /** The next report of this kind. @throws Error when the process ends, or stays silent, without one */
  hear<Kind extends Report['kind']>(kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        this.#process.off('message', heard)
        this.#process.off('exit', exited)
        finish()
      }
      const heard = (message: unknown): void => {
        const report = message as Report
        if (report.kind === kind) settle(() => resolve(report as Extract<Report, { kind: Kind }>))
      }
      const fail = (why: string): void => settle(() => reject(new Error(`${this.#name} ${why}`)))
      const exited = (code: number | null, signal: string | null): void => fail(`ended with ${signal ?? `code ${code}`}`)
      const timer = setTimeout(() => fail(`has not reported '${kind}' within ${this.#patienceMs} ms`), this.#patienceMs)
      this.#process.on('message', heard)
      this.#process.on('exit', exited)
    })
  }

  /** Ends it at once, if it has not ended yet. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }
}
