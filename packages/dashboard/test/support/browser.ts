import { rm } from 'node:fs/promises'
import { CHROMIUM, findProgram } from '@wellpool/servers'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, expect } from 'vitest'
import { describeWith } from '../../../wellpool/test/support/describe-if.ts'
import { buildPage } from './page-build.ts'

/** What tests in a browser have. */
export interface BrowserScene {
  readonly browser: Browser
  /** The folder with the built page. */
  readonly folder: string
  /** Opens an address in a context of its own, and watches what goes wrong on it. */
  open(url: string, options?: OpenOptions): Promise<Page>
}

export interface OpenOptions extends BrowserContextOptions {
  /** Complaints of the browser that belong to the test. Every other one fails it. */
  readonly expected?: RegExp
}

const WIDE = { width: 1440, height: 900 }

/** Declares tests in a real Chromium. Where none can be had they are reported as not run; on a CI machine that is a failure. */
export async function describeBrowser(name: string, declare: (scene: BrowserScene) => void): Promise<void> {
  await describeWith([CHROMIUM], name, async () => {
    const folder = await buildPage()
    const browser = await chromium.launch({
      executablePath: await findProgram(CHROMIUM),
      // Root has no sandbox; small machines have no room in /dev/shm.
      args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'],
    })
    let complaints: string[] = []
    const opened: Page[] = []
    afterEach(async () => {
      const found = complaints
      complaints = []
      for (const page of opened.splice(0)) {
        page.removeAllListeners()
        await page.context().close()
      }
      expect(found).toEqual([])
    })
    afterAll(async () => {
      await browser.close()
      await rm(folder, { recursive: true, force: true })
    })

    declare({
      browser,
      folder,
      async open(url, { expected, ...options } = {}) {
        const context = await browser.newContext({ viewport: WIDE, locale: 'en-GB', ...options })
        const page = await context.newPage()
        opened.push(page)
        watch(page, (complaint) => {
          if (expected?.test(complaint) !== true) complaints.push(complaint)
        })
        await page.goto(url)
        return page
      },
    })
  })
}

/** Errors of scripts, of the security policy, of requests: all that a developer would see in red. */
function watch(page: Page, complain: (complaint: string) => void): void {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complain(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => complain(`error: ${error.message}`))
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText
    // What the page itself ends, by being left, is no failure.
    if (reason !== 'net::ERR_ABORTED') complain(`request: ${request.url()} ${reason}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) complain(`response: ${response.url()} ${response.status()}`)
  })
}

/** A page follows what happens within moments; on a machine that is busy with other tests they may be long ones. */
const WITHIN_MS = 15_000

/** Expects something of what is read again and again, until it is so. */
export function eventually<Value>(read: () => Value | Promise<Value>) {
  return expect.poll(read, { timeout: WITHIN_MS, interval: 25 })
}
