import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { createPool, createPools, type Driver, defineDriver, type Pool, type Pools } from 'wellpool'
import { postgres } from 'wellpool/postgres'
import { type Served, startFloor } from '../api/floor.ts'
import type { Asked, Command, Report } from '../api/messages.ts'
import { Child } from '../child.ts'
import { type Loaded, loadAtRate, loadFully, type MakeRequest } from '../load.ts'
import { serverUrl, startServer } from '../postgres-server.ts'
import { median, quantile } from '../statistics.ts'
import type { Sample, Workload } from '../workload.ts'

const CALLERS = 64
const CONNECTIONS = 10
/** As long as it is from one sample of the pools to the next, so that each slice has one. */
const SLICE_MS = 1_000
/** At the start of each slice, and not counted: what has rested is verified, and requests have begun. */
const LEAD_MS = 150
const PAIRS = 10
/** How long it is measured without load. */
const REST_MS = 3_000
const WARM_UP_PAIRS = 1
/** Before all else: V8 compiles what is asked for often, and only that. */
const WARM_UP_REQUESTS = 6_000

/** What goes on beside the pool's load. */
interface Use {
  /** The server for the pool; `floor`: one that knows nothing, and answers with the same bytes. */
  readonly server: 'none' | 'floor' | 'wellpool'
  /** Requests to its API a second. */
  readonly rate: number
  /** Who follow its events, with samples. */
  readonly listeners: number
  /** Events of pools a second. */
  readonly events: number
}

const USES: Readonly<Record<string, Use>> = {
  without: { server: 'none', rate: 0, listeners: 0, events: 0 },
  server: { server: 'wellpool', rate: 0, listeners: 0, events: 0 },
  floor: { server: 'floor', rate: 200, listeners: 50, events: 0 },
  wellpool: { server: 'wellpool', rate: 200, listeners: 50, events: 0 },
  'event storm': { server: 'wellpool', rate: 0, listeners: 50, events: 10_000 },
}

/** What part of what the pool can do is asked of it where the machine's cores are not all to be busy. */
const SHARE = 0.6
const CALIBRATIONS = 5

/**
 * What the API costs the pool that it tells of: 200 requests a second and 50 listeners, and a storm of events with as
 * many listeners. Each process has two pools, `subject` with a server and `bare` without, that take turns; who asks is
 * a process of its own. The ratios are of neighbouring slices. Those of `without` show what they are worth, and those of
 * `floor` what Node takes for answers that cost nothing to make.
 */
export const api: Workload = {
  ...workload('the API in use', 1),
  name: 'api',
  contenders: Object.keys(USES),
}

/** The same at 60 % of what the pool can do: queries become due at that rate, and count from when they were due. */
export const apiPart: Workload = {
  ...workload('60 % of the load, and the API in use', SHARE),
  name: 'api-part',
  contenders: ['without', 'floor', 'wellpool', 'event storm'],
}

function workload(title: string, share: number): Omit<Workload, 'name' | 'contenders'> {
  return {
    title: `select 1 on PostgreSQL, ${CALLERS} callers, ${CONNECTIONS} connections, ${title}`,
    rounds: 5,
    metrics: [
      { name: 'throughput', unit: 'queries/s', digits: 0 },
      { name: 'throughput, × bare', unit: '', digits: 3 },
      { name: 'p99, × bare', unit: '', digits: 2 },
      { name: 'CPU', unit: 'µs/query', digits: 2 },
      { name: 'CPU, × bare', unit: '', digits: 3 },
      { name: 'CPU at rest', unit: '% of a core', digits: 1, relativeTo: ['floor'] },
      { name: 'answers', unit: '1/s', digits: 0 },
      { name: 'p99 of answers', unit: 'ms', digits: 1 },
      { name: 'p99 of events', unit: 'ms', digits: 0 },
    ],
    targets: ['wellpool', 'event storm'].flatMap((of) => [
      { of, metric: 'throughput, × bare', limit: 0.95, atLeast: true, byInterval: true },
      // For each query: with fewer of them the API's share is larger, and this limit is for full load.
      ...(share === 1 ? [{ of, metric: 'CPU, × bare', limit: 1.05, byInterval: true }] : []),
      // Events are told ten times a second.
      { of, metric: 'p99 of events', limit: 200 },
    ]),
    prepare: startServer,
    async run(contender) {
      const use = USES[contender]
      if (use === undefined) throw new Error(`cannot measure ${contender}`)
      return measure(serverUrl(), use, share)
    },
  }
}

async function measure(connectionString: string, use: Use, share: number): Promise<Sample> {
  const pools = createPools({})
  const subject = new Side(pools.add('subject', postgres({ connectionString }), { maxConnections: CONNECTIONS }), noisyPool(pools), use)
  const bare = new Side(
    createPool(postgres({ connectionString }), { name: 'bare', maxConnections: CONNECTIONS }),
    noisyPool(createPools({})),
    use,
  )
  const server = use.server === 'none' ? undefined : await (use.server === 'floor' ? startFloor() : serve(pools))
  const asker = server && startAsker(server.url)
  if (use.rate > 0) {
    asker?.tell({ do: 'warmUp', requests: WARM_UP_REQUESTS })
    await asker?.hear('warm')
  }
  const rate = share === 1 ? undefined : await partOf(bare, share)
  /** Runs something while the API is in use: what came of it, and what those heard who used it. */
  const whileAsked = async <Result>(
    run: () => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly asked: Asked | undefined }> => {
    asker?.tell({ do: 'begin', rate: use.rate, listeners: use.listeners })
    await asker?.hear('begun')
    const result = await run()
    if (server !== undefined) asker?.tell({ do: 'end', seq: server.seq() })
    return { result, asked: (await asker?.hear('ended'))?.asked }
  }
  const pairs: Pair[] = []
  const heard: Asked[] = []
  for (let pair = 0; pair < WARM_UP_PAIRS + PAIRS; pair++) {
    const ofSubject = async (): Promise<Loaded> => {
      const { result, asked } = await whileAsked(() => subject.slice(rate))
      if (asked !== undefined && pair >= WARM_UP_PAIRS) heard.push(asked)
      return result
    }
    // What the machine does meanwhile falls on both alike.
    const first = pair % 2 === 0 ? await ofSubject() : undefined
    const ofBare = await bare.slice(rate)
    const slices = { subject: first ?? (await ofSubject()), bare: ofBare }
    if (pair >= WARM_UP_PAIRS) pairs.push(slices)
  }
  const { result: atRest } = await whileAsked(() => subject.rest())
  asker?.kill()
  await server?.close()
  await Promise.all([pools.close(), bare.close()])
  return { ...figuresOf(pairs), 'CPU at rest': atRest, ...answersOf(heard) }
}

