import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** What node needs to run the command from its sources. */
export const COMMAND: readonly string[] = [
  process.execPath,
  `--import=${file('../../../../tools/typescript.mjs')}`,
  `--import=${file('./sources.mjs')}`,
  file('../../src/cli/main.ts'),
]

/** The command as a process of its own. */
export class Program {
  readonly #child: ChildProcess
  readonly #ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  out = ''
  err = ''

  constructor(args: readonly string[], env: Record<string, string> = {}, command: readonly string[] = COMMAND) {
    const [program = '', ...first] = command
    this.#child = spawn(program, [...first, ...args], { env: { ...process.env, ...env } })
    this.#child.stdout?.on('data', (chunk) => {
      this.out += String(chunk)
    })
    this.#child.stderr?.on('data', (chunk) => {
      this.err += String(chunk)
    })
    this.#ended = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }))
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Nobody reads what it writes any more. */
  closeOutput(): void {
    this.#child.stdout?.destroy()
  }

  write(text: string): void {
    this.#child.stdin?.write(text)
  }

  ended(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    return this.#ended
  }

  /** Ends it, however it stands. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
