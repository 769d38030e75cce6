import { type EventFilter, matches } from './event-filter.ts'
import { EVENT_NAMES, type EventRecord, type ToldEvent } from './pool-event.ts'
import { Ring } from './ring.ts'

/** The latest events of each kind: a storm of one kind does not push out the others. */
export class EventHistory {
  readonly #rings: ReadonlyMap<ToldEvent, Ring<EventRecord>>

  /** @param capacity for each kind */
  constructor(capacity: number) {
    this.#rings = new Map(EVENT_NAMES.map((name) => [name, new Ring<EventRecord>(capacity)]))
  }

  add(event: EventRecord): void {
    this.#rings.get(event.name)?.push(event)
  }

  /** How many events of the kinds that are asked for are no longer there. */
  lost({ names }: EventFilter): number {
    let lost = 0
    for (const [name, ring] of this.#rings) if (names === undefined || names.has(name)) lost += ring.lost
    return lost
  }

  /**
   * The latest events that match, the oldest first.
   *
   * @param after only those whose `seq` is larger
   */
  find(filter: EventFilter, limit: number, after = 0): EventRecord[] {
    const found: EventRecord[] = []
    for (const [name, ring] of this.#rings) {
      if (filter.names !== undefined && !filter.names.has(name)) continue
      for (const event of ring) if (event.seq > after && matches(event, filter)) found.push(event)
    }
    return found.sort((a, b) => a.seq - b.seq).slice(-limit)
  }
}
