/** What can be known of the connects: how the pool's breaker has to stand. */
export class Outage {
  /** Failed tries in a row; 0 while connects succeed. */
  failures = 0
  failedAt = 0
  /** The step of the latest failure: within it, the pool may not have heard of it yet. */
  failedStep = -1
  /** Whether the last connect to end may have failed or been given up: both its time-out and the rebuild's were over. */
  uncertain = false
  /** Connects that succeeded since the last failure. */
  successes = Number.POSITIVE_INFINITY
  /** Whether somebody needed a connection when the first try failed. */
  needed = false
  /** Clients in a row that ended within a second of their connect, and until when another one belongs to them. */
  #endedAtOnce = 0
  #rowUntil = 0
  /** Since when the pool may take what it has connected for failed, from the eleventh in a row on; undefined: it may not. */
  #inVainSince: number | undefined

  get surely(): boolean {
    return this.failures > 0 && !this.uncertain
  }

  get surelyNot(): boolean {
    return this.failures === 0 && !this.uncertain && this.#inVainSince === undefined
  }

  /** A client has ended, and may have been of no use. */
  ended(connectedAt: number, now: number, backoffMax: number): void {
    if (now - connectedAt > 1000) return
    if (now > this.#rowUntil) this.#endedAtOnce = 0
    this.#rowUntil = now + 2000 + backoffMax
    if (++this.#endedAtOnce > 10) this.#inVainSince = now
  }

  /** A connect that began then has succeeded. One from before those ended that were of no use says no more than theirs did. */
  succeeded(begunAt: number): void {
    this.failures = 0
    this.uncertain = false
    this.successes++
    if (this.#inVainSince !== undefined && begunAt > this.#inVainSince) this.#inVainSince = undefined
  }
}
