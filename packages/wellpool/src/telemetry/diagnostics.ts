import { type Channel, channel } from 'node:diagnostics_channel'
import { ConfigError, type EventName } from '../index.ts'
import type { PoolSource } from '../shared/observed-pools.ts'
import { findProblems, flag } from '../shared/option-rules.ts'

export type { PoolSource } from '../shared/observed-pools.ts'

/** Every event, and whether it comes with each lease. */
const EVENTS = {
  connectionCreated: 'rare',
  connectionAcquired: 'each lease',
  connectionReleased: 'each lease',
  connectionClosed: 'rare',
  connectFailed: 'rare',
  healthCheckFailed: 'rare',
  healthStatusChanged: 'rare',
  healthCheckTriggeredRebuild: 'rare',
  rebuildMarked: 'rare',
  rebuildStarted: 'rare',
  rebuildCompleted: 'rare',
  rebuildFailed: 'rare',
  breakerOpened: 'rare',
  breakerHalfOpened: 'rare',
  breakerClosed: 'rare',
  leakSuspected: 'rare',
  poolWarmedUp: 'rare',
  poolPaused: 'rare',
  poolResumed: 'rare',
  poolDrained: 'rare',
  poolClosed: 'rare',
} as const satisfies Record<EventName, 'rare' | 'each lease'>

/** What is published. */
export interface DiagnosticsOptions {
  /**
   * Whether `connectionAcquired` and `connectionReleased` are published too. They come with each lease, and an event
   * is put together for each even if nobody has subscribed. Default false.
   */
  readonly leases?: boolean | undefined
}

/**
 * Publishes the events of a pool, or of all pools of a set, to channels of `node:diagnostics_channel`: each to
 * `wellpool:` with the event's name, such as `wellpool:rebuildCompleted`. Its message is the event.
 *
 * @returns a function that ends it
 * @throws ConfigError when options are wrong
 * @example
 * publishEvents(pools)
 * subscribe('wellpool:breakerOpened', (event) => page(event))
 */
export function publishEvents(source: PoolSource, options: DiagnosticsOptions = {}): () => void {
  const problems = findProblems<DiagnosticsOptions>(options, { leases: flag })
  if (problems.length > 0) throw new ConfigError(problems)
  const { leases = false } = options
  const off: (() => void)[] = []
  for (const [name, frequency] of Object.entries(EVENTS) as [EventName, 'rare' | 'each lease'][]) {
    if (frequency === 'each lease' && !leases) continue
    const target: Channel = channel(`wellpool:${name}`)
    off.push(source.on(name, (event) => target.publish(event)))
  }
  return () => {
    for (const end of off) end()
  }
}
