import { type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { EventRecord } from '../api/contract.ts'
import type { EventFilter, EventLog } from './event-log.ts'

/** Events that are listed at most. */
export const SHOWN = 120

/** Events as they were when somebody held them. */
export interface Held {
  readonly events: readonly EventRecord[]
  /** The number of the latest event of then. */
  readonly seq: number
}

const EVERY_INFO: EventFilter = { level: 'info', name: undefined, pool: undefined, text: '' }

/** Which events are listed: those that somebody wants to see, flowing or held. */
export class EventList {
  readonly #log: EventLog
  readonly #held: Signal<Held | undefined> = signal(undefined)
  readonly #filter: Signal<EventFilter> = signal(EVERY_INFO)

  constructor(log: EventLog) {
    this.#log = log
  }

  /** Undefined while they flow. */
  get held(): ReadonlySignal<Held | undefined> {
    return this.#held
  }

  get filter(): ReadonlySignal<EventFilter> {
    return this.#filter
  }

  /** Events that have come since they were held. */
  get newer(): number {
    const held = this.#held.value
    return held === undefined ? 0 : Math.max(0, this.#log.lastSeq - held.seq)
  }

  /** The latest first. */
  find(): readonly EventRecord[] {
    return this.#held.value?.events ?? this.#log.find(this.#filter.value, SHOWN)
  }

  toggleHold(): void {
    this.#held.value = this.#held.peek() === undefined ? { events: this.find(), seq: this.#log.lastSeq } : undefined
  }

  /** Lets them flow. */
  letGo(): void {
    this.#held.value = undefined
  }

  /** Wants others: of what is held they may not be a part. */
  choose(part: Partial<EventFilter>): void {
    this.#filter.value = { ...this.#filter.peek(), ...part }
    this.letGo()
  }

  /** Forgets what somebody wanted to see. */
  clear(): void {
    this.choose(EVERY_INFO)
  }
}
