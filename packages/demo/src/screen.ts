import { writeSync } from 'node:fs'

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J'
const LEAVE = '\u001b[?2026l\u001b[0m\u001b[?25h\u001b[?1049l'
/** Terminals that know these show a picture only when it is complete; the others ignore them. */
const BEGIN = '\u001b[?2026h'
const END = '\u001b[?2026l'

/** What terminals have had for fifty years. */
const USUAL = { columns: 80, rows: 24 }

/** How large a terminal is. One on a serial line, or in some containers, does not know and says 0. */
export function sizeOf({ columns, rows }: Pick<Terminal, 'columns' | 'rows'>): { readonly columns: number; readonly rows: number } {
  return columns > 0 && rows > 0 ? { columns, rows } : USUAL
}

/** The part of a terminal that a screen needs. */
export interface Terminal {
  readonly fd: number
  readonly columns: number
  readonly rows: number
  write(text: string): boolean
  readonly writableNeedDrain: boolean
}

/**
 * The terminal's second screen: pictures are drawn in place there, and what was on the terminal before is back when
 * it is left. However the process ends, the terminal is given back.
 */
export class Screen {
  readonly #terminal: Terminal
  #shown: string[] | undefined
  #entered = false
  readonly #leave = (): void => this.leave()

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  enter(): void {
    if (this.#entered) return
    this.#entered = true
    this.#shown = undefined
    this.#terminal.write(ENTER)
    process.on('exit', this.#leave)
  }

  /** Shows a picture. Only lines that differ from the last one's are written. */
  show(lines: readonly string[]): void {
    // A terminal that does not keep up gets fewer pictures, not late ones.
    if (!this.#entered || this.#terminal.writableNeedDrain) return
    const before = this.#shown
    let text = before === undefined ? '\u001b[2J' : ''
    const { rows } = sizeOf(this.#terminal)
    for (let index = 0; index < Math.min(rows, Math.max(lines.length, before?.length ?? 0)); index++) {
      const line = lines[index] ?? ''
      if (line !== (before?.[index] ?? '')) text += `\u001b[${index + 1};1H${line}\u001b[0m\u001b[K`
    }
    this.#shown = [...lines]
    if (text !== '') this.#terminal.write(`${BEGIN}${text}${END}`)
  }

  /** The terminal has another size, or something else has written to it: the next picture is drawn as a whole. */
  redraw(): void {
    this.#shown = undefined
  }

  leave(): void {
    if (!this.#entered) return
    this.#entered = false
    process.off('exit', this.#leave)
    try {
      // Not through the stream: at the end of the process what it holds might be lost.
      writeSync(this.#terminal.fd, LEAVE)
    } catch {
      // It is full just now, or gone.
      this.#terminal.write(LEAVE)
    }
  }
}
