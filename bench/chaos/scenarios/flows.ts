import type { InjectedFault, ProxyFlow } from 'wellpool/testing'
import type { Scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'

export const silent: Scenario = {
  name: 'silent',
  title: 'present flows silent, new ones work',
  seconds: 10,
  play: async (stage) => void silence(stage),
}

export const halfSlow: Scenario = {
  name: 'half-slow',
  title: '+300 ms on half of the flows, for good',
  seconds: 10,
  play: async (stage) => void slowHalf(stage, 300),
}

export const idleSilent: Scenario = {
  name: 'idle-silent',
  title: 'silent while idle for 8 s, then traffic',
  seconds: 15,
  async play(stage) {
    stage.application.pause()
    await stage.sleep(300)
    stage.inject({ kind: 'silence' }, 'present')
    await stage.sleep(8_000)
    stage.note('traffic after silence')
    stage.application.resume()
  },
}

export const halfThroughput: Scenario = {
  name: 'half-throughput',
  title: "one connection loses half of its packets' worth of throughput",
  seconds: 10,
  play: async (stage) => void (await throttle(stage, 1_000)),
}

export const slowConnects: Scenario = {
  name: 'slow-connects',
  title: 'connects take 3 s, and half of the backends are killed',
  seconds: 13,
  async play(stage) {
    slowDownConnects(stage, 3_000)
    await loseHalf(stage, 'half of the backends killed, connects take 3 s')
  },
}

/** What is connected now hears nothing more, and is not heard. */
export function silence(stage: Stage): InjectedFault {
  stage.note('present flows silent')
  return stage.inject({ kind: 'silence' }, 'present')
}

/** Half of the flows, rounded up, spread over those that are much used and those that are not. */
export function slowHalf(stage: Stage, ms: number): InjectedFault {
  const half = new Set(
    open(stage)
      .filter((_, index) => index % 2 === 0)
      .map(({ id }) => id),
  )
  stage.note(`${half.size} flows slower by ${ms} ms`)
  return stage.inject({ kind: 'latency', ms, direction: 'to-client' }, ({ id }) => half.has(id))
}

/** The busiest flow can carry half of what it has carried lately, in each direction. */
export async function throttle(stage: Stage, lookMs: number): Promise<{ heal(): void }> {
  const before = new Map(stage.proxy.flows().map((flow) => [flow.id, flow]))
  await stage.sleep(lookMs)
  const carried = (flow: ProxyFlow, direction: 'toServer' | 'toClient'): number =>
    flow[direction].delivered - (before.get(flow.id)?.[direction].delivered ?? 0)
  const [busiest] = open(stage).sort((a, b) => carried(b, 'toClient') - carried(a, 'toClient'))
  if (busiest === undefined) {
    // The application has ended, or none of its connects has succeeded lately: that shows in its figures.
    stage.note('no flow is there to be slowed down')
    return { heal: () => {} }
  }
  const half = (direction: 'toServer' | 'toClient'): number => Math.max(1, (carried(busiest, direction) * 1000) / lookMs / 2)
  stage.note(`the busiest flow has ${Math.round(half('toClient'))} B/s left`)
  const scope = { id: busiest.id }
  const faults = [
    stage.inject({ kind: 'bandwidth', bytesPerSecond: half('toServer'), direction: 'to-server' }, scope),
    stage.inject({ kind: 'bandwidth', bytesPerSecond: half('toClient'), direction: 'to-client' }, scope),
  ]
  return {
    heal: () => {
      for (const fault of faults) fault.heal()
    },
  }
}

/** Each new flow is silent at first. @returns what ends it */
export function slowDownConnects(stage: Stage, ms: number): InjectedFault {
  return stage.inject({ kind: 'latency', ms: 0 }, ({ id, toServer }) => {
    if (toServer.received > 0) return false
    // Not from within: the proxy is asking this while it decides what holds for the flow.
    queueMicrotask(() => {
      const start = stage.inject({ kind: 'silence' }, { id })
      setTimeout(() => start.heal(), ms)
    })
    return false
  })
}

/** Half of the application's sessions end, rounded down, those at work first. */
export async function loseHalf(stage: Stage, name: string): Promise<void> {
  const half = Math.floor((await stage.endpoint.sessions()) / 2)
  await stage.untilBeat(0.5)
  stage.note(name)
  await stage.endpoint.kill(half)
}

/** Those that the pool has not closed, the most used first. */
function open(stage: Stage): ProxyFlow[] {
  return stage.proxy
    .flows()
    .filter(({ clientOpen }) => clientOpen)
    .sort((a, b) => b.toServer.received - a.toServer.received)
}
