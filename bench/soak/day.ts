// A day of a pool's life on the virtual clock, and its real heap at every hour. Started with its settings as its only argument.

import { createPool, type Timer } from 'wellpool'
import { type ClientLife, createFakeDriver, type FakeClient, FakeClock, fail, hang, ok } from 'wellpool/testing'
import { heapUsed } from '../src/heap.ts'
import { seeded } from '../src/random.ts'
import { type DayReport, type DaySettings, MAX_CONNECTIONS } from './day-report.ts'
import type { Sampled } from './growth.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND
const SAMPLE_EVERY = HOUR
/** Requests a second at night and at noon. */
const LEAST_RATE = 0.02
const MOST_RATE = 0.5
/** A fault begins so often, and lasts for so long. */
const FAULT_EVERY = 20 * 60 * SECOND
const FAULT_LASTS = 30 * SECOND

const settings = JSON.parse(process.argv[2] ?? '') as DaySettings
const random = seeded(settings.seed)
const clock = new FakeClock()
const driver = createFakeDriver({ clock, hooks: ['watch', 'reset', 'secondOpinion'] })
const pool = createPool(driver, {
  clock,
  random,
  name: 'day',
  minConnections: 2,
  maxConnections: MAX_CONNECTIONS,
  idleTimeout: '2m',
  maxLifetime: '15m',
  acquireTimeout: '5s',
})
const kept: unknown[] = []
let requests = 0
let failed = 0
let faults = 0

/** What happens to the endpoint, and what ends it. */
const FAULTS: readonly (() => void)[] = [
  () => lose(1),
  () => lose(Number.POSITIVE_INFINITY),
  () => driver.always('connect', fail(new Error('connection refused'), 2)),
  () => driver.always('connect', hang()),
  () => driver.always('check', hang()),
  () => driver.always('check', fail(new Error('the check failed'), 3)),
  () => driver.always('check', ok(1_500)),
  () => driver.always('reset', fail(new Error('the reset failed'), 1)),
  () => driver.always('close', hang()),
  () => {
    for (const { client } of present()) driver.retire(client, 'maintenance')
  },
]

function healed(): void {
  driver.always('connect', ok(5))
  driver.always('check', ok(1))
  driver.always('close', ok(1))
  driver.always('reset', { do: 'return' })
}

function present(): ClientLife[] {
  return driver.ledger.present().filter(({ closeCalledAt }) => closeCalledAt === undefined)
}

function lose(most: number): void {
  for (const { client } of present().slice(0, most)) driver.lose(client, new Error('the server has gone away'))
}

/** More by day than by night. */
function rateAt(time: number): number {
  const byDay = (1 - Math.cos((2 * Math.PI * time) / (24 * HOUR))) / 2
  return LEAST_RATE + (MOST_RATE - LEAST_RATE) * byDay
}

async function request(): Promise<void> {
  requests++
  // Most are short, a few take seconds.
  const work = 2 * 2_000 ** (random() ** 4)
  const use = (client: FakeClient): Promise<void> => {
    if (settings.leaks) kept.push({ client, note: new Array(20).fill(requests) })
    return new Promise((resolve) => clock.arrive(work, resolve))
  }
  await pool.use(use, { idempotent: random() < 0.5 }).catch(() => failed++)
}

/** The timers of the day itself. */
const own: { request?: Timer; fault?: Timer; end?: Timer } = {}
const begun = clock.now()
const passed = (): number => clock.now() - begun

function arrive(): void {
  void request()
  own.request = clock.setTimeout(arrive, Math.ceil((-Math.log(1 - random()) * SECOND) / rateAt(passed())))
}

function breakSomething(): void {
  faults++
  FAULTS[Math.floor(random() * FAULTS.length)]?.()
  own.end = clock.setTimeout(healed, FAULT_LASTS)
  own.fault = clock.setTimeout(breakSomething, FAULT_EVERY * (0.5 + random()))
}

healed()
await clock.until(pool.start())
arrive()
breakSomething()
const heap: Sampled[] = []
for (let at = SAMPLE_EVERY; at <= settings.hours * HOUR; at += SAMPLE_EVERY) {
  await clock.advance(at - passed())
  driver.ledger.forgetEnded()
  heap.push({ at, value: await heapUsed() })
}
const stats = pool.stats()
for (const timer of Object.values(own)) clock.clearTimeout(timer)
healed()
await clock.until(pool.close())
process.send?.({
  kind: 'day',
  heap,
  requests,
  failed,
  faults,
  rebuilds: stats.rebuildsCompleted,
  closedIdle: stats.closed.idle,
  problems: driver.ledger.problems(),
  mostOpen: driver.ledger.maxOpen,
  timersLeft: clock.pending().length,
  openLeft: driver.ledger.open,
} satisfies DayReport)
