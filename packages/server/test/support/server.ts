import { onTestFinished } from 'vitest'
import { createPools, type PoolOptions, type Pools } from 'wellpool'
import { createServer, createToken, type Role, type ServerOptions, type WellpoolServer } from '../../src/index.ts'
import { type MemoryDriver, memoryDriver } from './memory-driver.ts'

/** An answer of the server. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: ReturnType<typeof JSON.parse>
}

/** A server with two pools over memory, `orders` and `billing`. */
export interface Scene {
  readonly pools: Pools
  readonly orders: MemoryDriver
  readonly billing: MemoryDriver
  readonly server: WellpoolServer
  readonly url: string
  /** The tokens by role, where there are tokens. */
  readonly tokens: Readonly<Record<Role, string>>
  /** Sends a request; a path without a leading slash is below /api/v1. */
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
  /** The id of a connection of a pool. */
  readonly connectionId: (pool?: string) => string
}

const QUIET: PoolOptions = {
  minConnections: 2,
  maxConnections: 4,
  healthCheckInterval: 0,
  verifyIdleAfter: Number.POSITIVE_INFINITY,
  idleTimeout: 0,
}

export async function startScene(options: ServerOptions & { withTokens?: boolean } = {}): Promise<Scene> {
  const [orders, billing] = [memoryDriver(), memoryDriver('ledger')]
  const pools = createPools({ orders: orders.driver, billing: billing.driver }, QUIET)
  await pools.start()
  const made = (['viewer', 'operator', 'executor'] as const).map((role) => [role, createToken(role, [role], new Date())] as const)
  const tokens = Object.fromEntries(made.map(([role, { text }]) => [role, text])) as Record<Role, string>
  const { withTokens = false, ...rest } = options
  const server = createServer(pools, { ...(withTokens && { tokens: made.map(([, { record }]) => record) }), dashboard: false, ...rest })
  const url = await server.listen({ port: 0 })
  onTestFinished(async () => {
    await server.close()
    await pools.close()
  })
  return {
    pools,
    orders,
    billing,
    server,
    url,
    tokens,
    call: (method, path, body, headers = {}) => send(url, method, path, body, headers),
    connectionId: (pool = 'orders') => pools.get(pool)?.connections()[0]?.id ?? '',
  }
}

/** Sends a request; a path without a leading slash is below /api/v1. */
export async function send(url: string, method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${url}${path.startsWith('/') ? path : `/api/v1/${path}`}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

/** Waits until something holds. */
export async function until(condition: () => unknown, within = 10_000): Promise<void> {
  const deadline = Date.now() + within
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it has not come to pass')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
