import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { createPools, type Pool } from 'wellpool'
import { postgres } from 'wellpool/postgres'
import { Api } from './api.ts'
import { Director } from './director.ts'
import type { Endpoint } from './endpoint.ts'
import type { FaultKind } from './faults.ts'
import { Invariants } from './invariants.ts'
import type { Journal } from './journal.ts'
import { Load } from './load.ts'
import { Observer } from './observer.ts'
import { Router } from './router.ts'
import { CALLERS, DEADLINE_MS, POOL_OPTIONS, QUERY_TIMEOUT_MS, REQUESTS_PER_SECOND, ROUTER_POOL_OPTIONS, WORK_MS } from './settings.ts'
import { SLICE_MS, type Snapshot } from './snapshot.ts'
import { Stalls } from './stalls.ts'
import { describeSeen, type Outcome, verdictLine } from './summary.ts'
import { type Request, Tally } from './tally.ts'
import { duration, lineText, messageOf } from './text.ts'

/** How often pool and faults are looked at, ms. */
const LOOK_EVERY_MS = 25
/** Latencies are those of the last, ms. */
const LATENCY_SPAN_MS = 10_000
/** A request has ended by then: it waits until its deadline and may run three times. */
const SETTLE_LIMIT_MS = DEADLINE_MS + 3 * QUERY_TIMEOUT_MS + 500
/** So long may the server take to notice that sessions have ended. */
const GONE_LIMIT_MS = 2_000
const START_LIMIT_MS = 15_000

/** The answer says which request it belongs to. */
const QUERY = 'select $1::int as id from pg_sleep($2)'

/** The demo from the opened pool to the closed one: everything but the server and the terminal. */
export class Demo {
  readonly journal: Journal
  readonly #endpoint: Endpoint
  readonly #lastsMs: number
  readonly #observer: Observer
  readonly #invariants: Invariants
  readonly #stalls = new Stalls()
  readonly #tally = new Tally((from, to) => this.#stalls.between(from, to))
  readonly #pools = createPools({})
  readonly #pool: Pool<pg.Client>
  readonly #load: Load
  readonly #marks: { at: number; key: string }[] = []
  readonly #quit = new AbortController()
  readonly #router: Router
  #director: Director | undefined
  #api: Api | undefined
  #server = ''
  #startedAt = 0

