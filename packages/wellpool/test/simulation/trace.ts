/** What happened in one run, line by line, and a hash of it: two runs that hash alike went alike. */
export class Trace {
  readonly lines: string[] = []
  readonly #keep: boolean
  readonly #names = new Map<string, string>()
  #low = 0x811c9dc5
  #high = 0x01000193
  #count = 0

  /** @param keep whether the lines are kept, not only hashed */
  constructor(keep: boolean) {
    this.#keep = keep
  }

  /** How many lines there were. */
  get count(): number {
    return this.#count
  }

  note(at: number, text: string): void {
    this.#count++
    const line = `${at.toFixed(3)} ${text}`
    for (let index = 0; index < line.length; index++) {
      const code = line.charCodeAt(index)
      this.#low = Math.imul(this.#low ^ code, 0x01000193)
      this.#high = Math.imul(this.#high ^ code, 0x5bd1e995) ^ (this.#high >>> 15)
    }
    if (this.#keep) this.lines.push(line)
  }

  /** A connection's id is unique in the process; in a trace it is counted from 1. */
  name(connectionId: string): string {
    let name = this.#names.get(connectionId)
    if (name === undefined) {
      name = `c${this.#names.size + 1}`
      this.#names.set(connectionId, name)
    }
    return name
  }

  hash(): string {
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
    return hex(this.#low) + hex(this.#high)
  }
}
