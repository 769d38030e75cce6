import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ConfigError, createPools, type EventName } from '../../src/index.ts'
import { publishEvents } from '../../src/telemetry/diagnostics.ts'
import { createFakeDriver, FakeClock } from '../../src/testing/index.ts'
import { setUp } from '../engine/set-up.ts'

/** What comes over the channel of an event. */
function hear(name: EventName): unknown[] {
  const heard: unknown[] = []
  const listener = (message: unknown): void => {
    heard.push(message)
  }
  subscribe(`wellpool:${name}`, listener)
  onTestFinished(() => {
    unsubscribe(`wellpool:${name}`, listener)
  })
  return heard
}

describe('publishEvents', () => {
  it('publishes each event to the channel of its name', async () => {
    const { pool, start, clock } = setUp({ minConnections: 1 })
    publishEvents(pool)
    const created = hear('connectionCreated')
    const completed = hear('rebuildCompleted')
    await start()
    await clock.until(pool.rebuildConnections({ all: true }))
    expect(created).toHaveLength(2)
    expect(completed).toEqual([expect.objectContaining({ pool: 'orders', protocol: 'fake', oldGeneration: 1, newGeneration: 2 })])
  })

  it('refuses a wrong option', () => {
    const { pool } = setUp({})
    expect(() => publishEvents(pool, { lease: true } as object)).toThrow('lease: got an unknown option')
    expect(() => publishEvents(pool, { leases: 'each' as never })).toThrow(ConfigError)
  })

  it('publishes leases only when it is told to', async () => {
    const { pool, borrow } = setUp({})
    const acquired = hear('connectionAcquired')
    const off = publishEvents(pool)
    ;(await borrow()).release()
    expect(acquired).toEqual([])
    off()
    publishEvents(pool, { leases: true })
    ;(await borrow()).release()
    await Promise.resolve()
    expect(acquired).toHaveLength(1)
  })

  it('publishes the events of all pools of a set until it is told to end', async () => {
    const clock = new FakeClock()
    const pools = createPools({ orders: createFakeDriver({ clock }) }, { clock })
    const off = publishEvents(pools)
    const paused = hear('poolPaused')
    pools.add('billing', createFakeDriver({ clock })).pause()
    await clock.settle()
    off()
    pools.orders.pause()
    await clock.settle()
    expect(paused).toEqual([expect.objectContaining({ pool: 'billing' })])
    await clock.until(pools.close())
  })

  it('knows every event', async () => {
    const clock = new FakeClock()
    const pools = createPools({}, { clock })
    const names: string[] = []
    const on = pools.on.bind(pools)
    pools.on = (name, listener) => {
      names.push(name)
      return on(name, listener)
    }
    publishEvents(pools, { leases: true })
    // The compiler knows that each of them is an event; here each has to be published.
    expect(new Set(names).size).toBe(21)
    await clock.until(pools.close())
  })
})
