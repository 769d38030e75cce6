import { type EventFilter, matches, wantsAll } from './event-filter.ts'
import { type EventRecord, eventJson } from './pool-event.ts'
import type { Sample } from './timeline.ts'

/** What is told at one time. What many hear is made once, and shared as bytes. */
export class EventBatch {
  readonly #events: readonly EventRecord[]
  readonly #samples: Readonly<Record<string, Sample>>
  /** Events that nobody is told, by name. */
  readonly leftOut: ReadonlyMap<string, number>
  #texts: readonly string[] | undefined
  #allSamples: string | undefined
  /** For those who want all events: without samples, and with. */
  #shared: { readonly without: Buffer; readonly with: Buffer } | undefined

  constructor(events: readonly EventRecord[], leftOut: ReadonlyMap<string, number>, samples: Readonly<Record<string, Sample>>) {
    this.#events = events
    this.leftOut = leftOut
    this.#samples = samples
  }

  /** The events that match. */
  eventsFor(filter: EventFilter): readonly EventRecord[] {
    return wantsAll(filter) ? this.#events : this.#events.filter((event) => matches(event, filter))
  }

  /** Everything, for those who want all events and have missed none besides. */
  shared(withSamples: boolean): Buffer {
    if (this.#shared === undefined) {
      const events = this.textFor({}) + leftOutText(this.leftOut)
      const without = Buffer.from(events)
      const samples = this.samplesFor({})
      this.#shared = { without, with: samples === '' ? without : Buffer.from(events + samples) }
    }
    return withSamples ? this.#shared.with : this.#shared.without
  }

  /** The events that match, as messages. */
  textFor(filter: EventFilter): string {
    this.#texts ??= this.#events.map(eventText)
    const texts = this.#texts
    return wantsAll(filter) ? texts.join('') : texts.filter((_, index) => matches(this.#events[index] as EventRecord, filter)).join('')
  }

  /** The samples of all pools, or of the one that is asked for, as a message; nothing if there are none. */
  samplesFor({ pool }: EventFilter): string {
    if (pool !== undefined) {
      const sample = this.#samples[pool]
      return sample === undefined ? '' : message('samples', { pools: { [pool]: sample } })
    }
    this.#allSamples ??= Object.keys(this.#samples).length === 0 ? '' : message('samples', { pools: this.#samples })
    return this.#allSamples
  }
}

/** A message of a stream of server-sent events. */
export function message(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

/** An event as a message, with its number as id: where to go on after it. */
export function eventText(event: EventRecord): string {
  return `id: ${event.seq}\nevent: event\ndata: ${eventJson(event)}\n\n`
}

/** What was not told, as a message; nothing if all was. */
export function leftOutText(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? '' : message('left-out', Object.fromEntries(counts))
}
