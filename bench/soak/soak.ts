import { FaultProxy } from 'wellpool/testing'
import { Endpoint } from '../chaos/endpoint.ts'
import { Stage } from '../chaos/stage.ts'
import { VARIANTS } from '../chaos/variants.ts'
import { Child } from '../src/child.ts'
import { STEADY_HEAP_FLAGS } from '../src/heap.ts'
import { seeded, shuffle } from '../src/random.ts'
import { FAULTS } from './faults.ts'
import { type Growth, growthOf, type Sampled, type Tolerance } from './growth.ts'
import type { Command, Counts, Report, Settings, Traffic } from './messages.ts'

/** What is sampled: in the application's process, and from outside of it. */
export type Figure = keyof Counts | 'flows' | 'sessions'

/** The least growth over the whole run that would mean something: half of one for what is counted. */
const COUNTED: Tolerance = { amount: 0.5 }
export const TOLERANCES: Readonly<Record<Figure, Tolerance>> = {
  heap: { amount: 200_000 },
  // Some come and go: timers of clients; and of the pool's, one for each connection whose last check has failed.
  handles: { amount: 2 },
  timers: { amount: 10 },
  sockets: COUNTED,
  listeners: COUNTED,
  clients: COUNTED,
  flows: COUNTED,
  sessions: COUNTED,
}
const FIGURES = Object.keys(TOLERANCES) as Figure[]

/** After a fault, before things are looked at, ms. */
const CALM_MS = 1_000

export interface SoakSetting {
  /** The compiled program of the application. */
  readonly program: string
  readonly ms: number
  /** After so many faults it ends, however much time is left. Default: no such end. */
  readonly faults?: number
  /** Between a fault's end and the look at what is there, ms. Default {@link CALM_MS}. */
  readonly calmMs?: number
  readonly seed: number
  /** For a test of the soak itself. */
  readonly leaks?: boolean
  readonly progress: (text: string) => void
}

/** What a soak came to. */
export interface Soak {
  readonly server: string
  readonly samples: Readonly<Record<Figure, readonly Sampled[]>>
  readonly growth: Readonly<Record<Figure, Growth>>
  readonly faults: number
  readonly traffic: Traffic
}

/** How long what is outside may take until it agrees with the application, ms. What still differs then counts as it is. */
const SETTLE_MS = 5_000

/** Load with one fault after the other, in an order drawn by lot, and a look at everything after each. */
export async function soak(setting: SoakSetting): Promise<Soak> {
  const { program, ms, faults: most = Number.POSITIVE_INFINITY, calmMs = CALM_MS, seed, leaks = false, progress } = setting
  const random = seeded(seed)
  const endpoint = await Endpoint.start()
  const proxy = await FaultProxy.start({ port: endpoint.server.port }, { random })
  let application: Child<Command, Report> | undefined
  try {
    await endpoint.reset()
    const address = { host: proxy.host, port: proxy.port, ...endpoint.settings, password: endpoint.password }
    const settings: Settings = { address, seed, leaks }
    application = new Child(program, { name: 'the application', args: [JSON.stringify(settings)], flags: STEADY_HEAP_FLAGS })
    await application.hear('ready')
    const stage = new Stage({ proxy, endpoint, variant: VARIANTS.base, random })
    const samples = Object.fromEntries(FIGURES.map((figure) => [figure, [] as Sampled[]])) as Record<Figure, Sampled[]>
    const startedAt = performance.now()
    let faults = 0
    let traffic: Traffic = { requests: 0, failed: 0 }
    const goesOn = (): boolean => performance.now() - startedAt < ms && faults < most
    while (goesOn()) {
      for (const [name, play] of shuffle(Object.entries(FAULTS), random)) {
        if (!goesOn()) break
        await play(stage)
        await stage.sleep(calmMs)
        application.tell({ do: 'sample' })
        const report = await application.hear('sample')
        const outside = await countOutside(proxy, endpoint, report.counts.clients)
        const at = performance.now() - startedAt
        for (const figure of FIGURES) samples[figure].push({ at, value: { ...report.counts, ...outside }[figure] })
        traffic = report.traffic
        faults++
        progress(`${Math.round(at / 1000)} s, ${faults} faults, the last: ${name}; heap ${(report.counts.heap / 1e6).toFixed(2)} MB`)
      }
    }
    const growth = Object.fromEntries(FIGURES.map((figure) => [figure, growthOf(samples[figure], TOLERANCES[figure])]))
    return { server: `PostgreSQL ${endpoint.server.version}`, samples, growth: growth as Record<Figure, Growth>, faults, traffic }
  } finally {
    application?.kill()
    await proxy.close()
    await endpoint.close()
  }
}

/** What network and server have of the application. A server takes its moment to end the sessions of those who have left. */
async function countOutside(proxy: FaultProxy, endpoint: Endpoint, expected: number): Promise<{ flows: number; sessions: number }> {
  const limit = performance.now() + SETTLE_MS
  for (;;) {
    const counts = { flows: proxy.flows().length, sessions: await endpoint.sessions() }
    if ((counts.flows === expected && counts.sessions === expected) || performance.now() > limit) return counts
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
