import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPools, type Pools } from 'wellpool'
import { Instrument } from '../src/observe/instrument.ts'
import { TIMELINE_SECONDS, Timeline } from '../src/observe/timeline.ts'
import { TimelineTexts } from '../src/observe/timeline-texts.ts'
import { memoryDriver } from './support/memory-driver.ts'

const OPTIONS = { minConnections: 0, healthCheckInterval: 0, idleTimeout: 0 } as const

/** A pool whose timeline goes on when it is told to, and not by itself. */
async function observed(): Promise<{ pools: Pools; timeline: Timeline; tick: (seconds?: number) => void }> {
  const pools = createPools({ orders: memoryDriver().driver }, OPTIONS)
  await pools.start()
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const timeline = new Timeline(pools)
  const instrument = new Instrument(pools, timeline)
  onTestFinished(async () => {
    instrument.close()
    timeline.close()
    vi.useRealTimers()
    await pools.close()
  })
  let second = 0
  const tick = (seconds = 1): void => {
    for (let n = 0; n < seconds; n++) timeline.sample(++second * 1000)
  }
  return { pools, timeline, tick }
}

describe('the timeline of a pool', () => {
  it('has a sample for each second, the same ones as they come, whether they are alike or not', async () => {
    const { pools, timeline, tick } = await observed()
    const heard: unknown[] = []
    timeline.on((_, sample) => heard.push(sample))
    for (let round = 0; round < 5; round++) {
      tick(3)
      for (let n = 0; n <= round; n++) await pools.get('orders')?.use(async () => {})
      tick(1)
    }
    pools.get('orders')?.pause()
    tick(2)
    const samples = timeline.samples('orders')
    expect(samples).toEqual(heard)
    expect(samples.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 22 }, (_, n) => (n + 1) * 1000))
    expect(samples.map(({ leased }) => leased).filter((leased) => leased > 0)).toEqual([1, 2, 3, 4, 5])
    expect(samples.map(({ use }) => use.count).filter((count) => count > 0)).toEqual([1, 2, 3, 4, 5])
    expect(samples.slice(-3).map(({ state }) => state)).toEqual(['running', 'paused', 'paused'])
    expect(timeline.samples('orders', 2)).toEqual(samples.slice(-2))
    expect(timeline.samples('none')).toEqual([])
  })

  it('goes back ten minutes and no further, also across seconds that are alike', async () => {
    const { pools, timeline, tick } = await observed()
    tick(500)
    await pools.get('orders')?.use(async () => {})
    tick(TIMELINE_SECONDS - 1)
    const samples = timeline.samples('orders')
    expect(samples).toHaveLength(TIMELINE_SECONDS)
    expect(samples.map(({ leased }) => leased).slice(0, 3)).toEqual([0, 1, 0])
    tick(TIMELINE_SECONDS)
    expect(timeline.samples('orders').every(({ leased, total }) => leased === 0 && total === 1)).toBe(true)
    expect(timeline.samples('orders')[0]?.timestamp).toBe((500 + TIMELINE_SECONDS) * 1000)
  })

  it('is written out once for all who ask within a second, and anew in the next', async () => {
    const { timeline, tick } = await observed()
    const texts = new TimelineTexts(timeline)
    tick(3)
    const text = texts.get('orders')
    expect(JSON.parse(String(text))).toEqual({ samples: timeline.samples('orders') })
    expect(texts.get('orders')).toBe(text)
    expect(JSON.parse(String(texts.get('orders', 2))).samples).toEqual(timeline.samples('orders', 2))
    tick()
    expect(JSON.parse(String(texts.get('orders'))).samples).toHaveLength(4)
    for (let seconds = 1; seconds <= 20; seconds++) texts.get('orders', seconds)
    expect(JSON.parse(String(texts.get('orders'))).samples).toHaveLength(4)
  })

  it('begins with the pool, and ends with it', async () => {
    const { pools, timeline, tick } = await observed()
    tick(5)
    pools.add('late', memoryDriver().driver)
    tick(2)
    expect(timeline.samples('late').map(({ timestamp }) => timestamp)).toEqual([6000, 7000])
    await pools.remove('late')
    tick()
    expect(timeline.samples('late')).toEqual([])
    pools.add('late', memoryDriver().driver)
    tick()
    expect(timeline.samples('late').map(({ timestamp }) => timestamp)).toEqual([9000])
  })
})
