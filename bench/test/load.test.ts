import { describe, expect, test } from 'vitest'
import { loadAtRate, loadFully } from '../src/load.ts'

const soon = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('load at a rate', () => {
  test('makes the requests of its time, whether or not those before have been answered', async () => {
    const answers: (() => void)[] = []
    const silent = () => new Promise<void>((resolve) => answers.push(resolve))
    const loading = loadAtRate(silent, 500, 100)
    await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(50)
    for (const answer of answers) answer()
    expect(await loading).toMatchObject({ requests: 50, failed: 0 })
  })

  test('counts from when a request was due, also while the process stood still', async () => {
    const loading = loadAtRate(soon, 1_000, 60)
    const until = performance.now() + 50
    while (performance.now() < until);
    const { latencies, requests } = await loading
    expect(requests).toBe(60)
    expect(Math.max(...latencies)).toBeGreaterThan(40)
  })
})

describe('full load', () => {
  test('counts those that fail apart', async () => {
    let made = 0
    const request = async () => {
      await soon()
      if (made++ % 4 === 0) throw new Error('refused')
    }
    const { requests, failed, throughput, seconds } = await loadFully(request, 4, 50)
    expect(failed).toBe(Math.ceil(made / 4))
    expect(requests).toBe(made)
    expect(throughput).toBeCloseTo((requests - failed) / seconds)
  })

  test('has as many callers as it is told, each with its next request when the last has ended', async () => {
    let underWay = 0
    let most = 0
    const request = async () => {
      most = Math.max(most, ++underWay)
      await soon()
      underWay--
    }
    await loadFully(request, 7, 20)
    expect(most).toBe(7)
  })
})
