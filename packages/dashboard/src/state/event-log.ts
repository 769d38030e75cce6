import type { EventName, EventRecord, Level } from '../api/contract.ts'
import { LEVELS } from '../api/contract.ts'

/** Which events are shown. */
export interface EventFilter {
  /** This level and those above it. */
  readonly level: Level
  readonly name: EventName | undefined
  readonly pool: string | undefined
  /** Has to be in the event somewhere, in any case. */
  readonly text: string
}

/** Events that are kept here. */
const CAPACITY = 3000

/** The latest events, and how many are missing. */
export class EventLog {
  #events: EventRecord[] = []
  readonly #leftOut = new Map<string, number>()
  #dropped = 0
  #lastSeq = 0

  /** Grows with each change. */
  version = 0

  /** The oldest first. */
  get events(): readonly EventRecord[] {
    return this.#events
  }

  /** The number of the latest event. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** Events that the agent did not send because there were too many, by name. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.#leftOut
  }

  /** Events that were here and had to make room. */
  get dropped(): number {
    return this.#dropped
  }

  /** Events that are in no other count: from before this page was opened, or from while the stream was away. */
  get others(): number {
    // An agent counts from 1, and leaves no number out.
    const leftOut = [...this.#leftOut.values()].reduce((sum, count) => sum + count, 0)
    return Math.max(0, this.#lastSeq - this.#events.length - this.#dropped - leftOut)
  }

  /** Begins anew with what the agent remembers. */
  reset(events: readonly EventRecord[], seq: number): void {
    this.#events = [...events].slice(-CAPACITY)
    this.#lastSeq = seq
    this.#dropped = 0
    this.#leftOut.clear()
    this.version++
  }

  /** @returns whether it is new */
  add(event: EventRecord): boolean {
    if (event.seq <= this.#lastSeq) return false
    this.#lastSeq = event.seq
    this.#events.push(event)
    // In large steps: taking the first one off moves all others.
    if (this.#events.length > CAPACITY * 1.2) {
      this.#dropped += this.#events.length - CAPACITY
      this.#events = this.#events.slice(-CAPACITY)
    }
    this.version++
    return true
  }

  addLeftOut(counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts)) this.#leftOut.set(name, (this.#leftOut.get(name) ?? 0) + count)
    this.version++
  }

  /** The latest that pass, the latest first. */
  find(filter: EventFilter, limit: number): EventRecord[] {
    const found: EventRecord[] = []
    const passes = passing(filter)
    for (let index = this.#events.length - 1; index >= 0 && found.length < limit; index--) {
      const event = this.#events[index] as EventRecord
      if (passes(event)) found.push(event)
    }
    return found
  }
}

/** Whether an event is among those that are shown. */
export function passing({ level, name, pool, text }: EventFilter): (event: EventRecord) => boolean {
  const lowest = LEVELS.indexOf(level)
  const wanted = text.trim().toLowerCase()
  return (event) =>
    LEVELS.indexOf(event.level) >= lowest &&
    (name === undefined || event.name === name) &&
    (pool === undefined || event.pool === pool) &&
    (wanted === '' || textOf(event).includes(wanted))
}

const textOf = ({ name, pool, connectionId = '', details }: EventRecord): string =>
  `${name} ${pool} ${connectionId} ${JSON.stringify(details)}`.toLowerCase()
