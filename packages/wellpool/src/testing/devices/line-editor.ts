/** What somebody types at a device, and what the device does with each key. */
export interface EditorHands {
  /** A line is complete. */
  line(text: string): void
  /** A key while the device waits for one: true when it was taken. */
  key(key: string): boolean
  /** Shows what was typed. */
  echo(text: string): void
}

const BACKSPACES = ['\b', '\u007f']
const CTRL_C = '\u0003'
const CTRL_U = '\u0015'

/** The input line of a device: it echoes, unless what is typed is secret, and takes back what is deleted. */
export class LineEditor {
  readonly #hands: EditorHands
  #text = ''
  #afterReturn = false
  /** Whether what is typed stays unseen. */
  hidden = false

  constructor(hands: EditorHands) {
    this.#hands = hands
  }

  /** One key. */
  type(key: string): void {
    const afterReturn = this.#afterReturn
    this.#afterReturn = key === '\r'
    // CR and LF together are one key.
    if (key === '\n' && afterReturn) return
    if (this.#hands.key(key)) return
    if (key === '\r' || key === '\n') this.#enter()
    else if (BACKSPACES.includes(key)) this.#delete(1)
    else if (key === CTRL_U) this.#delete(this.#text.length)
    else if (key === CTRL_C) {
      this.#text = ''
      this.#hands.echo('^C')
      this.#enter()
    } else if (key >= ' ') {
      this.#text += key
      if (!this.hidden) this.#hands.echo(key)
    }
  }

  #enter(): void {
    const text = this.#text
    this.#text = ''
    this.#hands.echo('\r\n')
    this.#hands.line(text)
  }

  #delete(count: number): void {
    const deleted = this.#text.slice(-count).length
    this.#text = this.#text.slice(0, this.#text.length - deleted)
    if (!this.hidden) this.#hands.echo('\b \b'.repeat(deleted))
  }
}
