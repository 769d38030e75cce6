/** What a conformance suite has measured, for the tables in the documentation. */
export class Figures {
  readonly #times = new Map<string, number[]>()

  /** For the suite's `report`. */
  readonly add = (figure: string, ms: number): void => {
    this.#times.set(figure, [...(this.#times.get(figure) ?? []), ms])
  }

  /** Writes them all, under a title. */
  print(title: string): void {
    const lines = [...this.#times].map(([figure, times]) => `${figure}: ${times.map((ms) => ms.toFixed(1)).join(', ')} ms`)
    console.info(`${title}\n  ${lines.join('\n  ')}`)
  }
}
