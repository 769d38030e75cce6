import type { EventRecord } from './pool-event.ts'

/** Which events are asked for. */
export interface EventFilter {
  readonly names?: ReadonlySet<string> | undefined
  readonly pool?: string | undefined
  readonly protocol?: string | undefined
  readonly connectionId?: string | undefined
}

/** Whether an event is among those that are asked for. */
export function matches(event: EventRecord, { names, pool, protocol, connectionId }: EventFilter): boolean {
  return (
    (names === undefined || names.has(event.name)) &&
    (pool === undefined || event.pool === pool) &&
    (protocol === undefined || event.protocol === protocol) &&
    (connectionId === undefined || event.connectionId === connectionId)
  )
}

/** Whether every event is asked for. */
export function wantsAll({ names, ...filter }: EventFilter): boolean {
  return names === undefined && wantsAllPools(filter)
}

/** Whether an event's name alone says whether it is asked for. */
export function wantsAllPools({ pool, protocol, connectionId }: EventFilter): boolean {
  return pool === undefined && protocol === undefined && connectionId === undefined
}
