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

export function toEventRecord(seq: number, name: ToldEvent, event: PoolEvent): EventRecord {
  const { timestamp, pool, protocol, connectionId, generation, ...rest } = event as PoolEvent & {
    connectionId?: string
    generation?: number
  }
  const details = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, value instanceof Error ? toErrorRecord(value) : value]),
  )
  return {
    seq,
    name,
    level: EVENT_LEVELS[name],
    timestamp,
    pool,
    protocol,
    ...(connectionId !== undefined && { connectionId }),
    ...(generation !== undefined && { generation }),
    details,
  }
}
