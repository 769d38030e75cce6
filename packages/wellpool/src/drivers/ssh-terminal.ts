import { StringDecoder } from 'node:string_decoder'

const ESC = '\u001b'
const BEL = '\u0007'
/** ESC, and what may follow: a control sequence, a string up to its end, a designation of two characters, or one character. */
const SEQUENCE = new RegExp(
  `${ESC}(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)|[ -/]+[0-~]|[0-OQ-WYZ\\\\\`-~])`,
  'y',
)
/** The beginning of one, at the end of what has arrived. */
const BEGUN = new RegExp(`${ESC}(?:\\[[0-?]*[ -/]*|[\\]PX^_][^${BEL}${ESC}]*${ESC}?|[ -/]*)$`, 'y')
/** Longer than any sequence: an ESC that is none must not hold back all that follows. */
const MAX_SEQUENCE = 4096
/** What is no control character; a tabulator stays what it is. */
const PLAIN = /[\t\P{Cc}]+/uy

/**
 * What a terminal would show: control sequences, backspaces and carriage returns have had their effect and are gone.
 * It has no bottom, and no top: lines are dropped by {@link forget} alone.
 */
export class TerminalText {
  readonly #columns: number
  readonly #decoder: StringDecoder
  /** Lines that have ended, without blanks at their ends. */
  #ended: string[] = []
  /** The cursor's line: several rows when it is longer than the screen is wide. */
  #rows = ['']
  #column = 0
  /** The beginning of a sequence whose rest has not arrived. */
  #pending = ''
  #size = 0

  /** @param columns where lines wrap, as the peer was told */
  constructor(columns: number, encoding: BufferEncoding = 'utf8') {
    this.#columns = columns
    this.#decoder = new StringDecoder(encoding)
  }

  /** How many bytes have been written since {@link forget}. */
  get size(): number {
    return this.#size
  }

  /** How many lines have ended since {@link forget}. */
  get endedCount(): number {
    return this.#ended.length
  }

  /** The line on which the cursor is, without blanks at its end. */
  get lastLine(): string {
    return this.cursorLine.trimEnd()
  }

  /** The line on which the cursor is, as it is. */
  get cursorLine(): string {
    return this.#rows.join('')
  }

  /** One of the lines that have ended, from 0. */
  endedLine(index: number): string {
    return this.#ended[index] ?? ''
  }

  /** The lines from this one on, the cursor's own included, without blanks at their ends. */
  linesFrom(index: number): string[] {
    return [...this.#ended.slice(index), this.lastLine]
  }

  write(data: Buffer): void {
    const text = this.#pending + this.#decoder.write(data)
    this.#pending = ''
    this.#size += data.length
    let position = 0
    while (position < text.length) {
      PLAIN.lastIndex = position
      const plain = PLAIN.exec(text)
      if (plain !== null) {
        this.#print(plain[0])
        position = PLAIN.lastIndex
      } else if (text[position] === ESC) {
        SEQUENCE.lastIndex = position
        const sequence = SEQUENCE.exec(text)
        BEGUN.lastIndex = position
        if (sequence === null && text.length - position < MAX_SEQUENCE && BEGUN.test(text)) {
          this.#pending = text.slice(position)
          return
        }
        if (sequence !== null) this.#obey(sequence[0])
        position += sequence?.[0].length ?? 1
      } else {
        this.#control(text[position] as string)
        position++
      }
    }
  }

  /** Drops all lines but the cursor's own. */
  forget(): void {
    this.#ended = []
    this.#size = 0
  }

  get #row(): string {
    return this.#rows.at(-1) as string
  }

  set #row(text: string) {
    this.#rows[this.#rows.length - 1] = text
  }

  #print(text: string): void {
    let rest = text
    while (rest !== '') {
      // At the right edge the cursor waits: only the next character goes to the next row.
      if (this.#column >= this.#columns) {
        this.#rows.push('')
        this.#column = 0
      }
      const piece = rest.slice(0, this.#columns - this.#column)
      rest = rest.slice(piece.length)
      const row = this.#row
      const before = this.#column > row.length ? row.padEnd(this.#column) : row.slice(0, this.#column)
      this.#row = before + piece + row.slice(this.#column + piece.length)
      this.#column += piece.length
    }
  }

  #control(character: string): void {
    // To the beginning as well: what a terminal would make a staircase of, a device means as lines.
    if (character === '\n') this.#newLine()
    else if (character === '\r') this.#column = 0
    else if (character === '\b') this.#column = Math.max(0, Math.min(this.#column, this.#columns) - 1)
    // All others have nothing to show: BEL, NUL, DEL, …
  }

  #obey(sequence: string): void {
    if (!sequence.startsWith(`${ESC}[`)) return
    const command = sequence.at(-1)
    const [first = '', second = ''] = sequence.slice(2, -1).split(';')
    const count = Number(first) || 1
    if (command === 'C') this.#column = Math.min(this.#column + count, this.#columns - 1)
    else if (command === 'D') this.#column = Math.max(0, this.#column - count)
    else if (command === 'G') this.#column = Math.min(count, this.#columns) - 1
    else if (command === 'K' || command === 'J') this.#erase(first)
    else if (command === 'P') this.#row = this.#row.slice(0, this.#column) + this.#row.slice(this.#column + count)
    else if (command === 'H' || command === 'f') {
      // Somewhere else on the screen, of which we keep no picture: what stands there is another line.
      if (this.lastLine !== '') this.#newLine()
      this.#column = Math.min(Number(second) || 1, this.#columns) - 1
    }
  }

  #erase(which: string): void {
    const row = this.#row
    if (which === '' || which === '0') this.#row = row.slice(0, this.#column)
    else if (which === '1') this.#row = ' '.repeat(Math.min(this.#column, row.length)) + row.slice(this.#column)
    else if (which === '2') this.#row = ''
  }

  #newLine(): void {
    this.#ended.push(this.lastLine)
    this.#rows = ['']
    this.#column = 0
  }
}
