import type { EventRecord } from '../api/contract.ts'
import { detailsOf } from './event-details.ts'

/** One rebuild from its reason to its end. */
export interface Course {
  /** The event that it began with. */
  readonly key: number
  readonly connectionId: string
  readonly pool: string
  readonly kind: string
  readonly detail: string
  readonly urgent: boolean
  /** When it was decided; undefined if this page was not told. */
  readonly markedAt: number | undefined
  /** When its latest try began. */
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  /** `failed`: the latest try has failed, and another follows. `closed`: the connection has gone before it came to that. */
  readonly outcome: 'marked' | 'running' | 'completed' | 'failed' | 'closed'
  readonly durationMs: number | undefined
  readonly tries: number
  readonly stage: string | undefined
  readonly error: string | undefined
  readonly newGeneration: number | undefined
}

const REMEMBERED = 400
/** Reasons of a close that end a rebuild which has not been completed. Others are those of the old client, or of a successor. */
const ENDS = new Set(['surplus', 'evicted', 'idle', 'pool_closed'])

/** Puts the events of each rebuild together: cause and effect. */
export class RebuildCourses {
  /** By the event that each began with, the oldest first. */
  readonly #courses = new Map<number, Course>()
  /** The keys of those that have not ended, by connection. */
  readonly #active = new Map<string, number>()

  /** The latest first. */
  list(): Course[] {
    return [...this.#courses.values()].reverse()
  }

  /** The rebuild of a connection that has not ended. */
  of(connectionId: string): Course | undefined {
    const key = this.#active.get(connectionId)
    return key === undefined ? undefined : this.#courses.get(key)
  }

  clear(): void {
    this.#courses.clear()
    this.#active.clear()
  }

  add(event: EventRecord): void {
    const { name, connectionId, timestamp } = event
    if (connectionId === undefined) return
    const { urgent, durationMs, stage, error, newGeneration, word } = detailsOf(event)
    if (name === 'rebuildMarked') {
      this.#change(event, connectionId, { urgent })
    } else if (name === 'rebuildStarted') {
      const tries = (this.of(connectionId)?.tries ?? 0) + 1
      this.#change(event, connectionId, { startedAt: timestamp, outcome: 'running', urgent, tries })
    } else if (name === 'rebuildCompleted') {
      this.#change(event, connectionId, { endedAt: timestamp, outcome: 'completed', durationMs, newGeneration })
      this.#active.delete(connectionId)
    } else if (name === 'rebuildFailed') {
      // Of a storm of events some are left out: its start may have been one of them.
      const tries = Math.max(1, this.of(connectionId)?.tries ?? 0)
      this.#change(event, connectionId, { endedAt: timestamp, outcome: 'failed', stage, error, tries })
    } else if (name === 'connectionClosed' && word !== undefined && ENDS.has(word)) {
      this.#end(connectionId, timestamp)
    }
  }

  /** Ends those whose connection is not there any more, whatever was missed of it. */
  reconcile(isPresent: (connectionId: string) => boolean, now: number): void {
    for (const id of [...this.#active.keys()]) if (!isPresent(id)) this.#end(id, now)
  }

  #end(connectionId: string, at: number): void {
    const course = this.of(connectionId)
    if (course === undefined) return
    // One whose try has failed is told as failed: that the connection was closed came of it.
    if (course.outcome !== 'failed') this.#courses.set(course.key, { ...course, outcome: 'closed', endedAt: at })
    this.#active.delete(connectionId)
  }

  #change(event: EventRecord, connectionId: string, change: Partial<Course>): void {
    const course = this.of(connectionId) ?? this.#begin(event, connectionId)
    this.#courses.set(course.key, { ...course, ...change })
  }

  #begin(event: EventRecord, connectionId: string): Course {
    const { reason } = detailsOf(event)
    const course: Course = {
      key: event.seq,
      connectionId,
      pool: event.pool,
      kind: reason?.kind ?? '',
      detail: reason?.detail ?? '',
      urgent: false,
      markedAt: event.name === 'rebuildMarked' ? event.timestamp : undefined,
      startedAt: undefined,
      endedAt: undefined,
      outcome: 'marked',
      durationMs: undefined,
      tries: 0,
      stage: undefined,
      error: undefined,
      newGeneration: undefined,
    }
    this.#courses.set(course.key, course)
    this.#active.set(connectionId, course.key)
    if (this.#courses.size > REMEMBERED) this.#forgetOldest()
    return course
  }

  #forgetOldest(): void {
    for (const [key, { connectionId }] of this.#courses) {
      if (this.#active.get(connectionId) === key) continue
      this.#courses.delete(key)
      return
    }
  }
}
