import type { Health } from './connection-state.ts'
import type { Logger } from './logger.ts'
import type { CloseReason } from './metrics.ts'
import type { Reason } from './reason.ts'
import type { RebuildStage } from './rebuild-result.ts'

/** What every event carries. */
export interface PoolEvent {
  /** ms since 1970. */
  readonly timestamp: number
  readonly pool: string
  readonly protocol: string
}

/** What every event about one connection carries. */
export interface ConnectionEvent extends PoolEvent {
  readonly connectionId: string
  readonly generation: number
}

/** The events by name, each with what its listeners get. */
export interface PoolEvents {
  /** A connect has succeeded: a new connection, or the next generation of one. */
  connectionCreated: ConnectionEvent
  connectionAcquired: ConnectionEvent
  connectionReleased: ConnectionEvent
  /** A client of the connection has been closed or destroyed: one event for each `connectionCreated`. */
  connectionClosed: ConnectionEvent & { readonly reason: CloseReason }
  connectFailed: PoolEvent & { readonly connectionId: string; readonly error: Error; readonly attempt: number }
  /** A check has failed. One whose error is fatal is told as the loss of its connection instead. */
  healthCheckFailed: ConnectionEvent & { readonly error: Error; readonly failures: number }
  healthStatusChanged: ConnectionEvent & { readonly from: Health; readonly to: Health }
  /** Failed checks have led to a mark. */
  healthCheckTriggeredRebuild: ConnectionEvent & { readonly reason: Reason }
  rebuildMarked: ConnectionEvent & { readonly reason: Reason; readonly urgent: boolean }
  rebuildStarted: ConnectionEvent & { readonly reason: Reason; readonly urgent: boolean }
  rebuildCompleted: ConnectionEvent & {
    readonly reason: Reason
    readonly durationMs: number
    readonly oldGeneration: number
    readonly newGeneration: number
  }
  rebuildFailed: ConnectionEvent & { readonly reason: Reason; readonly stage: RebuildStage; readonly error: Error }
  /** A connect has failed, or clients end at once, one after the other; the pool waits `retryInMs` before the next. */
  breakerOpened: PoolEvent & { readonly error: Error; readonly retryInMs: number }
  breakerHalfOpened: PoolEvent
  breakerClosed: PoolEvent
  /** A lease is held for longer than `leakDetectionThreshold`; `stack` shows where it was acquired. */
  leakSuspected: ConnectionEvent & { readonly stack: string; readonly heldMs: number }
  /** `minConnections` are connected for the first time. */
  poolWarmedUp: PoolEvent
  poolPaused: PoolEvent
  poolResumed: PoolEvent
  /** `drain` has served all borrowers. */
  poolDrained: PoolEvent
  poolClosed: PoolEvent
}

/** The name of an event. */
export type EventName = keyof PoolEvents

/** What an event carries beside time stamp, pool and protocol. */
export type EventDetails<Name extends EventName> = Omit<PoolEvents[Name], keyof PoolEvent>

/** Is called with an event. What it throws is reported to the logger and otherwise ignored. */
export type Listener<Name extends EventName> = (event: PoolEvents[Name]) => void

const LEVELS: Readonly<Record<EventName, 'debug' | 'info' | 'warn' | 'error'>> = {
  connectionCreated: 'debug',
  connectionAcquired: 'debug',
  connectionReleased: 'debug',
  connectionClosed: 'debug',
  connectFailed: 'warn',
  healthCheckFailed: 'warn',
  healthStatusChanged: 'info',
  healthCheckTriggeredRebuild: 'info',
  rebuildMarked: 'info',
  rebuildStarted: 'info',
  rebuildCompleted: 'info',
  rebuildFailed: 'warn',
  breakerOpened: 'error',
  breakerHalfOpened: 'info',
  breakerClosed: 'info',
  leakSuspected: 'warn',
  poolWarmedUp: 'info',
  poolPaused: 'info',
  poolResumed: 'info',
  poolDrained: 'info',
  poolClosed: 'info',
}

