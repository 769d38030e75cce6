import type { Fault, ProxyFlow } from 'wellpool/testing'
import type { Endpoint } from './endpoint.ts'
import type { Observer } from './observer.ts'
import type { Router } from './router.ts'

/** What a fault needs to happen. */
export interface Scene {
  readonly endpoint: Pick<Endpoint, 'proxy' | 'restart' | 'restartLabel'>
  readonly observer: Pick<Observer, 'backends' | 'kill'>
  readonly device: Pick<Router['device'], 'reboot'>
}

/** A fault that has happened. */
export interface Injected {
  /** What exactly was done, for people. */
  readonly detail: string
  /** Healing counts from here: from the fault itself, or from when the endpoint answers again. `performance.now()`. */
  readonly healsFrom: number
  /** How many flows that the fault has spoilt the pool still holds. */
  leftOver(): number
  /** Ends what is left of the fault. */
  end(): void
}

/** The endpoints, each with a pool and a load of its own. */
export type Target = 'postgres' | 'router'

/** Something that goes wrong between a pool and its server. */
export interface FaultKind {
  /** The key that makes it happen, and its name in the timeline. */
  readonly key: string
  readonly name: string
  /** Which endpoint it befalls. */
  readonly target: Target
  /** The longest that healing may take, ms: both what the application sees and the pool itself. */
  readonly boundMs: number
  /** How long the endpoint is away, about, ms: healing only counts afterwards. */
  readonly awayMs: number
  inject(scene: Scene): Promise<Injected>
}

/** One way through the proxy; a round trip takes twice as long. ms */
const SLOW_BY_MS = 150
/** How long the router is away, ms. */
const ROUTER_AWAY_MS = 1_000

/** The faults in the order in which they come. The bounds stand here and nowhere else. */
export const FAULTS: readonly FaultKind[] = [
  { key: '1', name: 'one backend killed', target: 'postgres', boundMs: 1_000, awayMs: 0, inject: (scene) => kill(scene, 1) },
  {
    key: '2',
    name: 'all backends killed',
    target: 'postgres',
    boundMs: 2_000,
    awayMs: 0,
    inject: (scene) => kill(scene, Number.POSITIVE_INFINITY),
  },
  {
    // What is under way on a silent flow is found out by asking the server over another connection.
    key: '3',
    name: 'all flows silent',
    target: 'postgres',
    boundMs: 5_000,
    awayMs: 0,
    inject: async ({ endpoint: { proxy } }) => {
      const flows = openFlows(proxy.flows())
      return spoil(proxy, flows, { kind: 'silence' }, `${flows.length} flows fell silent, without a word to either side; new ones work`)
    },
  },
  {
    // The pool takes two slow checks of a connection before it replaces it, and checks what nobody uses every 2 s.
    key: '4',
    name: 'half of them slow',
    target: 'postgres',
    boundMs: 8_000,
    awayMs: 0,
    inject: async ({ endpoint: { proxy } }) => {
      const flows = everySecond(openFlows(proxy.flows()))
      const detail = `${flows.length} flows answer ${2 * SLOW_BY_MS} ms later; new ones are fast`
      return spoil(proxy, flows, { kind: 'latency', ms: SLOW_BY_MS }, detail)
    },
  },
  {
    key: '5',
    name: 'server restarted',
    target: 'postgres',
    boundMs: 5_000,
    awayMs: 2_500,
    inject: async ({ endpoint }) => {
      await endpoint.restart()
      return { detail: endpoint.restartLabel, healsFrom: performance.now(), leftOver: () => 0, end: () => {} }
    },
  },
  {
    key: '6',
    name: 'router rebooted',
    target: 'router',
    boundMs: 5_000,
    awayMs: ROUTER_AWAY_MS,
    inject: async ({ device }) => {
      await device.reboot({ downFor: ROUTER_AWAY_MS })
      const detail = `it dropped all sessions and was away for ${ROUTER_AWAY_MS / 1_000} s`
      return { detail, healsFrom: performance.now(), leftOver: () => 0, end: () => {} }
    },
  },
]

export const FAULT_BY_KEY: ReadonlyMap<string, FaultKind> = new Map(FAULTS.map((fault) => [fault.key, fault]))

/** Those at work first: theirs is the loss that the application would notice. */
async function kill({ observer }: Scene, most: number): Promise<Injected> {
  const pids = (await observer.backends()).slice(0, most).map(({ pid }) => pid)
  const healsFrom = performance.now()
  const killed = await observer.kill(pids)
  if (killed === 0) throw new Error('the server has no backend of the pool that could be killed')
  return { detail: killed === 1 ? `backend ${pids[0]} killed` : `${killed} backends killed`, healsFrom, leftOver: () => 0, end: () => {} }
}

function spoil(proxy: Endpoint['proxy'], flows: readonly ProxyFlow[], fault: Fault, detail: string): Injected {
  const ids = new Set(flows.map(({ id }) => id))
  const healsFrom = performance.now()
  const { heal } = proxy.inject(fault, ({ id }) => ids.has(id))
  return { detail, healsFrom, leftOver: () => openFlows(proxy.flows()).filter(({ id }) => ids.has(id)).length, end: heal }
}

/** Those that the pool has not closed. */
function openFlows(flows: readonly ProxyFlow[]): ProxyFlow[] {
  return flows.filter(({ clientOpen }) => clientOpen)
}

/** Half of the flows, rounded up, spread over those that are much used and those that are not. */
function everySecond(flows: readonly ProxyFlow[]): ProxyFlow[] {
  return [...flows].sort((a, b) => b.toServer.received - a.toServer.received).filter((_, index) => index % 2 === 0)
}
