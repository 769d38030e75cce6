import { type Signal, signal } from '@preact/signals'
import type { Calls } from '../api/calls.ts'
import type { Job } from '../api/contract.ts'
import type { Action } from './preview.ts'

/** What has come of an action that is over at once. */
export interface Notice {
  readonly id: number
  readonly action: Action
}

/** A running job is asked after so often, ms. */
const EVERY_MS = 400
/** A job that has ended is shown for so long, ms. */
const SHOWN_MS = 60_000
const NOTICE_MS = 8000
const MAX_SHOWN = 5

/** Steps in: what somebody has confirmed is done, and followed to its end. */
export class Steering {
  /** Rebuilds that run, and those that have ended lately; the latest first. */
  readonly jobs: Signal<readonly Job[]> = signal([])
  readonly notices: Signal<readonly Notice[]> = signal([])
  readonly #calls: Calls
  readonly #changed: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #lastNotice = 0

  /** @param changed something is different now */
  constructor(calls: Calls, changed: () => void) {
    this.#calls = calls
    this.#changed = changed
  }

  /** @throws RefusedError, UnreachableError */
  async perform(action: Action): Promise<void> {
    if (action.kind === 'rebuild-one') {
      this.#follow(await this.#calls.rebuild({ kind: 'connection', name: action.connectionId, urgent: action.urgent }))
    } else if (action.kind === 'rebuild-pool') {
      this.#follow(await this.#calls.rebuild({ kind: 'pool', name: action.pool, all: action.all }))
    } else if (action.kind === 'rebuild-all') {
      this.#follow(await this.#calls.rebuild({ kind: 'all', all: action.all }))
    } else {
      if (action.kind === 'pause') await this.#calls.pause(action.pool, action.failWaiting)
      else if (action.kind === 'resume') await this.#calls.resume(action.pool)
      else await this.#calls.evict(action.pool, action.interruptInUse)
      this.#notify(action)
    }
    this.#changed()
  }

  async cancel(id: string): Promise<void> {
    await this.#calls.cancelJob(id).then(
      (job) => this.#take([job]),
      () => {},
    )
  }

  dismissJob(id: string): void {
    this.jobs.value = this.jobs.value.filter((job) => job.id !== id)
  }

  dismissNotice(id: number): void {
    this.notices.value = this.notices.value.filter((notice) => notice.id !== id)
  }

  /** Takes up jobs that run already: those of others, or from before this page was opened. */
  async takeUp(): Promise<void> {
    const jobs = await this.#calls.jobs().catch(() => [])
    const running = jobs.filter(({ state }) => state === 'running')
    if (running.length > 0) this.#take(running)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.jobs.value = []
    this.notices.value = []
  }

  #follow(job: Job): void {
    this.#take([job])
  }

  #take(changed: readonly Job[]): void {
    const byId = new Map(this.jobs.peek().map((job) => [job.id, job]))
    for (const job of changed) byId.set(job.id, job)
    const oldest = Date.now() - SHOWN_MS
    this.jobs.value = [...byId.values()]
      .filter(({ state, endedAt }) => state === 'running' || endedAt === undefined || endedAt > oldest)
      .sort((a, b) => b.createdAt - a.createdAt)
      .slice(0, MAX_SHOWN)
    if (this.#timer === undefined && this.jobs.value.length > 0) this.#timer = setTimeout(() => void this.#poll(), EVERY_MS)
  }

  async #poll(): Promise<void> {
    const running = this.jobs.peek().filter(({ state }) => state === 'running')
    const answers = await Promise.all(running.map(({ id }) => this.#calls.job(id).catch(() => undefined)))
    this.#timer = undefined
    // With none that runs this still goes on until the last has been shown for long enough.
    this.#take(answers.filter((job) => job !== undefined))
    if (answers.some((job) => job !== undefined && job.state !== 'running')) this.#changed()
  }

  #notify(action: Action): void {
    const notice = { id: ++this.#lastNotice, action }
    this.notices.value = [...this.notices.peek(), notice]
    setTimeout(() => this.dismissNotice(notice.id), NOTICE_MS)
  }
}
