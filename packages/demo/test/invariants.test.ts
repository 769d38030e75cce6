import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ProxyFlow } from 'wellpool/testing'
import { Invariants } from '../src/invariants.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** What the server and the proxy say; to be changed. */
class World {
  pids: number[] = []
  away = false
  openPorts: number[] = []
  readonly invariants = new Invariants(
    {
      backends: async () => {
        if (this.away) throw new Error('away')
        return this.pids.map((pid) => ({ pid, active: false }))
      },
    },
    { flows: () => this.openPorts.map((clientPort) => ({ clientPort, clientOpen: true }) as ProxyFlow) },
  )

  constructor(sessions: number) {
    this.pids = Array.from({ length: sessions }, (_, index) => 100 + index)
    this.openPorts = this.pids.map((pid) => pid + 4_000)
    for (const pid of this.pids) this.invariants.learn(pid, pid + 4_000)
    this.invariants.start()
  }

  /** Until the server has been asked once more. */
  async asked(): Promise<Invariants> {
    await vi.advanceTimersByTimeAsync(250)
    return this.invariants
  }
}

describe('Invariants', () => {
  it('hold as long as pool and server stay within the limit', async () => {
    const invariants = await new World(7).asked()
    invariants.look({ open: 7 })
    expect(invariants).toMatchObject({ mostOpen: 7, backends: 7, mostBackends: 7, cutOff: 0 })
    expect([...invariants.broken]).toEqual([])
  })

  it('break when the pool has more clients open', () => {
    const { invariants } = new World(0)
    invariants.look({ open: 8 })
    invariants.look({ open: 8 })
    expect([...invariants.broken]).toEqual([['the pool had more than 7 clients open', 2]])
  })

  it('break when the server sees more sessions, whoever they belong to', async () => {
    const world = new World(7)
    world.pids.push(999)
    expect([...(await world.asked()).broken]).toEqual([['the server saw more than 7 sessions of the pool', 1]])
  })

  it('count sessions apart whose flow the pool has closed', async () => {
    const world = new World(10)
    world.openPorts = world.openPorts.slice(4)
    const invariants = await world.asked()
    expect(invariants).toMatchObject({ backends: 6, cutOff: 4 })
    expect([...invariants.broken]).toEqual([])
  })

  it('know nothing of the server while it gives no answer, and ask again', async () => {
    const world = new World(3)
    world.away = true
    expect((await world.asked()).backends).toBeUndefined()
    world.away = false
    expect((await world.asked()).backends).toBe(3)
    await world.invariants.stop()
    world.pids = []
    expect((await world.asked()).backends).toBe(3)
  })
})
