import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { PoolEvent, Pools } from 'wellpool'
import { type EventFilter, matches } from '../src/observe/event-filter.ts'
import { EVENT_NAMES, type EventRecord, toEventRecord } from '../src/observe/pool-event.ts'
import { follow } from './support/follow.ts'
import { startScene, until } from './support/server.ts'

/** Books of one's own: what the pools have told by themselves. */
function keepBooks(pools: Pools): { readonly events: readonly EventRecord[]; readonly count: (filter: EventFilter) => number } {
  const events: EventRecord[] = []
  for (const name of EVENT_NAMES) pools.on(name, (event: PoolEvent) => void events.push(toEventRecord(events.length + 1, name, event)))
  return { events, count: (filter) => events.filter((event) => matches(event, filter)).length }
}

/** Has pools paused and resumed, again and again: two events each time. */
async function storm(pools: Pools, times: number, between: () => Promise<unknown> = () => nextTurn()): Promise<void> {
  for (let n = 0; n < times; n++) {
    for (const [, pool] of pools) {
      pool.pause()
      pool.resume()
    }
    if (n % 100 === 99) await between()
  }
  await nextTurn()
}

describe('a storm of events', () => {
  it('is told in part and counted in whole, to each by what it asked for, while the pools serve', { timeout: 30_000 }, async () => {
    const { url, pools, connectionId, orders } = await startScene()
    const books = keepBooks(pools)
    const asked: [string, EventFilter][] = [
      ['', {}],
      ['?samples=true', {}],
      ['?names=poolPaused,rebuildCompleted', { names: new Set(['poolPaused', 'rebuildCompleted']) }],
      ['?pool=billing', { pool: 'billing' }],
      ['?protocol=memory&names=poolResumed', { protocol: 'memory', names: new Set(['poolResumed']) }],
      [`?connectionId=${connectionId()}`, { connectionId: connectionId() }],
    ]
    const followers = asked.map(([query]) => follow(url, query))
    await until(() => followers.every(({ of }) => of('hello').length === 1))
    let served = 0
    await storm(pools, 5_000, async () => {
      await pools.get('orders')?.use(async () => void served++)
      await pools.rebuildConnectionById(connectionId())
      await nextTurn()
    })
    const expected = asked.map(([, filter]) => books.count(filter))
    expect(expected[0]).toBeGreaterThan(20_000)
    await until(() => followers.every(({ heardOf }, index) => heardOf() >= (expected[index] as number)))
    expect(followers.map(({ heardOf }) => heardOf())).toEqual(expected)
    // Each was told some, nobody was told what it did not ask for, and nobody anything twice.
    for (const [index, { of }] of followers.entries()) {
      const told: EventRecord[] = of('event')
      expect(told.length).toBeGreaterThan(0)
      expect(told.filter((event) => !matches(event, asked[index]?.[1] ?? {}))).toEqual([])
      expect(new Set(told.map(({ seq }) => seq)).size).toBe(told.length)
    }
    expect(followers[0]?.of('event').length).toBeLessThan(10_000)
    expect(served).toBe(50)
    expect(orders.made()).toBe(52)
  })

  it('fills no memory: the latest of each kind are remembered, and the rest is counted', async () => {
    const { call, pools } = await startScene({ eventHistory: 100 })
    const before = (await call('GET', 'events?names=poolPaused,poolResumed')).body
    expect(before).toMatchObject({ events: [], lost: 0 })
    await storm(pools, 2_000)
    const { body } = await call('GET', 'events?names=poolPaused,poolResumed&limit=5000')
    expect([body.events.length, body.lost, body.seq - before.seq]).toEqual([200, 7_800, 8_000])
  })

  it('is not sent to who takes nothing, who hears of all that it has missed when it does', { timeout: 30_000 }, async () => {
    const { url, server } = await startScene()
    const { feed } = server.parts.observation
    const [deaf, attentive] = [follow(url), follow(url)]
    await until(() => deaf.of('hello').length + attentive.of('hello').length === 2)
    deaf.pause()
    // More than the buffers of two sockets hold: 4 MB in each chunk.
    const event = { timestamp: 0, pool: 'orders', protocol: 'memory', text: 'x'.repeat(200_000) }
    for (let chunk = 0; chunk < 8; chunk++) {
      for (let n = 0; n < 30; n++) feed.tell('rebuildMarked', event)
      const seq = feed.seq
      await until(() => attentive.heardOf() >= seq - attentive.of('hello')[0].seq)
    }
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(200e6)
    deaf.resume()
    const all = feed.seq - deaf.of('hello')[0].seq
    await until(() => deaf.heardOf() >= all)
    expect([deaf.heardOf(), attentive.heardOf()]).toEqual([all, all])
    expect(deaf.of('event').length).toBeLessThan(attentive.of('event').length)
  })

  it('is told from the first event on to who joins in its midst, and none twice', async () => {
    const { url, server } = await startScene()
    const { feed } = server.parts.observation
    const early = follow(url)
    await until(() => early.of('hello').length === 1)
    const first = { timestamp: 0, pool: 'orders', protocol: 'memory' }
    for (let n = 0; n < 10; n++) feed.tell('rebuildMarked', first)
    // It asks for what came after the hello of the other: those ten, of which nobody has been told yet.
    const late = follow(url, `?after=${early.of('hello')[0].seq}`)
    await until(() => late.of('hello').length === 1)
    for (let n = 0; n < 10; n++) feed.tell('rebuildMarked', first)
    const { seq } = feed
    for (const { of } of [early, late]) {
      await until(() => of('event').at(-1)?.seq === seq)
      expect(of('event').map((event: EventRecord) => event.seq)).toEqual(Array.from({ length: 20 }, (_, n) => seq - 19 + n))
    }
  })
})
