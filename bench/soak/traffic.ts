import type pg from 'pg'
import type { Pool } from 'wellpool'
import type { Random } from '../src/random.ts'
import type { Traffic as Figures } from './messages.ts'

/** So many requests become due together, and so often, ms. */
const TOGETHER = 8
const EVERY_MS = 40
/** One request in so many is aborted by its caller, and one is refused by the server: what fails must leave nothing behind either. */
const ONE_IN = 25
const TIMEOUT_MS = 2_000

/** The application's requests. */
export class Traffic {
  readonly #pool: Pool<pg.Client>
  readonly #random: Random
  /** One for all requests, as an application has for its shutdown. */
  readonly #signal: AbortSignal
  readonly #underWay = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #requests = 0
  #failed = 0

  constructor(pool: Pool<pg.Client>, random: Random, signal: AbortSignal) {
    this.#pool = pool
    this.#random = random
    this.#signal = signal
  }

  get figures(): Figures {
    return { requests: this.#requests, failed: this.#failed }
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (let i = 0; i < TOGETHER; i++) this.#make()
    }, EVERY_MS)
  }

  /** Makes no more, and resolves when all have ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#underWay)
  }

  #make(): void {
    const request = this.#request().finally(() => this.#underWay.delete(request))
    this.#underWay.add(request)
  }

  async #request(): Promise<void> {
    this.#requests++
    const lot = this.#random() * ONE_IN
    const options = { signal: this.#signal, timeout: TIMEOUT_MS, idempotent: true }
    try {
      if (lot < 1) await this.#pool.use((client) => client.query('select 1 / 0'), options).catch(meant)
      else if (lot < 2) await this.#aborted()
      else await this.#pool.use((client) => client.query('select 1'), options)
    } catch {
      this.#failed++
    }
  }

  async #aborted(): Promise<void> {
    const controller = new AbortController()
    const request = this.#pool.use((client) => client.query('select 1'), { signal: controller.signal, timeout: TIMEOUT_MS })
    controller.abort(new Error('its caller has left'))
    await request.catch(() => {})
  }
}

/** Division by zero. */
function meant(error: { readonly code?: string }): void {
  if (error.code !== '22012') throw error
}
