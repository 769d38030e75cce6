import type { Connection, EventRecord } from '../api/contract.ts'
import { detailsOf } from './event-details.ts'

/** Why connects of a pool fail. */
export interface ConnectTrouble {
  readonly error: string
  /** When the next one is tried, ms since 1970. */
  readonly nextTryAt: number
}

/** What explains how connections and pools are, and is in no record of theirs: it was told by events. */
export class Clues {
  readonly #checkFailures = new Map<string, string>()
  readonly #troubles = new Map<string, ConnectTrouble>()
  readonly #leaks = new Map<string, number>()

  /** Why the latest check of a connection failed, until it is well again. */
  checkFailure(connectionId: string): string | undefined {
    return this.#checkFailures.get(connectionId)
  }

  /** Why the breaker of a pool is open, until it closes. */
  connectTrouble(pool: string): ConnectTrouble | undefined {
    return this.#troubles.get(pool)
  }

  /** Since when a connection has been held that was found to be held for too long. */
  heldSince(connectionId: string): number | undefined {
    return this.#leaks.get(connectionId)
  }

  clear(): void {
    this.#checkFailures.clear()
    this.#troubles.clear()
    this.#leaks.clear()
  }

  /** Forgets what does not hold any more: that a lease was given back is told by no event, and others may have been missed. */
  reconcile(connections: ReadonlyMap<string, Pick<Connection, 'state'>>): void {
    for (const id of [...this.#leaks.keys()]) if (connections.get(id)?.state !== 'acquired') this.#leaks.delete(id)
    for (const id of [...this.#checkFailures.keys()]) if (!connections.has(id)) this.#checkFailures.delete(id)
  }

  add(event: EventRecord): void {
    const { name, pool, connectionId, timestamp } = event
    const { error = '', retryInMs = 0, heldMs = 0, to } = detailsOf(event)
    if (name === 'breakerOpened') this.#troubles.set(pool, { error, nextTryAt: timestamp + retryInMs })
    else if (name === 'breakerClosed' || name === 'poolClosed') this.#troubles.delete(pool)
    if (connectionId === undefined) return
    if (name === 'healthCheckFailed') this.#checkFailures.set(connectionId, error)
    else if (name === 'healthStatusChanged' && to === 'healthy') this.#checkFailures.delete(connectionId)
    else if (name === 'leakSuspected') this.#leaks.set(connectionId, timestamp - heldMs)
    else if (name === 'connectionClosed' || name === 'rebuildCompleted') {
      this.#checkFailures.delete(connectionId)
      this.#leaks.delete(connectionId)
    }
  }
}
