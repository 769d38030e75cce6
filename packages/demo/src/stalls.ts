/** How often the time is looked at, ms. */
const EVERY_MS = 10
/** Lateness below this is what timers always have, ms. */
const FLOOR_MS = 20
/** Stalls are remembered for this long, ms. */
const KEPT_MS = 60_000

interface Stall {
  readonly from: number
  readonly to: number
}

/**
 * Notices when the machine does not let this process run: no answer can be read then, however soon it came. Time in
 * which the process itself computed is no stall, so a pool that blocked the event loop would not be excused.
 */
export class Stalls {
  #stalls: Stall[] = []
  #timer: NodeJS.Timeout | undefined
  #count = 0
  #totalMs = 0

  /** How many there were. */
  get count(): number {
    return this.#count
  }

  /** How long they were together, ms. */
  get totalMs(): number {
    return this.#totalMs
  }

  start(): void {
    let last = performance.now()
    let cpu = process.cpuUsage()
    this.#timer = setInterval(() => {
      const now = performance.now()
      const { user, system } = process.cpuUsage(cpu)
      this.note(last, now, (user + system) / 1_000)
      last = now
      cpu = process.cpuUsage()
    }, EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** The process came back at `now`, having last been here at `last`; meanwhile it has computed for `ownMs`. */
  note(last: number, now: number, ownMs: number): void {
    const stalledMs = now - last - EVERY_MS - ownMs
    if (stalledMs < FLOOR_MS) return
    this.#count++
    this.#totalMs += stalledMs
    this.#stalls = this.#stalls.filter(({ to }) => to > now - KEPT_MS)
    this.#stalls.push({ from: now - stalledMs, to: now })
  }

  /** How much of the time from `from` to `to` the process was not let run, ms. */
  between(from: number, to: number): number {
    let ms = 0
    for (const stall of this.#stalls) ms += Math.max(0, Math.min(to, stall.to) - Math.max(from, stall.from))
    return ms
  }
}
