import { type Signal, signal } from '@preact/signals'
import type { Calls } from '../api/calls.ts'
import { RefusedError } from '../api/client.ts'
import type { Job } from '../api/contract.ts'
import type { Action } from './preview.ts'

/** What has come of an action that is over at once. */
export interface Notice {
  readonly id: number
  readonly action: Action
  /** Why it was not done, in words; undefined if it was. */
  readonly problem: string | undefined
}

/** A running job is asked after so often, ms. */
const EVERY_MS = 400
/** A job that has ended, and a failure, is shown for so long, ms. */
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
  /** Counts log-outs: what was asked for before one is not told after it. */
  #session = 0

  /** @param changed something is different now */
  constructor(calls: Calls, changed: () => void) {
    this.#calls = calls
    this.#changed = changed
  }

  /** @throws RefusedError, UnreachableError */
  async perform(action: Action): Promise<void> {
    const session = this.#session
    let job: Job | undefined
    try {
      job = await this.#ask(action)
    } catch (error) {
      if (session === this.#session) throw error
    }
    if (session !== this.#session) return
    if (job === undefined) this.#notify(action, undefined)
    else this.#take([job])
    this.#changed()
  }

  /** Tells that something has failed for which nobody waits any longer. */
  tellFailure(action: Action, problem: string): void {
    this.#notify(action, problem)
  }

  async cancel(id: string): Promise<void> {
    const session = this.#session
    await this.#calls.cancelJob(id).then(
      (job) => {
        if (session === this.#session) this.#take([job])
      },
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
    const session = this.#session
    const jobs = await this.#calls.jobs().catch(() => [])
    if (session === this.#session) this.#take(jobs.filter(({ state }) => state === 'running'))
  }

  clear(): void {
    this.#session++
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.jobs.value = []
    this.notices.value = []
  }

  /** @returns the job of a rebuild; whatever else is asked for is done with the answer */
  async #ask(action: Action): Promise<Job | undefined> {
    switch (action.kind) {
      case 'rebuild-one':
        return this.#calls.rebuild({ kind: 'connection', name: action.connectionId, urgent: action.urgent })
      case 'rebuild-pool':
        return this.#calls.rebuild({ kind: 'pool', name: action.pool, all: action.all })
      case 'rebuild-all':
        return this.#calls.rebuild({ kind: 'all', all: action.all })
      case 'pause':
        await this.#calls.pause(action.pool, action.failWaiting)
        return undefined
      case 'resume':
        await this.#calls.resume(action.pool)
        return undefined
      case 'evict':
        await this.#calls.evict(action.pool, action.interruptInUse)
        return undefined
    }
  }

  #take(changed: readonly Job[]): void {
    const byId = new Map(this.jobs.peek().map((job) => [job.id, job]))
    for (const job of changed) {
      byId.set(job.id, job)
      // From now on, whenever it has ended: the clock of the agent may differ.
      if (job.state !== 'running') setTimeout(() => this.dismissJob(job.id), SHOWN_MS)
    }
    this.jobs.value = [...byId.values()].sort((a, b) => b.createdAt - a.createdAt).slice(0, MAX_SHOWN)
    const isRunning = this.jobs.value.some(({ state }) => state === 'running')
    if (this.#timer === undefined && isRunning) this.#timer = setTimeout(() => void this.#poll(), EVERY_MS)
  }

  async #poll(): Promise<void> {
    const session = this.#session
    const running = this.jobs.peek().filter(({ state }) => state === 'running')
    const forgotten: string[] = []
    const answers = await Promise.all(
      running.map(({ id }) =>
        this.#calls.job(id).catch((error: unknown) => {
          // An agent that was started again knows nothing of it.
          if (error instanceof RefusedError && error.code === 'JOB_NOT_FOUND') forgotten.push(id)
          return undefined
        }),
      ),
    )
    if (session !== this.#session) return
    this.#timer = undefined
    for (const id of forgotten) this.dismissJob(id)
    this.#take(answers.filter((job) => job !== undefined))
    if (answers.some((job) => job !== undefined && job.state !== 'running')) this.#changed()
  }

  #notify(action: Action, problem: string | undefined): void {
    const notice = { id: ++this.#lastNotice, action, problem }
    this.notices.value = [...this.notices.peek(), notice]
    setTimeout(() => this.dismissNotice(notice.id), problem === undefined ? NOTICE_MS : SHOWN_MS)
  }
}
