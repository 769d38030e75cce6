import { Child } from '../src/child.ts'
import type { ArmName } from './arms.ts'
import type { Command, Memory, Report, Slice } from './messages.ts'

/** An application with a pool, in a process of its own. */
export class ApplicationProcess {
  readonly #child: Child<Command, Report>

  private constructor(child: Child<Command, Report>) {
    this.#child = child
  }

  /** Starts it. Resolves when its pool is warm and at rest. */
  static async start(program: string, env: Readonly<Record<string, string>>): Promise<ApplicationProcess> {
    const child = new Child<Command, Report>(program, {
      name: 'the application',
      args: [],
      flags: ['--expose-gc', '--no-flush-bytecode'],
      env,
    })
    await child.hear('ready')
    return new ApplicationProcess(child)
  }

  /** Puts load on it as one of the arms: so many requests a second, or as many as it can do. */
  async slice(arm: ArmName, rate: number | undefined): Promise<Slice> {
    this.#child.tell({ do: 'slice', arm, rate })
    return (await this.#child.hear('slice')).slice
  }

  /** Ends it. @returns how much memory was in use, as one of the arms */
  async end(arm: ArmName): Promise<Memory> {
    this.#child.tell({ do: 'end', arm })
    return (await this.#child.hear('ended')).memory
  }

  /** Ends it at once, if it has not ended yet. */
  kill(): void {
    this.#child.kill()
  }
}
