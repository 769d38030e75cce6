import type { ServerResponse } from 'node:http'
import { EventBatch, eventText, leftOutText, message } from './event-batch.ts'
import type { EventFeed } from './event-feed.ts'
import { type EventFilter, matches, wantsAll, wantsAllPools } from './event-filter.ts'
import type { EventHistory } from './event-history.ts'
import type { EventRecord } from './pool-event.ts'
import type { Sample, Timeline } from './timeline.ts'

/** What a client wants to hear. */
export interface Subscription {
  readonly filter: EventFilter
  /** Whether it wants each pool's samples, once a second. */
  readonly samples: boolean
  /** Wants what came after this event first, as far as it is remembered. */
  readonly after: number | undefined
  /** Whether it may still listen: asked once a second. */
  readonly isAllowed: () => boolean
}

/** Events are sent in chunks, so that a storm costs as little as a breeze. ms */
const FLUSH_EVERY = 100
/** Events in one chunk: of a kind and of all kinds of one pool, and of all pools. What is over is left out and counted. */
const MAX_OF_A_KIND = 20
const MAX_OF_A_POOL = 100
const MAX_EVENTS = 200
/** After so long without anything a client gets a sign of life. ms */
const HEARTBEAT_EVERY = 15_000
/** How often it is asked whether a client may still listen. ms */
const RECHECK_EVERY = 1000
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
  /** When it was last known to be allowed to listen. */
  allowedAt: number
  /** Events that this client was not told, by name, as far as the batch does not say so. */
  leftOut: Map<string, number>
}

/** What is told of one pool in the chunk that is being gathered. */
interface Share {
  events: number
  readonly kinds: Map<string, number>
}

const STILL_HERE = Buffer.from(': still here\n\n')

/** Tells clients what happens, as server-sent events. None of them can slow down the pools, or each other. */
export class EventStream {
  readonly #history: EventHistory
  readonly #maxClients: number
  readonly #clients = new Set<Client>()
  /** Of these, those to whom an event's name does not say whether they want it: what they miss is counted for each. */
  readonly #choosy = new Set<Client>()
  readonly #off: readonly (() => void)[]
  #pending: EventRecord[] = []
  /** By pool: a storm in one leaves room for what happens in others. */
  #shares = new Map<string, Share>()
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
    // What has happened by now is for those who were here, or stands in the history.
    this.#flush(Date.now())
    const client: Client = {
      response,
      subscription,
      blockedSince: undefined,
      lastSent: Date.now(),
      allowedAt: Date.now(),
      leftOut: new Map(),
    }
    const { after, filter } = subscription
    this.#clients.add(client)
    if (!wantsAllPools(filter)) this.#choosy.add(client)
    response.on('drain', () => {
      client.blockedSince = undefined
    })
    response.on('close', () => this.#remove(client))
    response.on('error', () => this.#remove(client))
    const missed = after === undefined ? [] : this.#history.find(filter, MAX_RESUMED, after)
    this.#send(client, Buffer.from(message('hello', hello) + missed.map(eventText).join('')))
    this.#timer ??= setInterval(() => this.#flush(Date.now()), FLUSH_EVERY).unref()
  }

  /** Hangs up on all. */
  close(): void {
    for (const off of this.#off) off()
    for (const { response } of [...this.#clients]) response.destroy()
    this.#clients.clear()
    this.#choosy.clear()
    clearInterval(this.#timer)
  }

  #remove(client: Client): void {
    this.#clients.delete(client)
    this.#choosy.delete(client)
    if (this.#clients.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#empty()
  }

  /** Takes an event in: in a storm thousands a second, so that all that is sent is a few, and the rest is counted. */
  #hear(event: EventRecord): void {
    if (this.#clients.size === 0) return
    let share = this.#shares.get(event.pool)
    if (share === undefined) {
      share = { events: 0, kinds: new Map() }
      this.#shares.set(event.pool, share)
    }
    const ofKind = share.kinds.get(event.name) ?? 0
    if (ofKind < MAX_OF_A_KIND && share.events < MAX_OF_A_POOL && this.#pending.length < MAX_EVENTS) {
      share.kinds.set(event.name, ofKind + 1)
      share.events++
      this.#pending.push(event)
      return
    }
    count(this.#leftOut, event.name, 1)
    for (const { subscription, leftOut } of this.#choosy) if (matches(event, subscription.filter)) count(leftOut, event.name, 1)
  }

  #flush(now: number): void {
    const batch = new EventBatch(this.#pending, this.#leftOut, this.#samples)
    this.#empty()
    for (const client of [...this.#clients]) this.#tell(client, now, batch)
  }

  #tell(client: Client, now: number, batch: EventBatch): void {
    const { filter, samples, isAllowed } = client.subscription
    if (now - client.allowedAt >= RECHECK_EVERY) {
      if (!isAllowed()) {
        client.response.destroy()
        return
      }
      client.allowedAt = now
    }
    if (client.blockedSince !== undefined) {
      this.#countMissed(client, batch)
      if (now - client.blockedSince > MAX_BLOCKED) client.response.destroy()
      return
    }
    let chunk: Buffer
    if (wantsAll(filter) && client.leftOut.size === 0) {
      chunk = batch.shared(samples)
    } else {
      this.#countLeftOut(client, batch)
      chunk = Buffer.from(batch.textFor(filter) + leftOutText(client.leftOut) + (samples ? batch.samplesFor(filter) : ''))
      client.leftOut = new Map()
    }
    if (chunk.length > 0) this.#send(client, chunk)
    else if (now - client.lastSent >= HEARTBEAT_EVERY) this.#send(client, STILL_HERE)
  }

  /** The client is told nothing of this batch. */
  #countMissed(client: Client, batch: EventBatch): void {
    for (const { name } of batch.eventsFor(client.subscription.filter)) count(client.leftOut, name, 1)
    this.#countLeftOut(client, batch)
  }

  /** What nobody is told of this batch. For the choosy it was counted as it came. */
  #countLeftOut(client: Client, { leftOut }: EventBatch): void {
    const { filter } = client.subscription
    if (!wantsAllPools(filter)) return
    for (const [name, left] of leftOut) if (filter.names === undefined || filter.names.has(name)) count(client.leftOut, name, left)
  }

  #send(client: Client, chunk: Buffer): void {
    client.lastSent = Date.now()
    if (!client.response.write(chunk)) client.blockedSince = client.lastSent
  }

  #empty(): void {
    this.#pending = []
    this.#shares = new Map()
    this.#leftOut = new Map()
    this.#samples = {}
  }
}

function count(counts: Map<string, number>, name: string, more: number): void {
  counts.set(name, (counts.get(name) ?? 0) + more)
}
