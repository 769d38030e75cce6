import type { Driver, Pool } from 'wellpool'
import { type Client, driverOf, startScene } from './scene.ts'

/** Pools with a steady load, some of which can be made ill. */
export interface BusyScene {
  readonly url: string
  /** Makes some connections ill, for good. */
  harm(): void
  stop(): Promise<void>
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
/** Around a time, now and then twice that. */
const around = (ms: number): number => ms * (0.6 + Math.random() * 0.6 + (Math.random() < 0.03 ? 1 : 0))

const WATCHFUL = {
  healthCheckInterval: '2s',
  healthRecheckInterval: '500ms',
  healthCheckTimeout: '1s',
  verifyIdleAfter: Number.POSITIVE_INFINITY,
} as const

/** Six pools as an online shop may have them. */
export async function startBusyScene(folder: string): Promise<BusyScene> {
  let isHarmed = false
  let isDown = false
  const check = async ({ number }: Client): Promise<void> => {
    await pause(around(3))
    if (isHarmed && number % 11 === 3) throw new Error('no answer within 1000 ms')
    if (isHarmed && number % 11 === 6) await pause(400)
  }
  const connect = async (): Promise<void> => {
    await pause(around(60))
    if (isDown) throw new Error('connect ECONNREFUSED 10.20.0.17:22')
  }
  const calm = (protocol: string, checkMs: number): Driver<Client> =>
    driverOf(protocol, { check: () => pause(around(checkMs)), connect: () => pause(around(40)) })
  const router = { ...WATCHFUL, minConnections: 2, maxConnections: 2, rebuildMaxSurge: 0, backoff: { base: '2s', max: '4s' } } as const
  const { url, pools, pool } = await startScene(folder, {
    orders: {
      ...WATCHFUL,
      driver: driverOf('postgres', { check, connect: () => pause(isHarmed ? 4000 : around(40)) }),
      minConnections: 24,
      maxConnections: 32,
      degradedThreshold: '200ms',
      rebuildOnDegraded: true,
      rebuildMinInterval: 0,
      unhealthyThreshold: 2,
      maxUses: 900,
    },
    billing: { ...WATCHFUL, driver: calm('postgres', 5), minConnections: 8, maxConnections: 16 },
    sessions: { ...WATCHFUL, driver: calm('redis', 1), minConnections: 12, maxConnections: 12, maxUses: 3000 },
    search: { ...WATCHFUL, driver: calm('http2', 4), minConnections: 6, maxConnections: 12 },
    'router-17': { ...router, driver: driverOf('ssh', { check: () => pause(around(30)), connect }) },
    'router-18': { ...router, driver: calm('ssh', 30) },
  })
  let isStopped = false
  const load = async (of: Pool<unknown>, ms: number, restMs: number): Promise<void> => {
    while (!isStopped) {
      await of.use(() => pause(around(ms))).catch(() => pause(200))
      await pause(around(restMs))
    }
  }
  const callers = [
    ...Array.from({ length: 16 }, () => load(pool('orders'), 24, 18)),
    ...Array.from({ length: 5 }, () => load(pool('billing'), 40, 60)),
    ...Array.from({ length: 8 }, () => load(pool('sessions'), 3, 12)),
    ...Array.from({ length: 3 }, () => load(pool('search'), 30, 50)),
    load(pool('router-17'), 300, 400),
    load(pool('router-18'), 200, 600),
  ]
  return {
    url,
    harm: () => {
      isHarmed = true
      isDown = true
      void pool('router-17').evict({ interruptInUse: true })
    },
    stop: async () => {
      isStopped = true
      void pools.close({ timeout: 0 })
      await Promise.all(callers)
    },
  }
}
