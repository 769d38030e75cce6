import type { ServerResponse } from 'node:http'
import type { EventFeed } from './event-feed.ts'
import { type EventFilter, type EventHistory, matches } from './event-history.ts'
import type { EventRecord } from './pool-event.ts'
import type { Sample, Timeline } from './timeline.ts'

/** What a client wants to hear. */
export interface Subscription {
  readonly filter: EventFilter
  /** Whether it wants each pool's samples, once a second. */
  readonly samples: boolean
  /** Wants what came after this event first, as far as it is remembered. */
  readonly after: number | undefined
}

/** Events are sent in chunks, so that a storm costs as little as a breeze. ms */
const FLUSH_EVERY = 100
/** Events of one kind in one chunk, and in all: what is over is left out and counted. */
const MAX_OF_A_KIND = 20
const MAX_EVENTS = 100
/** After so long without anything a client gets a sign of life. ms */
const HEARTBEAT_EVERY = 15_000
/** A client that takes nothing for longer is hung up on. ms */
const MAX_BLOCKED = 30_000
/** What is sent at most of what has been missed. */
const MAX_RESUMED = 1000

interface Client {
  readonly response: ServerResponse
  readonly subscription: Subscription
  /** When it stopped taking what is sent; undefined while it takes it. */
  blockedSince: number | undefined
  lastSent: number
  /** Events that this client was not told, by name. */
  leftOut: Map<string, number>
}

/** Tells clients what happens, as server-sent events. None of them can slow down the pools, or each other. */
export class EventStream {
  readonly #history: EventHistory
  readonly #maxClients: number
  readonly #clients = new Set<Client>()
  readonly #off: readonly (() => void)[]
  #pending: EventRecord[] = []
  #kinds = new Map<string, number>()
  #leftOut = new Map<string, number>()
  #samples: Record<string, Sample> = {}
  #timer: NodeJS.Timeout | undefined

  constructor(feed: EventFeed, history: EventHistory, timeline: Timeline, maxClients: number) {
    this.#history = history
    this.#maxClients = maxClients
    this.#off = [
      feed.on((event) => this.#hear(event)),
      timeline.on((pool, sample) => {
        if (this.#clients.size > 0) this.#samples[pool] = sample
      }),
    ]
  }

  get clients(): number {
    return this.#clients.size
  }

  get isFull(): boolean {
    return this.#clients.size >= this.#maxClients
  }

  /**
   * Tells a client from now on. Caller must have asked `isFull`, and has sent the head of the response.
   *
   * @param hello what it is told first
   */
  add(response: ServerResponse, subscription: Subscription, hello: object): void {
    const client: Client = { response, subscription, blockedSince: undefined, lastSent: Date.now(), leftOut: new Map() }
    this.#clients.add(client)
    response.on('drain', () => {
      client.blockedSince = undefined
    })
    response.on('close', () => this.#remove(client))
    response.on('error', () => this.#remove(client))
    const { after, filter } = subscription
    const missed = after === undefined ? [] : this.#history.find(filter, MAX_RESUMED, after)
    this.#send(client, message('hello', hello) + missed.map(eventText).join(''))
    this.#timer ??= setInterval(() => this.#flush(Date.now()), FLUSH_EVERY).unref()
  }

  /** Hangs up on all. */
  close(): void {
    for (const off of this.#off) off()
    for (const { response } of [...this.#clients]) response.destroy()
    this.#clients.clear()
    clearInterval(this.#timer)
  }

  #remove(client: Client): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#empty()
  }

  #hear(event: EventRecord): void {
    if (this.#clients.size === 0) return
    const ofKind = (this.#kinds.get(event.name) ?? 0) + 1
    this.#kinds.set(event.name, ofKind)
    if (ofKind > MAX_OF_A_KIND || this.#pending.length >= MAX_EVENTS) count(this.#leftOut, event.name, 1)
    else this.#pending.push(event)
  }

  #flush(now: number): void {
    const texts = this.#pending.map((event) => ({ event, text: eventText(event) }))
    const everything = texts.map(({ text }) => text).join('')
    const samples = Object.keys(this.#samples).length === 0 ? '' : message('samples', { pools: this.#samples })
    for (const client of [...this.#clients]) this.#tell(client, now, texts, everything, samples)
    this.#empty()
  }

  #tell(client: Client, now: number, texts: readonly { event: EventRecord; text: string }[], everything: string, samples: string): void {
    const { filter } = client.subscription
    const isWanted = (name: string): boolean => filter.names === undefined || filter.names.has(name)
    for (const [name, left] of this.#leftOut) if (isWanted(name)) count(client.leftOut, name, left)
    const wanted = isOpen(filter) ? texts : texts.filter(({ event }) => matches(event, filter))
    if (client.blockedSince !== undefined) {
      for (const { event } of wanted) count(client.leftOut, event.name, 1)
      if (now - client.blockedSince > MAX_BLOCKED) client.response.destroy()
      return
    }
    let chunk = wanted === texts ? everything : wanted.map(({ text }) => text).join('')
    if (client.leftOut.size > 0) {
      chunk += message('left-out', Object.fromEntries(client.leftOut))
      client.leftOut = new Map()
    }
    if (client.subscription.samples) chunk += filter.pool === undefined ? samples : this.#samplesOf(filter.pool)
    if (chunk === '' && now - client.lastSent >= HEARTBEAT_EVERY) chunk = ': still here\n\n'
    if (chunk !== '') this.#send(client, chunk)
  }

  #samplesOf(pool: string): string {
    const sample = this.#samples[pool]
    return sample === undefined ? '' : message('samples', { pools: { [pool]: sample } })
  }

  #send(client: Client, chunk: string): void {
    client.lastSent = Date.now()
    if (!client.response.write(chunk)) client.blockedSince = client.lastSent
  }

  #empty(): void {
    this.#pending = []
    this.#kinds = new Map()
    this.#leftOut = new Map()
    this.#samples = {}
  }
}

const isOpen = ({ names, pool, protocol, connectionId }: EventFilter): boolean =>
  names === undefined && pool === undefined && protocol === undefined && connectionId === undefined

const message = (type: string, data: unknown): string => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`

const eventText = (event: EventRecord): string => `id: ${event.seq}\n${message('event', event)}`

function count(counts: Map<string, number>, name: string, more: number): void {
  counts.set(name, (counts.get(name) ?? 0) + more)
}
