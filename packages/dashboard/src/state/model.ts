import { batch, type Signal, signal } from '@preact/signals'
import type { Configuration, Connection, EventPage, EventRecord, Pool, Sample } from '../api/contract.ts'
import { Clues } from './clues.ts'
import { ConnectionTable } from './connection-table.ts'
import { type Diagnosis, diagnose } from './diagnosis.ts'
import { EventList } from './event-list.ts'
import { EventLog } from './event-log.ts'
import type { OnFrame } from './frame-queue.ts'
import { RebuildCourses } from './rebuild-courses.ts'
import { SampleLog } from './sample-log.ts'
import { throttle } from './throttle.ts'

/** How this page and the agent are connected. */
export interface Link {
  /** Whether events are followed as they happen. */
  readonly streaming: boolean
  /** When the agent was last heard, by the clock of this machine. */
  readonly heardAt: number
  /** While pools and connections can't be read: when they last were, by the clock of this machine. */
  readonly staleSince: number | undefined
  /** When the stream is opened again, by the clock of this machine. */
  readonly nextTryAt: number | undefined
}

/** Lists are drawn anew at most once in so many ms, however many events come. */
const LISTS_EVERY = 250

/** What this page knows of the pools. It knows nothing of requests, and nothing of how it is drawn. */
export class Model {
  readonly pools: Signal<readonly Pool[]> = signal([])
  readonly connections: ConnectionTable
  /** Undefined until the pools have been seen. */
  readonly diagnosis: Signal<Diagnosis | undefined> = signal(undefined)
  readonly configuration: Signal<Configuration | undefined> = signal(undefined)
  readonly link: Signal<Link> = signal({ streaming: false, heardAt: Date.now(), staleSince: undefined, nextTryAt: undefined })
  /** The time of this machine; grows twice a second. */
  readonly now: Signal<number> = signal(Date.now())
  readonly events = new EventLog()
  readonly eventList = new EventList(this.events)
  readonly courses = new RebuildCourses()
  readonly samples = new SampleLog()
  readonly #clues = new Clues()
  /** Change when the lists of the same name have changed. */
  readonly eventsChanged = signal(0)
  readonly samplesChanged = signal(0)
  /** When pools and connections were last read, by the clock of this machine. */
  #presentAt = Date.now()
  /** What the agent's clock is ahead of this machine's, ms. */
  #clockLead = 0
  readonly #showEvents = throttle(LISTS_EVERY, () => {
    batch(() => {
      this.eventsChanged.value++
      this.#diagnose()
    })
  })

  constructor(onFrame: OnFrame) {
    this.connections = new ConnectionTable(onFrame)
  }

  /** The time of the agent, in whose time everything is told. */
  get agentNow(): number {
    return this.now.value + this.#clockLead
  }

  /** Lets time pass. */
  tick(now: number): void {
    this.now.value = now
  }

  setPresent(pools: readonly Pool[], connections: readonly Connection[]): void {
    batch(() => {
      this.pools.value = keepSame(this.pools.peek(), pools)
      this.connections.set(connections)
      const find = (id: string): Connection | undefined => this.connections.all.peek().get(id)
      // While the stream is away, what has become of them may still be told.
      if (this.link.peek().streaming && this.courses.reconcile(find, Date.now() + this.#clockLead)) this.eventsChanged.value++
      this.#clues.reconcile(this.connections.all.peek())
      this.#diagnose()
    })
    this.#presentAt = Date.now()
    this.link.value = { ...this.link.peek(), heardAt: this.#presentAt, staleSince: undefined }
  }

  /** Pools and connections could not be read: whatever else is heard, what is shown of them grows older. */
  setStale(): void {
    this.link.value = { ...this.link.peek(), staleSince: this.#presentAt }
  }

  /** Begins anew with what the agent remembers, and with what it has told since. */
  setHistory({ events, seq }: EventPage): void {
    const since = this.events.events.filter((event) => event.seq > seq)
    this.courses.clear()
    this.#clues.clear()
    this.events.reset([...events, ...since], since.at(-1)?.seq ?? seq)
    for (const event of this.events.events) this.#learn(event)
    this.#showEvents()
  }

  /** Forgets what an agent has told that is gone. */
  forgetHistory(): void {
    this.events.reset([], 0)
    this.eventList.letGo()
    this.courses.clear()
    this.#clues.clear()
    this.#showEvents()
  }

  addEvent(event: EventRecord): void {
    if (!this.events.add(event)) return
    this.#learn(event)
    this.#showEvents()
  }

  addLeftOut(counts: Readonly<Record<string, number>>): void {
    this.events.addLeftOut(counts)
    this.#showEvents()
  }

  addSamples(pools: Readonly<Record<string, Sample>>): void {
    for (const [pool, sample] of Object.entries(pools)) {
      this.samples.add(pool, sample)
      this.#clockLead = sample.timestamp - Date.now()
    }
    this.samplesChanged.value++
    this.heard()
  }

  fillSamples(pool: string, samples: readonly Sample[]): void {
    this.samples.fill(pool, samples)
    this.samplesChanged.value++
  }

  /** The agent has said something. */
  heard(): void {
    this.link.value = { ...this.link.peek(), heardAt: Date.now() }
  }

  setStreaming(streaming: boolean, nextTryAt: number | undefined): void {
    this.link.value = { ...this.link.peek(), streaming, nextTryAt }
  }

  /** Forgets everything: somebody else may look next. */
  clear(): void {
    batch(() => {
      this.link.value = { ...this.link.peek(), staleSince: undefined }
      this.pools.value = []
      this.connections.set([])
      this.configuration.value = undefined
      this.events.reset([], 0)
      this.eventList.clear()
      this.courses.clear()
      this.#clues.clear()
      this.samples.clear()
      this.diagnosis.value = undefined
      this.eventsChanged.value++
      this.samplesChanged.value++
    })
  }

  #learn(event: EventRecord): void {
    this.courses.add(event)
    this.#clues.add(event)
  }

  #diagnose(): void {
    this.diagnosis.value = diagnose(this.pools.peek(), this.connections.all.peek(), this.courses, this.#clues)
  }
}

/** Samples come once a second: after so long without a word something is wrong, ms. */
const SILENT_MS = 3500

/** How old that is which is shown, ms. */
export function dataAge({ heardAt, staleSince }: Link, now: number): number {
  return Math.max(0, now - (staleSince ?? heardAt))
}

/** Whether that is older than it may be which is shown. */
export function isStale(link: Link, now: number): boolean {
  return dataAge(link, now) >= SILENT_MS
}

/** Whether the agent has said nothing for longer than it may. */
export function isSilent({ heardAt }: Link, now: number): boolean {
  return now - heardAt >= SILENT_MS
}

/** Leaves the object of each pool that looks as it did: what shows it need not be drawn anew. */
function keepSame(before: readonly Pool[], now: readonly Pool[]): readonly Pool[] {
  const known = new Map(before.map((pool) => [pool.name, pool]))
  return now.map((pool) => {
    const old = known.get(pool.name)
    return old !== undefined && shownOf(old) === shownOf(pool) ? old : pool
  })
}

function shownOf({ name, protocol, canServe, maxConnections, stats }: Pool): string {
  const { state, total, idle, acquired, retired, waiting, breaker, panic, health } = stats
  return JSON.stringify([name, protocol, canServe, maxConnections, state, total, idle, acquired, retired, waiting, breaker, panic, health])
}