/** Slices of a second each, one right after the other. */
interface Pair {
  readonly subject: Loaded
  readonly bare: Loaded
}

function figuresOf(pairs: readonly Pair[]): Sample {
  const middle = (figure: (pair: Pair) => number): number => median(pairs.map(figure))
  return {
    throughput: middle(({ subject }) => subject.throughput),
    'throughput, × bare': middle(({ subject, bare }) => subject.throughput / bare.throughput),
    'p99, × bare': middle(({ subject, bare }) => quantile(subject.latencies, 0.99) / quantile(bare.latencies, 0.99)),
    CPU: middle(({ subject }) => subject.cpu),
    'CPU, × bare': middle(({ subject, bare }) => subject.cpu / bare.cpu),
  }
}

/** @returns queries a second: this share of what the pool can do */
async function partOf(bare: Side, share: number): Promise<number> {
  const throughputs: number[] = []
  for (let i = 0; i < CALIBRATIONS; i++) throughputs.push((await bare.slice(undefined)).throughput)
  return Math.round(share * median(throughputs))
}

function answersOf(asked: readonly Asked[]): Sample {
  const failed = asked.reduce((sum, each) => sum + each.failed, 0)
  if (failed > 0) throw new Error(`${failed} requests to the API failed`)
  const p99 = (times: readonly number[]): number => (times.length === 0 ? 0 : quantile(times, 0.99))
  const answers = asked.reduce((sum, each) => sum + each.answers, 0)
  return {
    answers: asked.length === 0 ? 0 : answers / (asked.length * ((SLICE_MS + LEAD_MS) / 1000)),
    'p99 of answers': p99(asked.flatMap(({ answerMs }) => answerMs)),
    'p99 of events': p99(asked.flatMap(({ toldMs }) => toldMs)),
  }
}

async function serve(pools: Pools): Promise<Served> {
  const { createServer } = await import('@wellpool/server')
  const server = createServer(pools, { dashboard: false })
  const { feed } = server.parts.observation
  return { url: await server.listen({ port: 0 }), seq: () => feed.seq, close: () => server.close() }
}

function startAsker(url: string): Child<Command, Report> {
  // It is compiled into the folder of this program.
  return new Child(fileURLToPath(new URL('api/asker.js', import.meta.url)), { name: 'who asks', args: [url] })
}

/** A pool under load, and one beside it that has events if there is to be a storm: it is paused and resumed. */
class Side {
  readonly #pool: Pool<pg.Client>
  readonly #noisy: Pool<object>
  readonly #use: Use

  constructor(pool: Pool<pg.Client>, noisy: Pool<object>, use: Use) {
    this.#pool = pool
    this.#noisy = noisy
    this.#use = use
  }

  /** @param rate queries a second; undefined: as many as it can do */
  async slice(rate: number | undefined): Promise<Loaded> {
    const endStorm = this.#beginStorm()
    await this.#load(rate, LEAD_MS)
    const loaded = await this.#load(rate, SLICE_MS)
    endStorm()
    // Events are told in a microtask.
    await new Promise((resolve) => setImmediate(resolve))
    if (loaded.failed > 0) throw new Error(`${loaded.failed} queries failed`)
    return loaded
  }

  /** What this process takes while nobody uses the pool, and all else goes on: per cent of a core. */
  async rest(): Promise<number> {
    const endStorm = this.#beginStorm()
    await delay(LEAD_MS)
    const before = process.cpuUsage()
    const start = performance.now()
    await delay(REST_MS)
    const { user, system } = process.cpuUsage(before)
    const ms = performance.now() - start
    endStorm()
    await new Promise((resolve) => setImmediate(resolve))
    return ((user + system) / 1000 / ms) * 100
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  #load(rate: number | undefined, ms: number): Promise<Loaded> {
    const query: MakeRequest = () => this.#pool.use((client) => client.query('select 1'))
    return rate === undefined ? loadFully(query, CALLERS, ms) : loadAtRate(query, rate, ms)
  }

  /** @returns what ends it */
  #beginStorm(): () => void {
    const { events: rate } = this.#use
    if (rate === 0) return () => {}
    const start = performance.now()
    let events = 0
    const timer = setInterval(() => {
      for (const due = (rate * (performance.now() - start)) / 1000; events < due; events++) {
        if (events % 2 === 0) this.#noisy.pause()
        else this.#noisy.resume()
      }
    }, 1)
    return () => {
      clearInterval(timer)
      this.#noisy.resume()
    }
  }
}

function noisyPool(pools: Pools): Pool<object> {
  const driver: Driver<object> = defineDriver({ protocol: 'nothing', connect: async () => ({}), check() {}, close() {}, destroy() {} })
  return pools.add('noisy', driver, { minConnections: 0 })
}
