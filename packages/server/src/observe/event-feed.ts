import { randomUUID } from 'node:crypto'
import type { PoolEvent, Pools } from 'wellpool'
import { EVENT_NAMES, type EventRecord, type ToldEvent, toEventRecord } from './pool-event.ts'

/** Hears all pools of a set, those that are added later included, and passes each event on as a record. */
export class EventFeed {
  /** No other feed has the same: by it clients know that the numbers which they have are those of another one. */
  readonly instance: string = randomUUID()
  readonly #listeners = new Set<(event: EventRecord) => void>()
  readonly #off: readonly (() => void)[]
  #seq = 0

  constructor(pools: Pools) {
    this.#off = EVENT_NAMES.map((name: ToldEvent) => pools.on(name, (event) => this.tell(name, event)))
  }

  /** The number of the latest event. */
  get seq(): number {
    return this.#seq
  }

  /** @returns a function that takes the listener off again */
  on(listener: (event: EventRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Passes an event on. The pools' listeners call it. */
  tell(name: ToldEvent, event: PoolEvent): void {
    const record = toEventRecord(++this.#seq, name, event)
    for (const listener of this.#listeners) listener(record)
  }

  close(): void {
    for (const off of this.#off) off()
    this.#listeners.clear()
  }
}
