import { Registry } from 'prom-client'
import type { Pools } from 'wellpool'
import { combineCollectors } from 'wellpool/collectors'
import { prometheus } from 'wellpool/prometheus'
import type { RebuildAnswer } from './api/context.ts'
import type { Problem } from './api/problem.ts'
import { EventFeed } from './observe/event-feed.ts'
import { EventHistory } from './observe/event-history.ts'
import { EventStream } from './observe/event-stream.ts'
import { Instrument } from './observe/instrument.ts'
import { RebuildJobs } from './observe/rebuild-jobs.ts'
import { Timeline } from './observe/timeline.ts'

/** How much is remembered, and for whom. */
export interface ObservationOptions {
  /** The registry of the page for Prometheus; its metrics of pools are the caller's. Default: one with all of them. */
  readonly registry?: Registry | undefined
  /** Events of each kind that are remembered. Default 500. */
  readonly eventHistory?: number | undefined
  /** How many may follow events at the same time. Default 100. */
  readonly maxEventClients?: number | undefined
}

/** Everything that watches the pools of a set. */
export class Observation {
  readonly feed: EventFeed
  readonly history: EventHistory
  readonly stream: EventStream
  readonly timeline: Timeline
  readonly jobs: RebuildJobs<RebuildAnswer, Problem>
  readonly registry: Registry
  readonly #instrument: Instrument
  readonly #endMetrics: () => void

  constructor(pools: Pools, { registry, eventHistory = 500, maxEventClients = 100 }: ObservationOptions) {
    this.registry = registry ?? new Registry()
    const metrics = registry === undefined ? prometheus({ registry: this.registry }) : undefined
    this.#endMetrics = metrics?.observe(pools) ?? (() => {})
    this.feed = new EventFeed(pools)
    this.history = new EventHistory(eventHistory)
    this.feed.on((event) => this.history.add(event))
    this.timeline = new Timeline(pools)
    this.stream = new EventStream(this.feed, this.history, this.timeline, maxEventClients)
    this.jobs = new RebuildJobs(this.feed)
    this.#instrument = new Instrument(pools, combineCollectors(metrics, this.timeline))
  }

  /** Measures pools that were added a moment ago. */
  look(): void {
    this.#instrument.look()
  }

  close(): void {
    this.jobs.close()
    this.stream.close()
    this.timeline.close()
    this.feed.close()
    this.#instrument.close()
    this.#endMetrics()
  }
}
