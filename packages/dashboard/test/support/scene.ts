import { createServer, createToken, type Role, type ServerOptions, type WellpoolServer } from '@wellpool/server'
import { onTestFinished } from 'vitest'
import { createPools, type Driver, defineDriver, type Lease, type Pool, type PoolOptions, type Pools } from 'wellpool'

/** A client without a peer. */
export interface Client {
  readonly number: number
}

/** What a driver without a peer waits for. */
export interface Hooks {
  connect?: () => Promise<unknown>
  check?: (client: Client) => Promise<unknown>
}

/** A driver without a peer, in real time; its hooks may be changed at any time. */
export function driverOf(protocol: string, hooks: Hooks = {}): Driver<Client> {
  let number = 0
  return defineDriver<Client>({
    protocol,
    async connect() {
      await hooks.connect?.()
      return { number: ++number }
    },
    async check(client) {
      await hooks.check?.(client)
    },
    close: () => {},
    destroy: () => {},
  })
}

/** Nothing happens by itself. */
export const QUIET: PoolOptions = {
  minConnections: 4,
  maxConnections: 4,
  healthCheckInterval: 0,
  verifyIdleAfter: Number.POSITIVE_INFINITY,
  idleTimeout: 0,
}

/** Pools, and a server that shows them with the page of a folder. Both end with the test. */
export interface Scene {
  readonly pools: Pools
  readonly server: WellpoolServer
  readonly url: string
  readonly tokens: Readonly<Record<Role, string>>
  pool(name: string): Pool<unknown>
}

export async function startScene(
  folder: string,
  drivers: Readonly<Record<string, { readonly driver: Driver<unknown> } & PoolOptions>>,
  { withTokens = false, ...options }: ServerOptions & { readonly withTokens?: boolean } = {},
): Promise<Scene> {
  const pools = createPools({})
  for (const [name, { driver, ...poolOptions }] of Object.entries(drivers)) pools.add(name, driver, { ...QUIET, ...poolOptions })
  await pools.start()
  const made = (['viewer', 'operator', 'executor'] as const).map((role) => [role, createToken(role, [role], new Date())] as const)
  const server = createServer(pools, { ...(withTokens && { tokens: made.map(([, { record }]) => record) }), dashboard: folder, ...options })
  const url = await server.listen({ port: 0 })
  onTestFinished(async () => {
    await server.close()
    await pools.close()
  })
  return {
    pools,
    server,
    url,
    tokens: Object.fromEntries(made.map(([role, { text }]) => [role, text])) as Record<Role, string>,
    pool: (name) => {
      const pool = pools.get(name)
      if (pool === undefined) throw new Error(`there is no pool ${name}`)
      return pool
    },
  }
}

/** Holds some connections of a pool until the test is over, or what is returned is called. */
export async function hold(pool: Pool<unknown>, count: number): Promise<() => void> {
  const leases: Lease<unknown>[] = await Promise.all(Array.from({ length: count }, () => pool.acquire()))
  const release = (): void => {
    for (const lease of leases.splice(0)) lease.release()
  }
  onTestFinished(release)
  return release
}

/** A gate that is shut: what waits for it goes on when it is opened. */
export function gate(): { readonly wait: () => Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { wait: () => opened, open }
}
