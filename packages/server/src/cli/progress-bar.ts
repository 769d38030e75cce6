import type { Output } from './io.ts'
import { plain } from './text.ts'

const WIDTH = 30

/** How far something is, on one line of a terminal that is written over; nothing where there is no terminal. */
export class ProgressBar {
  readonly #output: Output
  readonly #wanted: boolean
  #shown = false

  constructor(output: Output, wanted: boolean) {
    this.#output = output
    this.#wanted = wanted
  }

  show({ total, succeeded, failed }: { readonly total: number; readonly succeeded: number; readonly failed: number }): void {
    if (!this.#wanted || total === 0) return
    this.#shown = true
    const done = Math.min(total, succeeded + failed)
    const filled = Math.round((done / total) * WIDTH)
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled)
    this.#output.write(`\r\u001b[K${plain(`${bar} ${done}/${total}${failed > 0 ? `, ${failed} failed` : ''}`)}`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shown) this.#output.write('\r\u001b[K')
  }
}
