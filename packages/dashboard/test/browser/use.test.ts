import { attach, createServer } from '@wellpool/server'
import Fastify from 'fastify'
import type { Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { accessibilityProblems } from '../support/axe.ts'
import { describeBrowser, eventually } from '../support/browser.ts'
import { driverOf, gate, type Hooks, startScene } from '../support/scene.ts'

/** What a banner has read out within some time. */
function readOut(page: Page, ms: number): Promise<string[]> {
  return page.evaluate(async (watchedFor) => {
    const read = (): string[] => [...document.querySelectorAll('.banner [role=alert]')].map((alert) => alert.textContent ?? '')
    const texts = new Set(read())
    const observer = new MutationObserver(() => {
      for (const text of read()) texts.add(text)
    })
    observer.observe(document.body, { childList: true, characterData: true, subtree: true })
    await new Promise((resolve) => setTimeout(resolve, watchedFor))
    observer.disconnect()
    return [...texts]
  }, ms)
}

const PHONE = { width: 360, height: 740 }

await describeBrowser('using the page', ({ open, folder }) => {
  const start = () => startScene(folder, { orders: { driver: driverOf('memory') }, 'router 17': { driver: driverOf('ssh') } })

  it('is used with the keyboard alone', async () => {
    const { url, pool } = await start()
    const page = await open(url)
    await page.locator('button.cell').first().waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-id') ?? document.activeElement?.className ?? '')
    const [first, second] = pool('orders').connections()

    await page.keyboard.press('Tab')
    expect(await focused()).toBe('skip')
    await page.keyboard.press('Enter')
    await page.keyboard.press('c')
    expect(await focused()).toBe(first?.id)
    await page.keyboard.press('ArrowRight')
    expect(await focused()).toBe(second?.id)
    await page.keyboard.press('End')
    expect(await focused()).toBe(pool('router 17').connections().at(-1)?.id)
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await eventually(() => page.locator('.details h2').textContent()).toBe(`Connection ${second?.id}`)
    await page.keyboard.press('r')
    await page.locator('dialog[open]').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await eventually(() => page.locator('.job.completed').count()).toBe(1)
    await page.keyboard.press('Escape')
    expect(await page.locator('.details').count()).toBe(0)
    await eventually(focused).toBe(second?.id)

    await page.keyboard.press('?')
    expect(await page.locator('dialog h2').textContent()).toBe('Keyboard')
    await page.keyboard.press('Escape')
    await page.keyboard.press('e')
    await page.keyboard.type('rebuildCompleted')
    await eventually(() => page.locator('.event').count()).toBe(1)
  })

  it('lets keys of one character do nothing, for who speaks to the computer', async () => {
    const { url } = await start()
    const page = await open(url)
    await page.locator('button.cell').first().click()
    const keys = page.getByRole('checkbox', { name: 'Use keys of one character' })
    await page.keyboard.press('?')
    expect(await accessibilityProblems(page)).toEqual([])
    await keys.uncheck()
    await page.keyboard.press('Escape')
    for (const key of ['r', 'Shift+R', 'l', '?']) await page.keyboard.press(key)
    expect([await page.locator('dialog').count(), await page.evaluate(() => document.documentElement.lang)]).toEqual([0, 'en'])
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
    await keys.check()
    await page.keyboard.press('Escape')
    await page.keyboard.press('r')
    await page.locator('dialog[open]').waitFor()
  })

  it('goes to the next connection that is ill', async () => {
    const hooks: Hooks = {}
    const { url, pool } = await startScene(folder, {
      orders: {
        driver: driverOf('memory', hooks),
        healthCheckInterval: '200ms',
        healthRecheckInterval: '200ms',
        unhealthyThreshold: Number.POSITIVE_INFINITY,
        panicThreshold: 1,
      },
    })
    const page = await open(url)
    await page.locator('button.cell').first().waitFor()
    hooks.check = async ({ number }) => {
      if (number === 3) throw new Error('no answer')
    }
    await eventually(() => page.locator('.problem').count()).toBe(1)
    const ill = pool('orders')
      .connections()
      .find(({ health }) => health === 'degraded')
    await page.keyboard.press('n')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(new RegExp(`^${ill?.id}: \\w+, degraded`))
  })

  it('speaks Chinese to who prefers it, and English when that is chosen', async () => {
    const { url } = await start()
    const page = await open(url, { locale: 'zh-CN' })
    await eventually(() => page.locator('#headline').textContent()).toContain('全部 8 个连接正常')
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN')
    expect(await page.locator('#pool-orders').getByRole('button').first().textContent()).toBe('重建 …')
    await page.getByRole('button', { name: 'English' }).click()
    await eventually(() => page.locator('#headline').textContent()).toContain('All 8 connections are well')
    await page.reload()
    await eventually(() => page.locator('#headline').textContent()).toContain('All 8 connections are well')
  })

  it('follows the colours of the system, until others are chosen', async () => {
    const { url } = await start()
    const page = await open(url, { colorScheme: 'dark' })
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    await eventually(ground).toBe('rgb(14, 17, 20)')
    await page.keyboard.press('t')
    await eventually(ground).toBe('rgb(244, 246, 248)')
  })

  it('turns nothing for who wants no motion', async () => {
    const [hooks, connects]: [Hooks, ReturnType<typeof gate>] = [{}, gate()]
    const { url } = await startScene(folder, { orders: { driver: driverOf('memory', hooks) } })
    const page = await open(url, { reducedMotion: 'reduce' })
    hooks.connect = connects.wait
    await page.locator('button.cell').first().click()
    await page.keyboard.press('Shift+R')
    await page.locator('dialog button[type=submit]').click()
    const sign = page.locator('button.cell.state-rebuilding > span')
    const animation = () => sign.evaluate((element) => getComputedStyle(element).animationName)
    expect(await animation()).toBe('none')
    await page.emulateMedia({ reducedMotion: 'no-preference' })
    expect(await animation()).toBe('turn')
    connects.open()
  })

  it('says when the agent is away, how old what it shows is, and goes on when it is back', async () => {
    const { url, server, pools } = await start()
    const page = await open(url, { expected: /ERR_|Failed to load|net::|\/api\/v1\/\w+ 503$/ })
    await eventually(() => page.locator('.link-state').textContent()).toContain('live')
    await server.close()
    await eventually(() => page.locator('.banner').textContent()).toMatch(/The agent has not answered for .* What is shown is .* old/)
    expect(await page.locator('.link-state').textContent()).toContain('not connected')
    expect(await page.locator('button.cell').count()).toBe(8)
    // Nobody knows whether they are.
    expect(await page.locator('#headline').textContent()).toContain('All 8 connections were well')
    expect(await page.locator('.headline.well').count()).toBe(0)
    expect(await readOut(page, 2000)).toEqual(['The agent does not answer'])
    const timeline = page.waitForRequest(/\/timeline$/)
    const again = createServer(pools, { dashboard: folder })
    await again.listen({ port: Number(new URL(url).port) })
    onTestFinished(() => again.close())
    await page.getByRole('button', { name: 'Try now' }).click()
    await eventually(() => page.locator('.banner').count()).toBe(0)
    await eventually(() => page.locator('.headline.well').count()).toBe(1)
    // What was missed meanwhile is read.
    await timeline
    expect(await page.locator('.link-state').textContent()).toContain('live')
  })

  it('draws a check as a dot that has no other beside it', async () => {
    const { url } = await startScene(folder, {
      orders: { driver: driverOf('memory'), minConnections: 1, maxConnections: 1, healthCheckInterval: '3s' },
    })
    // Chromium has advice for who reads pixels more than once.
    const page = await open(url, { expected: /willReadFrequently/ })
    const checks = page.locator('.chart').nth(2)
    await eventually(() => checks.locator('.chart-legend b').last().textContent()).toMatch(/ms/)
    // One check in a second is all of its percentiles: the line that is drawn last covers the others.
    const dots = () =>
      checks.evaluate((chart) => {
        const channels = (colour: string): number[] => (colour.match(/\d+/g) ?? []).map(Number)
        const wanted = channels(getComputedStyle(chart.querySelector('.tone-third') ?? chart).color)
        const canvas = chart.querySelector('canvas')
        const context = canvas?.getContext('2d')
        if (canvas === null || context === null || context === undefined) return 0
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
        let found = 0
        for (let at = 0; at < data.length; at += 4) {
          if ((data[at + 3] ?? 0) > 200 && wanted.every((value, channel) => Math.abs((data[at + channel] ?? 0) - value) < 16)) found++
        }
        return found
      })
    await eventually(dots).toBeGreaterThan(0)
  })

  it('works where it is mounted, with and without the slash', async () => {
    const { pools } = await start()
    const app = Fastify()
    await app.register(attach(pools, { dashboard: folder }), { prefix: '/ops/wellpool' })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const page = await open(`${url}/ops/wellpool?from=mail`)
    await eventually(() => page.locator('#headline').textContent()).toContain('All 8 connections are well')
    expect(page.url()).toBe(`${url}/ops/wellpool/?from=mail`)
  })

  it('says that there are no pools yet, and shows one that is added', async () => {
    const { url, pools } = await startScene(folder, {})
    const page = await open(url)
    await eventually(() => page.locator('#headline').textContent()).toContain('No pools yet')
    pools.add('late', driverOf('memory'))
    await eventually(() => page.locator('#pool-late button.cell').count()).toBe(2)
    await eventually(() => page.locator('#headline').textContent()).toContain('All 2 connections are well')
  })

  describe('for everybody', () => {
    it.each(['light', 'dark'] as const)('has nothing that axe finds wrong, in %s', async (colorScheme) => {
      const hooks: Hooks = {}
      const { url } = await startScene(folder, {
        orders: {
          driver: driverOf('memory', hooks),
          healthCheckInterval: '200ms',
          healthRecheckInterval: '200ms',
          unhealthyThreshold: Number.POSITIVE_INFINITY,
          panicThreshold: 1,
        },
        billing: { driver: driverOf('memory') },
      })
      const page = await open(url, { colorScheme })
      await page.locator('.plot canvas').first().waitFor()
      expect(await accessibilityProblems(page)).toEqual([])
      hooks.check = async ({ number }) => {
        if (number === 1) throw new Error('no answer')
      }
      await page.locator('.problem').waitFor()
      await page.locator('.legend summary').click()
      expect(await accessibilityProblems(page)).toEqual([])
      await page.locator('.legend summary').click()
      await page.locator('.problem button.name').click()
      await page.locator('.history li').first().waitFor()
      expect(await accessibilityProblems(page)).toEqual([])
      await page.keyboard.press('r')
      await page.locator('dialog[open]').waitFor()
      expect(await accessibilityProblems(page)).toEqual([])
    })

    it('has nothing that axe finds wrong where it asks for a token', async () => {
      const { url } = await startScene(folder, {}, { withTokens: true })
      const page = await open(url, { expected: /401/ })
      await page.getByLabel('Token').waitFor()
      expect(await accessibilityProblems(page)).toEqual([])
    })

    it('fits on a phone, details and dialogs too', async () => {
      const { url } = await start()
      const page = await open(url, { viewport: PHONE, hasTouch: true })
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      await page.locator('.plot canvas').first().waitFor()
      expect(await overflow()).toBe(0)
      // As far apart as all others, though there is something empty in between.
      const edges = await page.evaluate(() => {
        const [headline, connections, charts] = ['.headline', '#connections', '.charts'].map((each) =>
          document.querySelector(each)?.closest('main > *')?.getBoundingClientRect(),
        )
        return [(connections?.top ?? 0) - (headline?.bottom ?? 0), (charts?.top ?? 0) - (connections?.bottom ?? 0)]
      })
      expect(edges[0]).toBe(edges[1])
      await page.locator('button.cell').first().click()
      expect(await overflow()).toBe(0)
      await page.locator('.details').getByRole('button', { name: 'Rebuild …' }).click()
      const box = await page.locator('dialog').boundingBox()
      expect(box?.width).toBeLessThanOrEqual(PHONE.width)
      expect(await accessibilityProblems(page)).toEqual([])
    })
  })
})
