import { expect, it } from 'vitest'
import { describeBrowser, eventually } from '../support/browser.ts'
import { driverOf, startScene } from '../support/scene.ts'

const REFUSED = /401|429/

await describeBrowser('who may do what', ({ open, folder }) => {
  const start = () =>
    startScene(folder, { orders: { driver: driverOf('memory') }, billing: { driver: driverOf('memory') } }, { withTokens: true })

  it('asks for a token, says why one is refused, and forgets it on log-out', async () => {
    const { url, tokens } = await start()
    const page = await open(url, { expected: REFUSED })
    await page.getByLabel('Token').fill('wellpool_wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await eventually(() => page.locator('#login-problem').textContent()).toContain('this token is unknown, was revoked or has expired')
    await page.getByLabel('Token').fill(tokens.operator)
    await page.keyboard.press('Enter')
    await eventually(() => page.locator('#headline').textContent()).toContain('All 8 connections are well')
    expect(await page.locator('.who').textContent()).toContain('operator')

    await page.reload()
    await eventually(() => page.locator('#headline').textContent()).toContain('All 8 connections are well')
    expect(await page.evaluate(() => [sessionStorage.length, JSON.stringify(localStorage).includes('wellpool_'), document.cookie])).toEqual(
      [1, false, ''],
    )
    await page.getByRole('button', { name: 'Log out' }).click()
    expect(await page.getByLabel('Token').inputValue()).toBe('')
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0)
    expect(await page.locator('.cell').count()).toBe(0)
  })

  it('says after too many wrong tokens for how long no more are taken', async () => {
    const { url } = await start()
    const page = await open(url, { expected: REFUSED })
    const problem = page.locator('#login-problem')
    await page.getByLabel('Token').fill('wellpool_wrong')
    for (let tries = 0; tries < 12 && !((await problem.textContent()) ?? '').includes('Too many'); tries++) {
      const answer = page.waitForResponse(/session/)
      await page.getByRole('button', { name: 'Log in' }).click()
      await answer
      await eventually(() => problem.textContent()).not.toBe('')
    }
    expect(await problem.textContent()).toMatch(/Too many wrong tokens. The next try is taken in (60|5\d) s/)
    expect(await page.getByRole('button', { name: 'Log in' }).isDisabled()).toBe(true)
  })

  it('lets a viewer look and not act, and says what would be needed', async () => {
    const { url, tokens } = await start()
    const page = await open(url, { expected: REFUSED })
    await page.getByLabel('Token').fill(tokens.viewer)
    await page.keyboard.press('Enter')
    await page.locator('button.cell').first().click()
    const labels = ['Rebuild …', 'Rebuild urgently …', 'Pause …', 'Evict …', 'Rebuild all pools …']
    for (const name of labels) {
      for (const button of await page.getByRole('button', { name, exact: true }).all()) {
        expect(await button.isDisabled(), name).toBe(true)
        expect(await button.getAttribute('title')).toBe('This needs the role operator')
      }
      expect(await page.getByRole('button', { name, exact: true }).count(), name).toBeGreaterThan(0)
    }
    await page.keyboard.press('r')
    await page.keyboard.press('Shift+R')
    expect(await page.locator('dialog').count()).toBe(0)
  })

  it('does not let in who may not look', async () => {
    const { url, tokens } = await start()
    const page = await open(url, { expected: REFUSED })
    await page.getByLabel('Token').fill(tokens.executor)
    await page.keyboard.press('Enter')
    await eventually(() => page.locator('#login-problem').textContent()).toBe(
      'executor has the role executor, which may not look at pools.',
    )
  })
})
