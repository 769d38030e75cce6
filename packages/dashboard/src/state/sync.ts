import type { Calls } from '../api/calls.ts'
import { RefusedError } from '../api/client.ts'
import type { EventName } from '../api/contract.ts'
import { delayBefore, LiveStream } from '../api/live-stream.ts'
import type { Model } from './model.ts'

/** Connections are asked for so often, ms: what they do is in no event, there would be thousands a second. */
const EVERY_MS = 1000
/** After an event that changes the picture they are asked for sooner. */
const SOON_MS = 250
/** While the page is not shown, ms: its title tells how many things are wrong. */
const HIDDEN_EVERY_MS = 10_000
/** Asking takes at most a part of the time: 1 to so many. */
const REST_FACTOR = 4
const EVENTS_AT_FIRST = 1000
/** Events that change how connections look. */
const TELLING: ReadonlySet<EventName> = new Set([
  'connectionClosed',
  'healthCheckFailed',
  'healthStatusChanged',
  'rebuildMarked',
  'rebuildStarted',
  'rebuildCompleted',
  'rebuildFailed',
  'breakerOpened',
  'breakerClosed',
  'poolPaused',
  'poolResumed',
])

/** Keeps the model like the agent's pools, for as long as somebody is logged in. */
export class Sync {
  readonly #calls: Calls
  readonly #model: Model
  readonly #refused: (error: RefusedError) => void
  readonly #stream: LiveStream
  #running = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #dueAt = 0
  #asking = false
  /** It is not asked before this: it takes its time, or does not answer. */
  #restUntil = 0
  #failures = 0

  /** @param refused the agent does not let this page look any longer */
  constructor(calls: Calls, model: Model, refused: (error: RefusedError) => void) {
    this.#calls = calls
    this.#model = model
    this.#refused = refused
    this.#stream = new LiveStream(calls, {
      opened: (_seq, isAnother) => this.#opened(isAnother),
      event: (event) => {
        this.#model.addEvent(event)
        if (TELLING.has(event.name)) this.refreshSoon()
      },
      samples: (pools) => this.#model.addSamples(pools),
      leftOut: (counts) => this.#model.addLeftOut(counts),
      lost: (nextTryAt) => this.#model.setStreaming(false, nextTryAt),
      refused: (error) => this.#end(error),
    })
  }

  /** @throws RefusedError, UnreachableError */
  async start(): Promise<void> {
    this.#running = true
    // It has just said who is logged in.
    this.#model.heard()
    const [events, pools, connections] = await Promise.all([
      this.#calls.events(EVENTS_AT_FIRST),
      this.#calls.pools(),
      this.#calls.connections(),
    ])
    if (!this.#running) return
    this.#model.setPresent(pools, connections)
    this.#model.setHistory(events)
    this.#stream.start(events.seq)
    this.#schedule(EVERY_MS)
    void this.readConfiguration()
  }

  stop(): void {
    this.#running = false
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#stream.stop()
    this.#model.setStreaming(false, undefined)
  }

  /** Asks anew before long. */
  refreshSoon(): void {
    if (this.#running && !this.#asking) this.#schedule(SOON_MS)
  }

  /** Does not wait for the next try any longer. */
  tryNow(): void {
    this.#stream.tryNow()
    this.#restUntil = 0
    if (this.#running && !this.#asking) this.#schedule(0)
  }

  /** Reads the options in force, which say how an action would be done. */
  async readConfiguration(): Promise<void> {
    await this.#calls.configuration().then(
      (configuration) => {
        this.#model.configuration.value = configuration
      },
      () => {},
    )
  }

  #opened(isAnother: boolean): void {
    this.#model.setStreaming(true, undefined)
    this.#model.heard()
    if (isAnother) {
      // At once: what it tells now has numbers that those of the former one have had.
      this.#model.forgetHistory()
      void this.#readHistory()
      void this.readConfiguration()
    }
    this.#restUntil = 0
    this.refreshSoon()
  }

  /** Reads what an agent that was started again has told before it was followed, until it answers. */
  async #readHistory(): Promise<void> {
    for (let failures = 0; this.#running; ) {
      try {
        const page = await this.#calls.events(EVENTS_AT_FIRST)
        if (this.#running) this.#model.setHistory(page)
        return
      } catch {
        const delay = delayBefore(++failures, Math.random)
        await new Promise((resolve) => setTimeout(resolve, delay))
      }
    }
  }

  #schedule(ms: number): void {
    const dueAt = Math.max(performance.now() + ms, this.#restUntil)
    if (this.#timer !== undefined && dueAt >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#refresh()
    }, dueAt - performance.now())
  }

  async #refresh(): Promise<void> {
    const startedAt = performance.now()
    this.#asking = true
    try {
      const [pools, connections] = await Promise.all([this.#calls.pools(), this.#calls.connections()])
      if (this.#running) this.#model.setPresent(pools, connections)
      this.#failures = 0
    } catch (error) {
      this.#failures++
      if (this.#running) this.#model.setStale()
      if (error instanceof RefusedError && (error.status === 401 || error.status === 403)) this.#end(error)
    } finally {
      this.#asking = false
    }
    if (!this.#running) return
    const now = performance.now()
    const rest = this.#failures > 0 ? delayBefore(this.#failures, Math.random) : Math.min(EVERY_MS * 5, (now - startedAt) * REST_FACTOR)
    this.#restUntil = now + (document.hidden ? Math.max(rest, HIDDEN_EVERY_MS) : rest)
    this.#schedule(Math.max(0, startedAt + EVERY_MS - now))
  }

  #end(error: RefusedError): void {
    if (!this.#running) return
    this.stop()
    this.#refused(error)
  }
}
