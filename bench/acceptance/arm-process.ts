import { type ChildProcess, fork } from 'node:child_process'
import type { ArmName } from './arms.ts'
import type { Command, Memory, Report, Slice } from './messages.ts'

/** A process that says nothing for longer than this has hung, ms. */
const PATIENCE_MS = 60_000

/** An arm, in a process of its own. */
export class ArmProcess {
  readonly #child: ChildProcess
  readonly #arm: ArmName

  private constructor(child: ChildProcess, arm: ArmName) {
    this.#child = child
    this.#arm = arm
  }

  /** Starts it. Resolves when its pool is warm and at rest. */
  static async start(program: string, arm: ArmName, env: Readonly<Record<string, string>>): Promise<ArmProcess> {
    const child = fork(program, [arm], {
      execArgv: ['--expose-gc'],
      // No flags from outside: a loader or a profiler would be measured as well.
      env: { ...process.env, ...env, NODE_OPTIONS: '' },
    })
    const started = new ArmProcess(child, arm)
    await started.#hear('ready')
    return started
  }

  /** Puts load on it: so many requests a second, or as many as it can do. */
  async slice(rate: number | undefined): Promise<Slice> {
    this.#tell({ do: 'slice', rate })
    return (await this.#hear('slice')).slice
  }

  /** Ends it. */
  async end(): Promise<Memory> {
    this.#tell({ do: 'end' })
    return (await this.#hear('memory')).memory
  }

  /** Ends it at once, if it has not ended yet. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #tell(command: Command): void {
    this.#child.send(command)
  }

  /** @throws Error when the process ends, or stays silent, without such a report */
  #hear<Kind extends Report['kind']>(kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer)
        this.#child.off('message', hear)
        this.#child.off('exit', exited)
        finish()
      }
      const hear = (message: unknown): void => {
        const report = message as Report
        if (report.kind === kind) settle(() => resolve(report as Extract<Report, { kind: Kind }>))
      }
      const fail = (why: string): void => settle(() => reject(new Error(`the process of the arm ${this.#arm} ${why}`)))
      const exited = (code: number | null, signal: string | null): void => fail(`ended with ${signal ?? `code ${code}`}`)
      const timer = setTimeout(() => fail(`has not reported '${kind}' within ${PATIENCE_MS} ms`), PATIENCE_MS)
      this.#child.on('message', hear)
      this.#child.on('exit', exited)
    })
  }
}
