import type { TerminalText } from './ssh-terminal.ts'

/** Where the answer to a command begins: behind the echo of the command. */
export interface EchoEnd {
  /** The line in which the echo ends, as the terminal counts them. */
  readonly line: number
  /** What stands behind it in that line. */
  readonly rest: string
}

/**
 * Finds the echo of a command in what comes back: the prompt, and behind it the command. Devices break long lines,
 * redraw them and put blanks in: only what is no blank is compared. Whatever stands before the echo belongs to
 * something earlier.
 */
export class EchoFinder {
  readonly #wanted: string
  /** What has come, blanks left out: no more of it than an echo may begin in. */
  #seen = ''
  #lines = 0

  /** @param prompt the line on which the command is typed */
  constructor(prompt: string, command: string) {
    this.#wanted = squeeze(prompt + command)
  }

  /** Looks at the lines that have ended since the last call. An echo is complete when its last line has ended. */
  find(terminal: TerminalText): EchoEnd | undefined {
    for (; this.#lines < terminal.endedCount; this.#lines++) {
      const text = terminal.endedLine(this.#lines)
      // Nothing, behind nothing: the end of the line is its echo.
      if (this.#wanted === '') return { line: this.#lines, rest: '' }
      const before = this.#seen.length
      const seen = this.#seen + squeeze(text)
      const at = seen.indexOf(this.#wanted)
      if (at !== -1) return { line: this.#lines, rest: behind(text, at + this.#wanted.length - before) }
      this.#seen = seen.slice(-this.#wanted.length)
    }
    return undefined
  }
}

function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, '')
}

/** What is left of a line behind so many characters that are no blanks. */
function behind(line: string, count: number): string {
  let left = count
  for (let index = 0; index < line.length; index++) {
    if (left === 0) return line.slice(index).trimStart()
    if (!/\s/.test(line[index] as string)) left--
  }
  return ''
}
