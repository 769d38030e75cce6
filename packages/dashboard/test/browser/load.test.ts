import type { WellpoolServer } from '@wellpool/server'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import type { Lease } from 'wellpool'
import { describeBrowser, eventually } from '../support/browser.ts'
import { traceTasks } from '../support/main-thread.ts'
import { driverOf, startScene } from '../support/scene.ts'

/** What the longest task of a second may take of a processor, ms: beyond it a page feels stuck. */
const LONGEST_TASK = 50
const CONNECTIONS = 1000
const WATCHED_MS = 8000

/** Tasks that the browser itself calls long, ms: on the clock, as somebody who looks at the page has them. */
async function longTasks(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const found: number[] = []
    new PerformanceObserver((list) => found.push(...list.getEntries().map(({ duration }) => duration))).observe({
      entryTypes: ['longtask'],
    })
    Object.assign(window, { found })
  })
  return () => page.evaluate(() => (window as unknown as { found: number[] }).found)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

await describeBrowser('under load', ({ open, folder }) => {
  it('draws 1,000 connections that change every second, and the longest task of a second usually takes no more than 50 ms', async () => {
    const { url, pool } = await startScene(folder, {
      orders: { driver: driverOf('memory'), minConnections: CONNECTIONS, maxConnections: CONNECTIONS, maxConnecting: 100 },
    })
    const orders = pool('orders')
    const page = await open(url)
    await eventually(() => page.locator('button.cell').count()).toBe(CONNECTIONS)
    const read = await longTasks(page)
    let leases: Lease<unknown>[] = []
    const change = async (): Promise<void> => {
      if (leases.length === 0) leases = await Promise.all(Array.from({ length: CONNECTIONS }, () => orders.acquire()))
      else for (const lease of leases.splice(0)) lease.release()
    }
    let changed = 0
    const { longest, longestCpu, usualLongestCpu, count } = await traceTasks(page, async () => {
      for (const end = Date.now() + WATCHED_MS; Date.now() < end; await pause(1000)) {
        await change()
        const state = leases.length === 0 ? 'idle' : 'acquired'
        await eventually(() => page.locator(`button.cell.state-${state}`).count()).toBe(CONNECTIONS)
        changed++
      }
    })
    for (const lease of leases) lease.release()
    const long = await read()
    console.log(
      `1,000 cells changed ${changed} times: longest of ${count} tasks ${longestCpu.toFixed(1)} ms on the processor (of a second, usually: ${usualLongestCpu.toFixed(1)} ms), ${longest.toFixed(1)} ms on the clock; ${long.length} long tasks by the browser's count ${JSON.stringify(long.map(Math.round))}`,
    )
    expect(changed).toBeGreaterThan(3)
    expect(count).toBeGreaterThan(100)
    expect(usualLongestCpu).toBeGreaterThan(0)
    expect(usualLongestCpu).toBeLessThanOrEqual(LONGEST_TASK)
  })

  it('stays responsive in a storm of 10,000 events a second, and says how many were left out', async () => {
    const { url, server } = await startScene(folder, { orders: { driver: driverOf('memory') } })
    const page = await open(url)
    await eventually(() => page.locator('.link-state').textContent()).toContain('live')
    const storm = startStorm(server)
    let answeredIn = 0
    const { longest, longestCpu, usualLongestCpu } = await traceTasks(page, async () => {
      await pause(1000)
      for (let second = 0; second < 4; second++) {
        const before = Date.now()
        await page.keyboard.press('?')
        await page.locator('dialog[open]').waitFor()
        await page.keyboard.press('Escape')
        await page.locator('dialog').waitFor({ state: 'detached' })
        answeredIn = Math.max(answeredIn, Date.now() - before)
        await pause(1000)
      }
    })
    const sent = storm.stop()
    const leftOut = async (): Promise<number> => {
      const text = (await page.locator('.left-out').textContent()) ?? ''
      return Number((/^([\d,]+) events were left out/.exec(text)?.[1] ?? '0').replaceAll(',', ''))
    }
    console.log(
      `${sent} events: longest task ${longestCpu.toFixed(1)} ms on the processor (of a second, usually: ${usualLongestCpu.toFixed(1)} ms), ${longest.toFixed(1)} ms on the clock; a dialog opened and closed in at most ${answeredIn} ms; ${await leftOut()} left out`,
    )
    expect(answeredIn).toBeLessThan(2000)
    expect(usualLongestCpu).toBeLessThanOrEqual(LONGEST_TASK)
    // Of one kind 200 a second are sent at most.
    await eventually(leftOut).toBeGreaterThan(sent * 0.9)
    expect(await leftOut()).toBeLessThan(sent)
    // Drawn as far as somebody looks.
    expect(await page.locator('.event').count()).toBe(20)
    await page.locator('.events').evaluate((list) => list.scrollTo(0, 100))
    await eventually(() => page.locator('.event').count()).toBe(120)
  })
})

/** Tells events as fast as a pool in great trouble would. */
function startStorm(server: WellpoolServer): { stop: () => number } {
  const { feed } = server.parts.context
  let sent = 0
  const startedAt = Date.now()
  const timer = setInterval(() => {
    for (const due = (Date.now() - startedAt) * 10; sent < due; sent++) {
      feed.tell('rebuildMarked', {
        timestamp: Date.now(),
        pool: 'orders',
        protocol: 'memory',
        ...{
          connectionId: `orders-${sent % 4}`,
          generation: 1,
          urgent: false,
          reason: { kind: 'slow_outlier', detail: 'check took 812 ms' },
        },
      })
    }
  }, 10)
  return {
    stop: () => {
      clearInterval(timer)
      return sent
    },
  }
}
