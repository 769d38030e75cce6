import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { describeBrowser, eventually } from '../support/browser.ts'
import { driverOf, gate, hold, startScene } from '../support/scene.ts'

const consequences = (page: Page) => page.locator('.consequences li').allTextContents()
const confirm = (page: Page) => page.locator('dialog button[type=submit]').click()
const inPool = (page: Page, name: string, label: string) => page.locator(`#pool-${name}`).getByRole('button', { name: label }).click()

await describeBrowser('stepping in', ({ open, folder }) => {
  it('rebuilds one connection: says what will happen, does it, and shows what came of it', async () => {
    const { url, pool } = await startScene(folder, { orders: { driver: driverOf('memory') } })
    const page = await open(url)
    const [id = ''] = pool('orders')
      .connections()
      .map((each) => each.id)
    await page.locator(`button.cell[data-id="${id}"]`).click()
    await page.locator('.details').getByRole('button', { name: 'Rebuild …' }).click()
    expect(await page.locator('dialog h2').textContent()).toBe(`Rebuild ${id}?`)
    await eventually(() => consequences(page)).toEqual([
      'Rebuilds 1 connection.',
      'Each serves on until its successor is connected and checked; no request waits for it.',
    ])
    await confirm(page)
    await eventually(() => page.locator('.job.completed').textContent()).toMatch(/Rebuild of orders-\d+.*1 connection rebuilt in/)
    expect(await page.locator('dialog').count()).toBe(0)
    expect(
      pool('orders')
        .connections()
        .find((each) => each.id === id)?.generation,
    ).toBe(2)
    await eventually(() => page.locator('.details').textContent()).toMatch(/Generation\s*2/)
    await eventually(() => page.locator('.course').textContent()).toMatch(/manual.*completed.*now generation 2/)
  })

  it('rebuilds a pool a few at a time, shows how far it is, and cancels what has not begun', async () => {
    const connects = gate()
    const hooks: { connect?: () => Promise<unknown> } = {}
    const { url, pool } = await startScene(folder, {
      orders: { driver: driverOf('memory', hooks), minConnections: 8, maxConnections: 8, rebuildConcurrency: 2 },
    })
    const page = await open(url)
    hooks.connect = connects.wait
    await inPool(page, 'orders', 'Rebuild …')
    await eventually(() => consequences(page)).toContain('At most 2 at a time in a pool.')
    expect(await consequences(page)).toContain('Rebuilds 8 connections.')
    await confirm(page)
    await eventually(() => page.locator('.job').textContent()).toContain('0 of 8 done')
    await page.locator('.job').getByRole('button', { name: 'Cancel' }).click()
    connects.open()
    await eventually(() => page.locator('.job').textContent()).toContain('cancelled')
    expect(await page.locator('.job').textContent()).toMatch(/[1-7] not begun/)
    expect(
      pool('orders')
        .connections()
        .filter(({ generation }) => generation === 1).length,
    ).toBeGreaterThan(0)
    await eventually(() => page.locator('.course').allTextContents()).not.toContainEqual(expect.stringContaining('waits for its turn'))
    expect(await page.locator('.course').allTextContents()).toContainEqual(expect.stringContaining('taken back'))
    const [marked, end] = [page.locator('.steps:has(.dropped) .step').first(), page.locator('.step.dropped > span').first()]
    const [from, to] = [await marked.boundingBox(), await end.boundingBox()]
    expect((to?.x ?? 0) - (from?.x ?? 0) - (from?.width ?? 0)).toBeGreaterThan(20)
  })

  it('says that a rebuild has failed, and why', async () => {
    const hooks: { connect?: () => Promise<unknown> } = {}
    const { url } = await startScene(folder, { orders: { driver: driverOf('memory', hooks), rebuildTimeout: '200ms' } })
    const page = await open(url)
    hooks.connect = async () => {
      throw new Error('the database is in recovery')
    }
    await page.locator('button.cell').first().click()
    await page.keyboard.press('r')
    await confirm(page)
    await eventually(() => page.locator('.job.failed').textContent()).toContain('the database is in recovery')
    await eventually(() => page.locator('.course').textContent()).toContain('failed (connect)')
  })

  it('pauses with those who wait, and resumes', async () => {
    const { url, pool } = await startScene(folder, { orders: { driver: driverOf('memory') } })
    const release = await hold(pool('orders'), 4)
    const waiting = pool('orders').acquire()
    const page = await open(url)
    await eventually(() => page.locator('#headline').textContent()).toContain('1 pool needs a look')
    expect(await page.locator('.problem').textContent()).toContain('1 borrower waits: 4 of 4 in use')
    await inPool(page, 'orders', 'Pause …')
    await eventually(() => consequences(page)).toEqual([
      'Hands out no more connections: 4 in use now go on until released, 0 not in use stay open.',
      '1 borrower goes on waiting, and whoever comes waits too, until their time is up.',
    ])
    await confirm(page)
    await eventually(() => page.locator('#pool-orders .badge').allTextContents()).toContain('paused')
    expect(pool('orders').stats().state).toBe('paused')
    expect(await page.locator('.job').textContent()).toContain('orders is paused')
    release()
    await inPool(page, 'orders', 'Resume …')
    await eventually(() => consequences(page)).toEqual(['Hands out connections again; 1 borrower is served first.'])
    await confirm(page)
    await eventually(() => page.locator('#pool-orders .badge').count()).toBe(0)
    ;(await waiting).release()
    await eventually(() => page.locator('#headline').textContent()).toContain('All 4 connections are well')
  })

  it('evicts: idle ones now, those in use on release, with the numbers of each', async () => {
    const { url, pool } = await startScene(folder, { orders: { driver: driverOf('memory'), minConnections: 10, maxConnections: 10 } })
    const release = await hold(pool('orders'), 7)
    const page = await open(url)
    await eventually(() => page.locator('#pool-orders button.cell.state-acquired').count()).toBe(7)
    await inPool(page, 'orders', 'Evict …')
    await eventually(() => consequences(page)).toContain('Closes 10 connections: 3 now, 7 when they are released.')
    await page.getByLabel('Interrupt those in use (7)').check()
    await eventually(() => consequences(page)).toContain(
      'Closes 10 connections now: 7 in the middle of their work, which fails or is run again.',
    )
    await page.getByLabel('Interrupt those in use (7)').uncheck()
    await confirm(page)
    await eventually(() => pool('orders').stats().closed.evicted).toBe(3)
    await eventually(() => page.locator('.job').textContent()).toContain('The connections of orders are evicted')
    release()
    await eventually(() => pool('orders').stats().closed.evicted).toBe(10)
  })

  it('tells in the dialog what the agent refuses', async () => {
    const { url } = await startScene(folder, { orders: { driver: driverOf('memory') } })
    const page = await open(url, { expected: /503/ })
    const problem = { status: 503, code: 'AUDIT_LOG_FAILED', title: 'Changes cannot be recorded', detail: 'no space is left' }
    await page.route('**/evict', (route) =>
      route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
    )
    await inPool(page, 'orders', 'Evict …')
    await confirm(page)
    await eventually(() => page.locator('dialog .error-text').textContent()).toBe('It was not done: no space is left')
    await page.keyboard.press('Escape')
    await eventually(() => page.locator('dialog').count()).toBe(0)
  })

  it('says that it may have been done where no answer came', async () => {
    const { url } = await startScene(folder, { orders: { driver: driverOf('memory') } })
    const page = await open(url, { expected: /ERR_FAILED|Failed to load/ })
    await page.route('**/evict', (route) => route.abort())
    await inPool(page, 'orders', 'Evict …')
    await confirm(page)
    await eventually(() => page.locator('dialog .error-text').textContent()).toContain('It may have been done all the same')
  })

  it.each<[string, boolean, string]>([
    ['succeeds', true, 'The connections of orders are evicted'],
    ['fails', false, 'Evict the connections of orders?It was not done: no space is left'],
  ])('tells beside the next dialog what came of the one before, when it %s', async (_, succeeds, told) => {
    const answer = gate()
    const { url } = await startScene(folder, { orders: { driver: driverOf('memory') }, billing: { driver: driverOf('memory') } })
    const page = await open(url, { expected: /503/ })
    const problem = { status: 503, code: 'AUDIT_LOG_FAILED', title: 'Changes cannot be recorded', detail: 'no space is left' }
    await page.route('**/evict', async (route) => {
      await answer.wait()
      if (succeeds) await route.continue()
      else await route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) })
    })
    await inPool(page, 'orders', 'Evict …')
    await confirm(page)
    await page.keyboard.press('Escape')
    await eventually(() => page.locator('dialog').count()).toBe(0)
    await inPool(page, 'billing', 'Pause …')
    answer.open()
    await eventually(() => page.locator(succeeds ? '.job.completed' : '.job.failed').textContent()).toContain(told)
    expect(await page.locator('dialog h2').textContent()).toBe('Pause billing?')
  })

  it('does nothing to what has gone while it asked', async () => {
    const { url, pools } = await startScene(folder, { orders: { driver: driverOf('memory') }, billing: { driver: driverOf('memory') } })
    const page = await open(url)
    await inPool(page, 'orders', 'Evict …')
    await pools.remove('orders')
    await eventually(() => consequences(page)).toEqual(['It is not there any more.'])
    expect(await page.locator('dialog button[type=submit]').isDisabled()).toBe(true)
  })
})
