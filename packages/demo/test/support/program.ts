import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** How the demo ended. */
export interface Ended {
  readonly code: number | null
  readonly lines: readonly string[]
  readonly errors: string
}

/** The demo as a process of its own, with its output piped: without a terminal. */
export class Program {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<Ended>
  #errors = ''

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const { WELLPOOL_DEMO_POSTGRES_URL: _, ...rest } = process.env
    const imports = [`--import=${file('../../../../tools/typescript.mjs')}`, `--import=${file('./sources.mjs')}`]
    this.#child = spawn(process.execPath, [...imports, file('../../src/main.ts'), ...args], { env: { ...rest, ...env } })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString()
    })
    const { stdout } = this.#child
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.lines.push(line))
    this.#ended = once(this.#child, 'close').then(([code]) => ({ code, lines: this.lines, errors: this.#errors }))
  }

  /** Resolves with the first line that matches. @throws when the program ends without one */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line))
      if (found !== undefined) return found
      const more = once(this.#child.stdout as NodeJS.EventEmitter, 'data').then(() => true)
      if (!(await Promise.race([more, this.#ended.then(() => false)]))) {
        throw new Error(`the demo ended without a line like ${pattern}:\n${this.lines.join('\n')}\n${this.#errors}`)
      }
    }
  }

  /** Reads no more: what the program writes from now on it writes to nobody. */
  stopReading(): void {
    this.#child.stdout?.destroy()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves when the process has ended and all that it wrote has been read. */
  ended(): Promise<Ended> {
    return this.#ended
  }

  /** The process and all that it has started, as far as they run now. */
  async processes(): Promise<number[]> {
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='])
    const pairs = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
    const found = [this.#child.pid as number]
    for (const parent of found) for (const [pid, ppid] of pairs) if (ppid === parent) found.push(pid)
    return found
  }
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
