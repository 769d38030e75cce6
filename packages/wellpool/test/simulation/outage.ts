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

  get surely(): boolean {
    return this.failures > 0 && !this.uncertain
  }

  get surelyNot(): boolean {
    return this.failures === 0 && !this.uncertain
  }
}
