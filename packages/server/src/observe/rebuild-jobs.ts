import { randomBytes } from 'node:crypto'
import type { EventFeed } from './event-feed.ts'

/** What is rebuilt. */
export interface RebuildTarget {
  readonly kind: 'connection' | 'pool' | 'protocol' | 'all'
  /** The connection's id, the pool's name, the protocol; absent for all. */
  readonly name?: string
}

export type JobState = 'running' | 'completed' | 'failed' | 'cancelled'

/** A rebuild that goes on while nobody waits for it. */
export interface Job<Result, Failure> {
  readonly id: string
  readonly target: RebuildTarget
  state: JobState
  readonly createdBy: string
  /** ms since 1970. */
  readonly createdAt: number
  endedAt?: number
  /** Connections that are to be rebuilt, and those whose rebuild has ended. */
  readonly progress: { total: number; succeeded: number; failed: number }
  result?: Result
  failure?: Failure
}

/** How to run one. */
export interface JobWork<Result, Failure> {
  readonly target: RebuildTarget
  readonly createdBy: string
  /** The ids of the connections that are to be rebuilt. */
  readonly connections: ReadonlySet<string>
  run(signal: AbortSignal): Promise<Result>
  /** What a rejection is told as. */
  toFailure(error: unknown): Failure
  /** Whether the result says that it was cut short. */
  wasCancelled(result: Result): boolean
  ended(job: Job<Result, Failure>): void
}

/** Jobs that have ended and are remembered. */
const REMEMBERED = 200
/** Jobs that run at the same time. */
const MAX_RUNNING = 50

interface Entry<Result, Failure> {
  readonly job: Job<Result, Failure>
  readonly controller: AbortController
}

/** The jobs of this process, by id. */
export class RebuildJobs<Result, Failure> {
  readonly #feed: EventFeed
  readonly #entries = new Map<string, Entry<Result, Failure>>()
  #running = 0

  constructor(feed: EventFeed) {
    this.#feed = feed
  }

  /** The latest first. */
  list(): Job<Result, Failure>[] {
    return [...this.#entries.values()].map(({ job }) => job).reverse()
  }

  get(id: string): Job<Result, Failure> | undefined {
    return this.#entries.get(id)?.job
  }

  /** Ends what has not begun of it. @returns whether it was running */
  cancel(id: string): boolean {
    const entry = this.#entries.get(id)
    if (entry?.job.state !== 'running') return false
    entry.controller.abort(new Error('the job was cancelled'))
    return true
  }

  /** @returns undefined when too many run already */
  start(work: JobWork<Result, Failure>): Job<Result, Failure> | undefined {
    if (this.#running >= MAX_RUNNING) return undefined
    const { target, createdBy, connections } = work
    const job: Job<Result, Failure> = {
      id: randomBytes(9).toString('base64url'),
      target,
      state: 'running',
      createdBy,
      createdAt: Date.now(),
      progress: { total: connections.size, succeeded: 0, failed: 0 },
    }
    const entry = { job, controller: new AbortController() }
    this.#entries.set(job.id, entry)
    this.#running++
    void this.#run(entry, work)
    return job
  }

  /** Cancels all. */
  close(): void {
    for (const id of this.#entries.keys()) this.cancel(id)
  }

  async #run({ job, controller }: Entry<Result, Failure>, work: JobWork<Result, Failure>): Promise<void> {
    const ended = new Set<string>()
    const off = this.#feed.on(({ name, connectionId }) => {
      if (connectionId === undefined || !work.connections.has(connectionId) || ended.has(connectionId)) return
      if (name !== 'rebuildCompleted' && name !== 'rebuildFailed') return
      ended.add(connectionId)
      job.progress[name === 'rebuildCompleted' ? 'succeeded' : 'failed']++
    })
    try {
      job.result = await work.run(controller.signal)
      job.state = work.wasCancelled(job.result) ? 'cancelled' : 'completed'
    } catch (error) {
      job.state = controller.signal.aborted ? 'cancelled' : 'failed'
      job.failure = work.toFailure(error)
    } finally {
      off()
      job.endedAt = Date.now()
      this.#running--
      this.#forgetOldest()
      work.ended(job)
    }
  }

  #forgetOldest(): void {
    let over = this.#entries.size - this.#running - REMEMBERED
    for (const [id, { job }] of this.#entries) {
      if (over <= 0) return
      if (job.state === 'running') continue
      this.#entries.delete(id)
      over--
    }
  }
}
