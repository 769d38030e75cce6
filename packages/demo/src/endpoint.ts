import { setTimeout as delay } from 'node:timers/promises'
import { type PostgresServer, startPostgres } from '@wellpool/servers'
import { FaultProxy } from 'wellpool/testing'

/** Where the pool connects to: a PostgreSQL server behind a proxy that can do to flows what networks do. */
export interface Endpoint {
  /** For people: what it is. Never holds a password. */
  readonly label: string
  /** The server itself. */
  readonly url: string
  /** The same through the proxy. */
  readonly proxiedUrl: string
  readonly proxy: FaultProxy
  /** How its restart is done, for people. */
  readonly restartLabel: string
  /** Stops the server and starts it again. Resolves when it takes connections. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** How long the server is away in a restart, ms, beside what its start takes. */
const AWAY_MS = 1_000

/** Parameters of an address that the demo sets itself. */
const OWN_PARAMETERS = ['application_name', 'query_timeout', 'keepalives', 'keepalives_idle']

/** Starts a PostgreSQL server of its own; nothing of it outlives the process. */
export async function startEmbedded(): Promise<Endpoint> {
  const server = await startPostgres()
  try {
    const proxy = await FaultProxy.start({ port: server.port })
    return {
      label: 'embedded',
      url: server.url,
      proxiedUrl: through(proxy, server.url),
      proxy,
      restartLabel: 'stopped (fast) and started again',
      restart: () => restart(server),
      close: async () => {
        await proxy.close()
        await server.close()
      },
    }
  } catch (error) {
    await server.close()
    throw error
  }
}

/**
 * Uses a server that is there. It can't be stopped from here, so its restart is played by the proxy: all flows are
 * reset, and connects are refused for a while.
 *
 * @throws Error when the address is none that TCP can reach
 */
export async function useForeign(url: string): Promise<Endpoint> {
  const { hostname, port } = parse(url)
  const target = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 5432 : Number(port) }
  const proxy = await FaultProxy.start(target)
  return {
    label: `${target.host}:${target.port}`,
    url: withoutOwn(url).href,
    proxiedUrl: through(proxy, url),
    proxy,
    restartLabel: 'played by the proxy, which reset all flows and refused connects: this server is not ours to stop',
    restart: async () => {
      await proxy.refuse()
      proxy.inject({ kind: 'reset' }, 'present').heal()
      await delay(AWAY_MS)
      await proxy.heal()
    },
    close: () => proxy.close(),
  }
}

async function restart(server: PostgresServer): Promise<void> {
  await server.stop('fast')
  await delay(AWAY_MS)
  await server.start()
}

function through({ host, port }: FaultProxy, url: string): string {
  const address = withoutOwn(url)
  address.hostname = host
  address.port = String(port)
  return address.href
}

function withoutOwn(url: string): URL {
  const address = parse(url)
  for (const name of OWN_PARAMETERS) address.searchParams.delete(name)
  return address
}

function parse(url: string): URL {
  // What URL says of an address that it can't read shows all of it, with the password.
  const address = URL.canParse(url) ? new URL(url) : undefined
  if (address === undefined || !/^postgres(ql)?:$/.test(address.protocol) || address.hostname === '' || address.searchParams.has('host')) {
    throw new Error('WELLPOOL_DEMO_POSTGRES_URL is no postgres://user:password@host:port/database')
  }
  return address
}
