import type { Connection, EventRecord } from '../api/contract.ts'
import { detailsOf } from './event-details.ts'

/** One rebuild from its reason to its end. */
export interface Course {
  /** The event that it began with. */
  readonly key: number
  readonly connectionId: string
  readonly pool: string
  /** That of the client which is to be replaced. */
  readonly generation: number | undefined
  readonly kind: string
  readonly detail: string
  readonly urgent: boolean
  /** When it was decided; undefined if this page was not told. */
  readonly markedAt: number | undefined
  /** When its latest try began. */
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  /**
   * `failed`: the latest try has failed, and another follows. `closed`: the connection has gone before it came to that.
   * `dropped`: the mark was taken off again, of which no event tells.
   */
  readonly outcome: 'marked' | 'running' | 'completed' | 'failed' | 'closed' | 'dropped'
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
  /** The keys of those of which their connections knew nothing when they were last looked at. */
  #doubted: ReadonlySet<number> = new Set()

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
    this.#doubted = new Set()
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
      this.#end(connectionId, { outcome: 'closed', endedAt: timestamp })
    }
  }

  /**
   * Ends those whose connection is not there any more, or knows nothing of them, whatever was missed of it.
   *
   * @returns whether one has ended
   */
  reconcile(find: (connectionId: string) => Connection | undefined, now: number): boolean {
    const before = this.#active.size
    const doubted = new Set<number>()
    for (const [id, key] of [...this.#active]) {
      const connection = find(id)
      if (connection === undefined) this.#end(id, { outcome: 'closed', endedAt: now })
      else if (connection.mark === undefined && connection.state !== 'rebuilding') {
        // Only the second time: the first answer may be older than the latest event.
        if (this.#doubted.has(key)) this.#end(id, endOf(connection, this.#courses.get(key), now))
        else doubted.add(key)
      }
    }
    this.#doubted = doubted
    return this.#active.size < before
  }

  #end(connectionId: string, end: Partial<Course>): void {
    const course = this.of(connectionId)
    if (course === undefined) return
    // One whose try has failed is told as failed, unless a later one has not: that the connection was closed came of it.
    if (course.outcome !== 'failed' || end.outcome === 'completed') this.#courses.set(course.key, { ...course, ...end })
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
      generation: event.generation,
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

/** What came of a rebuild that nobody has told of, by its connection. */
function endOf({ generation, lastRebuiltAt }: Connection, course: Course | undefined, now: number): Partial<Course> {
  if (generation <= (course?.generation ?? generation)) return { outcome: 'dropped', endedAt: now }
  return { outcome: 'completed', endedAt: lastRebuiltAt ?? now, newGeneration: generation }
}
