import { Child } from '../src/child.ts'
import type { ArmName } from './arms.ts'
import type { Command, Ended, Report, Slice } from './messages.ts'

/** An arm, in a process of its own. */
export class ArmProcess {
  readonly #child: Child<Command, Report>

  private constructor(child: Child<Command, Report>) {
    this.#child = child
  }

  /** Starts it. Resolves when its pool is warm and at rest. */
  static async start(program: string, arm: ArmName, env: Readonly<Record<string, string>>): Promise<ArmProcess> {
    const child = new Child<Command, Report>(program, {
      name: `the arm ${arm}`,
      args: [arm],
      flags: ['--expose-gc', '--no-flush-bytecode'],
      env,
    })
    await child.hear('ready')
    return new ArmProcess(child)
  }

  /** Puts load on it: so many requests a second, or as many as it can do. */
  async slice(rate: number | undefined): Promise<Slice> {
    this.#child.tell({ do: 'slice', rate })
    return (await this.#child.hear('slice')).slice
  }

  /** Ends it. */
  async end(): Promise<Ended> {
    this.#child.tell({ do: 'end' })
    return (await this.#child.hear('ended')).ended
  }

  /** Ends it at once, if it has not ended yet. */
  kill(): void {
    this.#child.kill()
  }
}