  constructor(endpoint: Endpoint, device: Router['device'], lastsMs: number, journal: Journal) {
    this.#endpoint = endpoint
    this.#lastsMs = lastsMs
    this.journal = journal
    const applicationName = `wellpool-demo-${process.pid}`
    this.#observer = new Observer(endpoint.url, { applicationName })
    this.#invariants = new Invariants(this.#observer, endpoint.proxy)
    const driver = postgres({
      connectionString: endpoint.proxiedUrl,
      applicationName,
      queryTimeout: QUERY_TIMEOUT_MS,
      onConnect: (client) => this.#introduce(client),
    })
    const { name, ...options } = POOL_OPTIONS
    this.#pool = this.#pools.add(name, driver, options)
    this.#router = new Router(
      device,
      this.#pools,
      (from, to) => this.#stalls.between(from, to),
      (rule) => this.#invariants.break(rule),
    )
    this.#load = new Load(REQUESTS_PER_SECOND, this.#tally, (request, index) => this.#request(request, index))
    journal.follow(this.#pool)
    journal.follow(this.#router.pool)
  }

  /**
   * Opens the pools, lets them be seen and steered from outside, and begins the load.
   *
   * @param port of the API; see {@link Api.start}
   * @throws when the server can't be used, or the port is taken
   */
  async start(port?: number): Promise<void> {
    try {
      this.#server = `PostgreSQL ${await this.#version()}, ${this.#endpoint.label}`
      this.#api = await Api.start(this.#pools, port)
      await this.#pools.start({ timeout: START_LIMIT_MS })
    } catch (error) {
      await Promise.all([this.#pools.close({ timeout: 0 }), this.#observer.close()])
      await this.#api?.close()
      throw error
    }
    this.#startedAt = performance.now()
    const { device, tally, pool } = this.#router
    const scene = { endpoint: this.#endpoint, observer: this.#observer, device }
    const subjects = {
      postgres: { tally: this.#tally, pool: this.#pool, wanted: POOL_OPTIONS.minConnections },
      router: { tally, pool, wanted: ROUTER_POOL_OPTIONS.minConnections },
    }
    this.#director = new Director(scene, subjects, this.#startedAt, this.#startedAt + this.#lastsMs, {
      begun: (fault, now) => this.#faultBegun(fault, now),
      injected: (_, { detail }) => this.journal.note(`fault made: ${detail}`, 'strong'),
      late: (fault) => this.#noTimeFor(fault),
      judged: (verdict) => this.journal.note(lineText(verdictLine(verdict)).trim(), verdict.healed ? 'good' : 'bad'),
    })
    this.#stalls.start()
    this.#invariants.start()
    this.#load.start()
    this.#router.begin()
  }

  /** Runs until the time is up or {@link Demo.quit} is called, then closes everything. */
  async run(): Promise<Outcome> {
    const look = setInterval(() => this.#look(), LOOK_EVERY_MS)
    const limit = Number.isFinite(this.#lastsMs) ? this.#lastsMs : 2 ** 31 - 1
    await delay(limit, undefined, { signal: this.#quit.signal }).catch(() => {})
    const ranMs = performance.now() - this.#startedAt
    const notJudged = await this.#director?.end()
    this.#load.stop()
    this.journal.note('the load has ended; closing')
    const [lost, lostCommands] = await Promise.all([this.#load.settled(SETTLE_LIMIT_MS), this.#router.end(SETTLE_LIMIT_MS)])
    const seen = this.#director?.seen(performance.now())
    if (lost + lostCommands > 0) this.#invariants.break(`${lost + lostCommands} requests were never settled`)
    await this.#pools.close()
    const unseen = await this.#lookForRemains()
    clearInterval(look)
    this.#stalls.stop()
    await this.#invariants.stop()
    await this.#observer.close()
    await this.#api?.close()
    return {
      ranMs,
      requests: this.#tally,
      commands: this.#router.tally,
      verdicts: this.#director?.verdicts ?? [],
      interrupted: notJudged === undefined || seen === undefined ? undefined : { fault: notJudged, seen },
      invariants: this.#invariants,
      unseen,
      stalls: this.#stalls,
      api: this.#api,
    }
  }

  /** Ends the run as soon as that can be done in order. */
  quit(): void {
    this.#quit.abort()
  }

  /** Makes a fault now, or after the present one. */
  ask(fault: FaultKind): void {
    const inTime = this.#director?.ask(fault, performance.now()) ?? false
    if (!inTime) this.#noTimeFor(fault)
  }

  togglePause(): void {
    this.#director?.togglePause(performance.now())
  }

  /** Rebuilds every connection by hand and says what the application saw of it. */
  rebuildAll(): void {
    const since = performance.now()
    this.journal.note('rebuild of all connections asked for by hand', 'strong')
    this.#pool.rebuildConnections({ all: true }).then(
      ({ succeeded, total }) => {
        const now = performance.now()
        const text = `${succeeded} of ${total} rebuilt by hand in ${duration(now - since)}; ${describeSeen(this.#tally.since(since, now))}`
        this.journal.note(text, succeeded === total ? 'good' : 'bad')
      },
      (error: unknown) => this.journal.note(`not rebuilt by hand: ${messageOf(error)}`, 'bad'),
    )
  }

  /** Everything that a picture needs, as it is now. Caller must have started. */
  snapshot(): Snapshot {
    const now = performance.now()
    const director = this.#director as Director
    return {
      api: this.#api as Api,
      now,
      startedAt: this.#startedAt,
      endsAt: this.#startedAt + this.#lastsMs,
      server: this.#server,
      stats: this.#pool.stats(),
      connections: this.#pool.connections(),
      reasonOf: (id) => this.journal.reasonOf(id),
      invariants: this.#invariants,
      requests: this.#tally,
      latency: this.#tally.latency(LATENCY_SPAN_MS, now),
      router: this.#router.snapshot(LATENCY_SPAN_MS, now),
      slices: (count) => this.#tally.slices(count, SLICE_MS, now),
      marks: this.#marks,
      stage: director.stage(now),
      seen: director.seen(now),
      verdicts: director.verdicts,
      entries: this.journal.entries,
    }
  }

  /** @throws Error that says which server it is that can't be used, and why */
  async #version(): Promise<string> {
    try {
      return await this.#observer.version()
    } catch (error) {
      throw new Error(`PostgreSQL, ${this.#endpoint.label}: ${messageOf(error)}`, { cause: error })
    }
  }

  #look(): void {
    this.#invariants.look(this.#pool.stats())
    this.#router.look()
    this.#director?.look(performance.now())
  }

  /** What an application does: a query that may be run again, with a deadline. */
  async #request(request: Request, index: number): Promise<void> {
    const workMs = WORK_MS[(index % CALLERS) % WORK_MS.length] as number
    const timeout = Math.max(0, DEADLINE_MS - (performance.now() - request.due))
    const answer = await this.#pool.use((client) => client.query<{ id: number }>(QUERY, [request.id, workMs / 1_000]), {
      idempotent: true,
      timeout,
    })
    if (answer.rows[0]?.id !== request.id) this.#invariants.break('an answer belonged to another request')
  }

  /** Tells which session at the server belongs to which flow through the proxy. */
  #introduce(client: pg.Client): void {
    const { processID, connection } = client as unknown as { processID: number; connection: { stream: { localPort?: number } } }
    this.#invariants.learn(processID, connection.stream.localPort ?? 0)
  }

  #faultBegun({ key, name }: FaultKind, now: number): void {
    this.#marks.push({ at: now, key })
    this.journal.note(`FAULT ${key}: ${name}`, 'strong')
  }

  #noTimeFor({ name }: FaultKind): void {
    this.journal.note(`${name}: no time is left for it`, 'warn')
  }

  /** After the close nothing may be left, here or at the server. @returns why the server could not be asked, if it could not */
  async #lookForRemains(): Promise<string | undefined> {
    for (const [, pool] of this.#pools) {
      const { open, name } = pool.stats()
      if (open > 0 || pool.connections().length > 0) this.#invariants.break(`${open} clients of ${name} were left after the close`)
    }
    const limit = performance.now() + GONE_LIMIT_MS
    for (;;) {
      // A server that is there, and not ours, may be away.
      const left = await this.#observer.backends().catch((error: unknown) => messageOf(error))
      if (left.length === 0) return undefined
      if (performance.now() > limit) {
        if (typeof left === 'string') return left
        this.#invariants.break(`${left.length} sessions were left at the server after the close`)
        return undefined
      }
      await delay(25)
    }
  }
}
