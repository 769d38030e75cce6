import type { Io } from './io.ts'

const ESCAPE = '\u001b['
const ALTERNATE = { on: `${ESCAPE}?1049h${ESCAPE}?25l`, off: `${ESCAPE}?25h${ESCAPE}?1049l` }

/** An arrow, or another key that is told by a sequence; or a character. */
const KEY = new RegExp(`${ESCAPE.replace('[', '\\[')}[0-9;]*[A-Za-z~]|.`, 'gsu')

/** What ends a program whose terminal has to be given back first. */
const ENDING = ['SIGTERM', 'SIGHUP'] as const

/** A whole terminal: its own page, which is gone afterwards, without a cursor. */
export class Screen {
  readonly #io: Io
  #keyListener: ((key: string) => void) | undefined
  #open = false

  constructor(io: Io) {
    this.#io = io
  }

  // A terminal on a serial line, or in some containers, does not know how large it is and says 0.
  get columns(): number {
    return this.#io.stdout.columns || 80
  }

  get rows(): number {
    return this.#io.stdout.rows || 24
  }

  onKey(listener: (key: string) => void): void {
    this.#keyListener = listener
  }

  open(): void {
    const { stdin, stdout } = this.#io
    this.#open = true
    for (const signal of ENDING) process.once(signal, this.#end)
    stdout.write(ALTERNATE.on)
    if (stdin.isTTY === true) {
      stdin.setRawMode?.(true)
      stdin.on('data', this.#hear)
      stdin.resume()
    }
  }

  /** Shows these lines, each within its width: what was there is written over. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return
    const page = lines.slice(0, this.rows).map((line) => `${line}${ESCAPE}K`)
    this.#io.stdout.write(`${ESCAPE}H${page.join('\r\n')}${ESCAPE}J`)
  }

  /** Gives the terminal back as it was. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    for (const signal of ENDING) process.off(signal, this.#end)
    const { stdin, stdout } = this.#io
    if (stdin.isTTY === true) {
      stdin.off('data', this.#hear)
      stdin.setRawMode?.(false)
      stdin.pause()
    }
    stdout.write(ALTERNATE.off)
  }

  /** With nobody listening any more the signal does what it does; also where the terminal is gone. */
  readonly #end = (signal: NodeJS.Signals): void => {
    try {
      this.close()
    } finally {
      process.kill(process.pid, signal)
    }
  }

  /** Several keys may come at once: a held arrow, or somebody who types fast. */
  readonly #hear = (bytes: Buffer | string): void => {
    for (const [key] of bytes.toString().matchAll(KEY)) this.#keyListener?.(key)
  }
}
