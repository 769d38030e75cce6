import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { root } from '../../../wellpool/test/docs/markdown.ts'
import { describeBrowser, eventually } from '../support/browser.ts'
import { type BusyScene, startBusyScene } from '../support/busy-scene.ts'

/** With it the pictures of the docs are made anew, which takes longer: charts show what has been. */
const WRITE = process.env.WELLPOOL_WRITE_SCREENSHOTS === '1'
const WARM_UP_MS = WRITE ? 75_000 : 2000
const SIZE = { width: 1280, height: 1000 }

async function picture(page: Page, name: string): Promise<void> {
  if (!WRITE) return
  const folder = path.join(root, 'docs/images')
  mkdirSync(folder, { recursive: true })
  // Without the focus ring and the cursor of whoever made it.
  await page.mouse.move(0, 0)
  await page.screenshot({ path: path.join(folder, `dashboard-${name}.png`), animations: 'disabled', caret: 'hide' })
}

await describeBrowser('the page of a busy system', ({ open, folder }) => {
  it('is whole in light and dark, in English and Chinese, well and ill', { timeout: 240_000 }, async () => {
    const scene: BusyScene = await startBusyScene(folder)
    onTestFinished(() => scene.stop())
    const pages = {
      light: await open(scene.url, { viewport: SIZE, colorScheme: 'light' }),
      dark: await open(scene.url, { viewport: SIZE, colorScheme: 'dark' }),
      zh: await open(scene.url, { viewport: SIZE, colorScheme: 'light', locale: 'zh-CN' }),
    }
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS))
    for (const page of Object.values(pages)) {
      await eventually(() => page.locator('.headline.well').count()).toBe(1)
      await page.getByRole('button', { name: /^(1 min|1 分钟)$/ }).click()
    }
    await picture(pages.light, 'light')
    await picture(pages.dark, 'dark')
    scene.harm()
    await eventually(() => pages.light.locator('.problem').count()).toBeGreaterThanOrEqual(2)
    await pages.zh.setViewportSize({ width: 1280, height: 840 })
    await picture(pages.zh, 'zh')
    await pages.light.setViewportSize({ width: 1380, height: 640 })
    const ill = pages.light.locator('.problem button.name').first()
    await ill.click()
    await pages.light.locator('.history li').nth(2).waitFor()
    await picture(pages.light, 'fault')
    for (const page of Object.values(pages)) {
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
    }
  })
})
