import type { EventName, PoolEvent } from 'wellpool'

/** How much it matters. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error'

/** Every event that is told, and how much it matters. Those of leases are not: there may be thousands of them a second. */
export const EVENT_LEVELS = {
  connectionCreated: 'debug',
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
} as const satisfies Partial<Record<EventName, EventLevel>>

export type ToldEvent = keyof typeof EVENT_LEVELS

export const EVENT_NAMES = Object.keys(EVENT_LEVELS) as readonly ToldEvent[]

/** An event as the API tells it. */
export interface EventRecord {
  /** Counts all events of this process, from 1. */
  readonly seq: number
  readonly name: ToldEvent
  readonly level: EventLevel
  /** ms since 1970. */
  readonly timestamp: number
  readonly pool: string
  readonly protocol: string
  readonly connectionId?: string
  readonly generation?: number
  /** What the event carries beside that; errors as name, message and code. */
  readonly details: Readonly<Record<string, unknown>>
}

const texts = new WeakMap<EventRecord, string>()

/** An event in JSON. It is told to many, and again to who asks what has happened: its text is made once. */
export function eventJson(event: EventRecord): string {
  let text = texts.get(event)
  if (text === undefined) {
    text = JSON.stringify(event)
    texts.set(event, text)
  }
  return text
}

/** An error as the API tells it. What the pool tells of errors has no secrets. */
export interface ErrorRecord {
  readonly name: string
  readonly message: string
  readonly code?: string
}

export function toErrorRecord(error: Error): ErrorRecord {
  const { code } = error as { code?: unknown }
  return { name: error.name, message: error.message, ...(code !== undefined && { code: String(code) }) }
}

/** What stands in an event beside its details. */
const COMMON = new Set(['timestamp', 'pool', 'protocol', 'connectionId', 'generation'])

/** An event as a record. In a storm thousands a second are made: without lists in between. */
export function toEventRecord(seq: number, name: ToldEvent, event: PoolEvent): EventRecord {
  const given = event as PoolEvent & { readonly connectionId?: string; readonly generation?: number } & Readonly<Record<string, unknown>>
  const { timestamp, pool, protocol, connectionId, generation } = given
  const details: Record<string, unknown> = {}
  for (const key of Object.keys(given)) {
    if (COMMON.has(key)) continue
    const value = given[key]
    details[key] = value instanceof Error ? toErrorRecord(value) : value
  }
  const record: { -readonly [Name in keyof EventRecord]: EventRecord[Name] } = {
    seq,
    name,
    level: EVENT_LEVELS[name],
    timestamp,
    pool,
    protocol,
    details,
  }
  if (connectionId !== undefined) record.connectionId = connectionId
  if (generation !== undefined) record.generation = generation
  return record
}
