import assert from 'node:assert/strict'
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import type { Driver } from '../engine/driver.ts'
import { createPool, type Pool, type PoolOptions } from '../index.ts'
import type { ConformanceOptions } from './conformance.ts'
import { FaultProxy } from './fault-proxy.ts'

/** A case before it has its surroundings. */
export interface SceneCase<Client> {
  readonly name: string
  readonly run: (scene: Scene<Client>) => Promise<void>
}

const PAUSE_MS = 5

/** A turn of the event loop: sockets have been looked at once. */
const turn = async (): Promise<void> => {
  await setImmediate()
  await setImmediate()
}

/** What one case works with: a proxy in front of the server, a driver, and whatever it makes of them. */
export class Scene<Client> {
  readonly options: ConformanceOptions<Client>
  readonly proxy: FaultProxy
  readonly driver: Driver<Client>
  readonly #clients = new Set<Client>()
  readonly #pools = new Set<Pool<Client>>()

  private constructor(options: ConformanceOptions<Client>, proxy: FaultProxy) {
    this.options = options
    this.proxy = proxy
    this.driver = options.createDriver(proxy)
  }

  static async open<Client>(options: ConformanceOptions<Client>): Promise<Scene<Client>> {
    const proxy = await FaultProxy.start(options.target)
    try {
      return new Scene(options, proxy)
    } catch (error) {
      await proxy.close()
      throw error
    }
  }

  get promptMs(): number {
    return this.options.limits?.promptMs ?? 500
  }

  get lostMs(): number {
    return this.options.limits?.lostMs ?? 1000
  }

  get checkMs(): number {
    return this.options.limits?.checkMs ?? 100
  }

  get patienceMs(): number {
    return this.options.limits?.patienceMs ?? 15_000
  }

  /** A connect that is not awaited; `abort` gives it up. What arrives is destroyed with the scene. */
  beginConnect(driver = this.driver): { readonly client: Promise<Client>; readonly abort: (reason?: unknown) => void } {
    const controller = new AbortController()
    const connecting = async (): Promise<Client> => driver.connect({ signal: controller.signal, connectionId: 'conformance-1', attempt: 1 })
    const client = connecting().then((arrived) => {
      this.#clients.add(arrived)
      return arrived
    })
    // Whoever waits for it hears of its failure; while nobody does, it is no unhandled one.
    client.catch(() => {})
    return { client, abort: (reason) => controller.abort(reason) }
  }

  async connect(): Promise<Client> {
    return this.within(this.patienceMs, this.beginConnect().client, 'connect')
  }

  /** A check with this much time; rejects with the signal's reason after it. */
  async check(client: Client, ms = this.patienceMs): Promise<unknown> {
    return this.driver.check(client, { signal: AbortSignal.timeout(ms) })
  }

  /** What the driver's `watch` reports of the client, and after how long. */
  lost(client: Client): Promise<unknown> {
    return new Promise((resolve) => {
      this.driver.watch?.(client, { lost: resolve, retire: () => {} })
    })
  }

  pool(options: PoolOptions, driver = this.driver): Pool<Client> {
    const pool = createPool(driver, { name: 'conformance', closeTimeout: this.promptMs, ...options })
    this.#pools.add(pool)
    return pool
  }

  /** The promise, or an AssertionError when it takes longer. */
  async within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
    const timer = new AbortController()
    const late = delay(ms, undefined, { signal: timer.signal }).then(
      () => assert.fail(`${what} took longer than ${ms} ms`),
      () => undefined as never,
    )
    try {
      return await Promise.race([promise, late])
    } finally {
      timer.abort()
    }
  }

  /** What the promise rejects with; an AssertionError when it fulfils or takes longer. */
  async rejection(ms: number, promise: Promise<unknown>, what: string): Promise<unknown> {
    const fulfilled = Symbol('fulfilled')
    const outcome = await this.within(
      ms,
      promise.then(
        () => fulfilled,
        (error: unknown) => error,
      ),
      what,
    )
    assert.notEqual(outcome, fulfilled, `${what} fulfilled instead of rejecting`)
    return outcome
  }

  /** Resolves when the condition holds; an AssertionError when it takes longer. */
  async until(ms: number, condition: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> {
    const limit = performance.now() + ms
    while (!(await condition())) {
      if (performance.now() > limit) assert.fail(`not within ${ms} ms: ${typeof what === 'string' ? what : what()}`)
      await delay(PAUSE_MS)
    }
  }

  /** How many sockets were made for clients so far: one more is made for it. Those that are closed leave no other trace. */
  async countSockets(): Promise<number> {
    await this.connect()
    return Math.max(...this.proxy.flows().map(({ id }) => id)) - 1
  }

  /** Every client has let go of its socket; and, with `countSessions`, the server of its sessions. */
  async untilNothingIsLeft(): Promise<void> {
    await this.untilSocketsAreClosed()
    await this.proxy.heal()
    const { countSessions } = this.options
    if (countSessions === undefined) return
    await this.until(this.patienceMs, async () => (await countSessions()) === 0, 'the server has no session any more')
  }

  async untilSocketsAreClosed(): Promise<void> {
    // Node accepts one socket in each turn of the event loop. Those that wait for that may be closed already, and on a busy
    // machine a turn takes its time: that is not the driver's.
    for (let seen = -1; seen !== this.proxy.flows().length; await turn()) seen = this.proxy.flows().length
    const closed = this.proxy.until((flows) => flows.every(({ clientOpen }) => !clientOpen))
    await this.within(this.promptMs, closed, 'the closing of all sockets')
  }

  /** Runs it and reports how long it took. */
  async measure<T>(figure: string, run: () => Promise<T>): Promise<T> {
    const start = performance.now()
    const result = await run()
    this.options.report?.(figure, performance.now() - start)
    return result
  }

  /** Rejects with what went wrong, and has closed the proxy all the same: it would hold the process open. */
  async close(): Promise<void> {
    try {
      // Pools first: they would replace what is destroyed under them.
      await Promise.all([...this.#pools].map((pool) => pool.close({ timeout: 0 })))
      for (const client of this.#clients) this.driver.destroy(client)
    } finally {
      await this.proxy.close()
    }
  }
}
