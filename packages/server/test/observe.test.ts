import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EventHistory } from '../src/observe/event-history.ts'
import { DurationSketch } from '../src/observe/percentiles.ts'
import type { EVENT_LEVELS, EventRecord } from '../src/observe/pool-event.ts'
import { Ring } from '../src/observe/ring.ts'
import { follow } from './support/follow.ts'
import { type Scene, startScene, until } from './support/server.ts'

const names = (events: { name: string }[]): string[] => events.map(({ name }) => name)

describe('the stream of events', () => {
  it('tells what happens, as it happens', async () => {
    const { url, pools } = await startScene()
    const { of, messages } = follow(url)
    await until(() => of('hello').length === 1)
    pools.get('orders')?.pause()
    await until(() => of('event').length === 1)
    expect(of('event')[0]).toMatchObject({ name: 'poolPaused', pool: 'orders', level: 'info' })
    expect(messages.at(-1)?.id).toBe(String(of('event')[0].seq))
  })

  it('says whose events it numbers: a server that was started again counts anew', async () => {
    const [{ url, pools }, other] = [await startScene(), await startScene()]
    const first = follow(url)
    await until(() => first.of('hello').length === 1)
    pools.get('orders')?.pause()
    const [again, another] = [follow(url), follow(other.url)]
    await until(() => again.of('hello').length + another.of('hello').length === 2)
    const [told, toldAgain, toldByAnother] = [first, again, another].map(({ of }) => of('hello')[0])
    expect(toldAgain).toEqual({ seq: told.seq + 1, instance: told.instance })
    expect(toldByAnother.instance).not.toBe(told.instance)
  })

  it('tells only what was asked for, and nothing of leases', async () => {
    const { url, pools, connectionId } = await startScene()
    const billing = follow(url, '?pool=billing')
    const kinds = follow(url, '?names=poolResumed,rebuildCompleted')
    const one = follow(url, `?connectionId=${connectionId()}`)
    const all = follow(url)
    await until(() => [billing, kinds, one, all].every(({ of }) => of('hello').length === 1))
    await pools.get('orders')?.use(async () => {})
    pools.get('orders')?.pause()
    pools.get('orders')?.resume()
    await pools.rebuildConnectionById(connectionId())
    pools.get('billing')?.pause()
    await until(() => names(all.of('event')).includes('poolPaused') && billing.of('event').length === 1 && one.of('event').length >= 3)
    expect(names(billing.of('event'))).toEqual(['poolPaused'])
    expect(names(kinds.of('event'))).toEqual(['poolResumed', 'rebuildCompleted'])
    expect(new Set(one.of('event').map(({ connectionId: id }: { connectionId: string }) => id))).toEqual(new Set([connectionId()]))
    expect(names(all.of('event')).filter((name) => /Acquired|Released/.test(name))).toEqual([])
  })

  it('goes on where a client has lost it', async () => {
    const { url, pools } = await startScene()
    const first = follow(url)
    await until(() => first.of('hello').length === 1)
    pools.get('orders')?.pause()
    await until(() => first.of('event').length === 1)
    first.stop()
    pools.get('orders')?.resume()
    pools.get('billing')?.pause()
    const last = String(first.of('event')[0].seq)
    const again = follow(url, '', { 'last-event-id': last })
    await until(() => again.of('event').length === 2)
    expect(names(again.of('event'))).toEqual(['poolResumed', 'poolPaused'])
    const byQuery = follow(url, `?after=${last}&pool=billing`)
    await until(() => byQuery.of('event').length === 1)
  })

  it('sends a sample of each pool a second to who wants it', async () => {
    const { url, server } = await startScene()
    const [with_, without] = [follow(url, '?samples=true'), follow(url)]
    await until(() => with_.of('hello').length + without.of('hello').length === 2)
    server.parts.observation.timeline.sample(5_000_000)
    await until(() => with_.of('samples').length > 0)
    expect(with_.of('samples')[0].pools).toMatchObject({ orders: { total: 2, wait: { count: 0 } }, billing: { total: 2 } })
    expect(without.of('samples')).toEqual([])
  })

  it('leaves out what is too much, counts it, and lets no kind push out another', async () => {
    const { url, server } = await startScene()
    const { of } = follow(url)
    await until(() => of('hello').length === 1)
    storm(server.parts.observation.feed, 5000, 'healthStatusChanged')
    storm(server.parts.observation.feed, 1, 'breakerOpened')
    await until(() => of('left-out').length > 0)
    const told = names(of('event'))
    expect(told).toContain('breakerOpened')
    expect(told.filter((name) => name === 'healthStatusChanged').length + of('left-out')[0].healthStatusChanged).toBe(5000)
    expect(told.length).toBeLessThan(200)
  })

  it('takes as many clients as it is told, and room is free when one leaves', async () => {
    const { url, call, server } = await startScene({ maxEventClients: 1 })
    const first = follow(url)
    await until(() => first.of('hello').length === 1)
    const { status, body } = await call('GET', 'events/stream')
    expect([status, body.code]).toEqual([503, 'TOO_MANY_CLIENTS'])
    first.stop()
    await until(() => server.parts.observation.stream.clients === 0)
    const second = follow(url)
    await until(() => second.of('hello').length === 1)
  })

  it('does not wait for a client that takes nothing, and counts what it misses', { timeout: 30_000 }, async () => {
    const { url, server } = await startScene()
    const { stream, feed } = server.parts.observation
    const { port } = new URL(url)
    const deaf = connect({ port: Number(port), host: '127.0.0.1' })
    onTestFinished(() => void deaf.destroy())
    deaf.pause()
    deaf.write('GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const attentive = follow(url)
    await until(() => stream.clients === 2 && attentive.of('hello').length === 1)
    // More than the buffers of two sockets hold: each chunk is 4 MB.
    const text = 'x'.repeat(200_000)
    for (let chunk = 0; chunk < 6; chunk++) {
      storm(feed, 20, 'rebuildMarked', text)
      await until(() => attentive.messages.some(({ id }) => id === String(feed.seq)))
    }
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(500e6)
    let got = ''
    deaf.on('data', (bytes) => {
      got += bytes.toString('latin1').replaceAll('x', '')
    })
    deaf.resume()
    await until(() => got.includes('event: left-out'))
  })

  it('ends with the server', async () => {
    const { url, server } = await startScene()
    const { of } = follow(url)
    await until(() => of('hello').length === 1)
    await server.close()
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })
})

type Feed = Scene['server']['parts']['observation']['feed']

/** Emits events that no pool has had. */
function storm(feed: Feed, count: number, name: keyof typeof EVENT_LEVELS, text = ''): void {
  for (let n = 0; n < count; n++) feed.tell(name, Object.assign({ timestamp: 0, pool: 'orders', protocol: 'memory' }, { text }))
}

describe('EventHistory', () => {
  const event = (seq: number, name: EventRecord['name']): EventRecord => ({
    seq,
    name,
    level: 'info',
    timestamp: 0,
    pool: 'a',
    protocol: 'b',
    details: {},
  })

  it('keeps the latest of each kind, in order, and counts what is gone', () => {
    const history = new EventHistory(2)
    for (let seq = 1; seq <= 9; seq++) history.add(event(seq, seq % 3 === 0 ? 'breakerOpened' : 'rebuildMarked'))
    expect(history.find({}, 10).map(({ seq }) => seq)).toEqual([6, 7, 8, 9])
    expect(history.find({}, 2).map(({ seq }) => seq)).toEqual([8, 9])
    expect(history.find({}, 10, 7).map(({ seq }) => seq)).toEqual([8, 9])
    expect([history.lost({}), history.lost({ names: new Set(['breakerOpened']) })]).toEqual([5, 1])
    expect(history.find({ pool: 'other' }, 10)).toEqual([])
  })

  it('keeps nothing where it is told to keep nothing', () => {
    const history = new EventHistory(0)
    history.add(event(1, 'poolPaused'))
    expect([history.find({}, 10), history.lost({})]).toEqual([[], 1])
  })
})

describe('Ring', () => {
  it('gives the latest, the oldest first', () => {
    const ring = new Ring<number>(3)
    for (let n = 1; n <= 7; n++) ring.push(n)
    expect([[...ring], ring.lost]).toEqual([[5, 6, 7], 4])
  })
})

describe('DurationSketch', () => {
  it('is right within five per cent, from microseconds to hours', () => {
    const sketch = new DurationSketch()
    const values = Array.from({ length: 1000 }, (_, n) => 0.02 * 1.02 ** n)
    for (const value of values) sketch.add(value)
    const { count, p50, p90, p99, max } = sketch.take()
    expect(count).toBe(1000)
    for (const [found, exact] of [
      [p50, values[499]],
      [p90, values[899]],
      [p99, values[989]],
      [max, values[999]],
    ] as [number, number][]) {
      expect(found / exact).toBeGreaterThan(0.95)
      expect(found / exact).toBeLessThan(1.05)
    }
    expect(sketch.take()).toEqual({ count: 0, p50: 0, p90: 0, p99: 0, max: 0 })
  })

  it('takes nothing and what is too long for what they are', () => {
    const sketch = new DurationSketch()
    for (const value of [0, 0, 1e12]) sketch.add(value)
    expect(sketch.take()).toMatchObject({ count: 3, p50: 0.01, max: 1e12 })
  })
})