/** The names of all events. */
export const EVENT_NAMES: readonly string[] = Object.keys(LEVELS)

/**
 * The events of one pool. Listeners are called in a microtask after the step that emitted, in order: whatever
 * a listener does, it meets the pool in a settled state and can't disturb the step itself.
 */
export class Events {
  readonly #pool: string
  readonly #protocol: string
  readonly #wallNow: () => number
  readonly #logger: Logger | undefined
  readonly #listeners = new Map<EventName, Set<Listener<never>>>()
  #queue: [string, () => unknown][] = []
  /** Whether the logger wants what is written at `debug`. */
  #debugs = false
  /** Whether anybody hears of leases: asked at each of them. */
  leasesHeard = false

  constructor(pool: string, protocol: string, wallNow: () => number, logger: Logger | undefined) {
    this.#pool = pool
    this.#protocol = protocol
    this.#wallNow = wallNow
    this.#logger = logger
    this.noteLevel()
  }

  /** @returns a function that takes the listener off again. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    this.noteLevel()
    return () => this.off(name, listener)
  }

  off<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    const listeners = this.#listeners.get(name)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.#listeners.delete(name)
    this.noteLevel()
  }

  /** Asks the logger whether it wants everything: its level may have been changed. */
  noteLevel(): void {
    try {
      this.#debugs = this.#logger !== undefined && this.#logger.isLevelEnabled?.('debug') !== false
    } catch {
      // A logger that throws is told everything, as if it had no levels.
      this.#debugs = true
    }
    this.leasesHeard = this.heard('connectionAcquired') || this.heard('connectionReleased')
  }

  /** Whether anybody would hear of it. Ask before a payload is put together. */
  heard(name: EventName): boolean {
    return this.#listeners.has(name) || this.#debugs || (this.#logger !== undefined && LEVELS[name] !== 'debug')
  }

  emit<Name extends EventName>(name: Name, details: EventDetails<Name>): void {
    if (!this.heard(name)) return
    const event = { timestamp: this.#wallNow(), pool: this.#pool, protocol: this.#protocol, ...details }
    this.later(name, () => {
      this.#log(LEVELS[name], toFacts(event), name)
      for (const listener of [...(this.#listeners.get(name) ?? [])]) {
        this.call(`a listener of ${name}`, () => (listener as (event: PoolEvent) => unknown)(event))
      }
    })
  }

  /** As `call`, after the present step, in its turn. */
  later(where: string, code: () => unknown): void {
    if (this.#queue.push([where, code]) > 1) return
    queueMicrotask(() => {
      const queue = this.#queue
      this.#queue = []
      for (const [where, code] of queue) this.call(where, code)
    })
  }

  /**
   * Calls somebody else's code (a listener, a collector, a driver's `destroy`). What it throws is passed to the logger, also
   * what it rejects with if it was made `async`: that would end the process.
   */
  call<Result>(where: string, code: () => Result): Result | undefined {
    try {
      const result = code()
      if (result instanceof Promise) result.catch((error: unknown) => this.#report(error, where))
      return result
    } catch (error) {
      this.#report(error, where)
      return undefined
    }
  }

  #report(err: unknown, where: string): void {
    this.#log('error', { pool: this.#pool, err }, `${where} threw`)
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', facts: object, message: string): void {
    try {
      const result: unknown = this.#logger?.[level](facts, message)
      if (result instanceof Promise) result.catch(() => {})
    } catch {
      // A logger that throws has nobody left to tell.
    }
  }
}

/** Loggers look for an error under `err`; under another name pino writes its own fields and not its message. */
function toFacts(event: PoolEvent & { readonly error?: Error }): object {
  if (event.error === undefined) return event
  const { error: err, ...facts } = event
  return { ...facts, err }
}
