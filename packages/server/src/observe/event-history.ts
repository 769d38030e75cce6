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
      findLatest(ring, filter, limit, after, found)
    }
    return found.sort((a, b) => a.seq - b.seq).slice(-limit)
  }
}

/** From the newest on, until there are enough or the rest is too old. */
function findLatest(ring: Ring<EventRecord>, filter: EventFilter, limit: number, after: number, found: EventRecord[]): void {
  let left = limit
  for (let index = ring.length - 1; index >= 0 && left > 0; index--) {
    const event = ring.at(index)
    if (event.seq <= after) return
    if (!matches(event, filter)) continue
    found.push(event)
    left--
  }
}
