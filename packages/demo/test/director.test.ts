import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Director, enoughForAll, type Stage } from '../src/director.ts'
import { FAULTS, type FaultKind, type Scene } from '../src/faults.ts'
import { Tally } from '../src/tally.ts'
import type { Patient, Verdict } from '../src/verdict.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const well: Patient = {
  stats: () => ({
    total: 6,
    rebuilding: 0,
    breaker: 'closed',
    panic: false,
    marked: 0,
    health: { healthy: 6, unknown: 0, degraded: 0, unhealthy: 0 },
  }),
}

/** A place where every fault is made at once and leaves nothing behind. */
const scene: Scene = {
  endpoint: {
    restart: async () => {},
    restartLabel: 'restarted',
    proxy: { flows: () => [], inject: () => ({ heal: () => {} }) } as unknown as Scene['endpoint']['proxy'],
  },
  observer: { backends: async () => [{ pid: 7, active: true }], kill: async (pids) => pids.length },
  device: { reboot: async () => {} },
}

/** A run in which time goes by in steps of 50 ms. */
class Rehearsal {
  readonly begun: string[] = []
  readonly judged: Verdict[] = []
  readonly late: string[] = []
  readonly startsAt = performance.now()
  readonly director: Director

  constructor(lastsMs = Number.POSITIVE_INFINITY, place = scene, pool = well) {
    const subject = { tally: new Tally(), pool, wanted: 6 }
    this.director = new Director(place, { postgres: subject, router: subject }, this.startsAt, this.startsAt + lastsMs, {
      begun: ({ key }) => this.begun.push(key),
      injected: () => {},
      late: ({ key }) => this.late.push(key),
      judged: (verdict) => this.judged.push(verdict),
    })
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end; ) {
      this.director.look(this.now)
      await vi.advanceTimersByTimeAsync(50)
    }
  }

  get now(): number {
    return performance.now()
  }

  get stage(): Stage {
    return this.director.stage(this.now)
  }
}

const fault = (key: string): FaultKind => FAULTS[Number(key) - 1] as FaultKind

describe('Director', () => {
  it('makes all faults in turn and begins anew, each after the verdict on the one before', async () => {
    const rehearsal = new Rehearsal()
    await rehearsal.pass(3_900)
    expect(rehearsal.stage).toMatchObject({ name: 'calm', next: fault('1') })
    expect(rehearsal.begun).toEqual([])
    await rehearsal.pass(60_000)
    expect(rehearsal.begun.slice(0, 8)).toEqual(['1', '2', '3', '4', '5', '6', '1', '2'])
    expect(rehearsal.judged.length).toBeGreaterThanOrEqual(rehearsal.begun.length - 1)
    expect(rehearsal.judged.every(({ healed }) => healed)).toBe(true)
  })

  it('has time for all in as long as it says, and begins none whose bound does not fit', async () => {
    const enough = new Rehearsal(enoughForAll())
    await enough.pass(enoughForAll())
    expect(new Set(enough.begun)).toEqual(new Set(['1', '2', '3', '4', '5', '6']))

    // After the pause of a second there is time for a bound of 2 s and its quiet second, and no more.
    const short = new Rehearsal(4_600)
    await short.pass(4_600)
    expect(short.begun[0]).toBe('1')
    expect(short.begun).not.toContain('3')
    expect(short.stage).toEqual(expect.objectContaining({ name: 'calm', next: undefined }))

    const tooShort = new Rehearsal(2_000)
    await tooShort.pass(2_000)
    expect(tooShort.begun).toEqual([])
  })

  it('makes what is asked for at once, or after the fault that is there', async () => {
    const rehearsal = new Rehearsal()
    expect(rehearsal.director.ask(fault('4'), rehearsal.now)).toBe(true)
    expect(rehearsal.begun).toEqual(['4'])
    expect(rehearsal.director.ask(fault('2'), rehearsal.now)).toBe(true)
    expect(rehearsal.director.ask(fault('2'), rehearsal.now)).toBe(true)
    expect(rehearsal.stage).toMatchObject({ name: 'fault', asked: [fault('2')], paused: false })
    await rehearsal.pass(900)
    expect(rehearsal.begun).toEqual(['4'])
    await rehearsal.pass(400)
    expect(rehearsal.begun).toEqual(['4', '2'])
    expect(rehearsal.judged.map((verdict) => verdict.fault.key)).toEqual(['4'])
  })

  it('refuses what does not fit any more', () => {
    const rehearsal = new Rehearsal(5_000)
    expect(rehearsal.director.ask(fault('4'), rehearsal.now)).toBe(false)
    expect(rehearsal.begun).toEqual([])
  })

  it('does not begin what fitted when it was asked for and does not when its turn comes', async () => {
    const rehearsal = new Rehearsal(10_000)
    rehearsal.director.ask(fault('1'), rehearsal.now)
    expect(rehearsal.director.ask(fault('4'), rehearsal.now)).toBe(true)
    expect(rehearsal.director.ask(fault('2'), rehearsal.now)).toBe(true)
    await rehearsal.pass(1_200)
    expect(rehearsal.begun).toEqual(['1', '2'])
    expect(rehearsal.late).toEqual(['4'])
  })

  it('makes none by itself while paused, but what is asked for', async () => {
    const rehearsal = new Rehearsal()
    rehearsal.director.togglePause(rehearsal.now)
    await rehearsal.pass(20_000)
    expect(rehearsal.begun).toEqual([])
    expect(rehearsal.stage).toEqual({ name: 'paused', next: undefined })
    rehearsal.director.ask(fault('5'), rehearsal.now)
    expect(rehearsal.begun).toEqual(['5'])
    rehearsal.director.togglePause(rehearsal.now)
    await rehearsal.pass(10_000)
    expect(rehearsal.begun.slice(0, 2)).toEqual(['5', '1'])
  })

  it('counts a fault that could not be made as not healed, and says why', async () => {
    const nobody = { ...scene, observer: { ...scene.observer, backends: () => Promise.reject(new Error('server is away')) } }
    const rehearsal = new Rehearsal(Number.POSITIVE_INFINITY, nobody)
    rehearsal.director.ask(fault('1'), rehearsal.now)
    await rehearsal.pass(100)
    expect(rehearsal.judged).toMatchObject([{ made: false, healed: false, detail: 'server is away' }])
  })

  it('ends the present fault when the run ends, and says which could not be judged', async () => {
    let healed = 0
    const proxy = { flows: () => [], inject: () => ({ heal: () => healed++ }) } as unknown as Scene['endpoint']['proxy']
    const rehearsal = new Rehearsal(Number.POSITIVE_INFINITY, { ...scene, endpoint: { ...scene.endpoint, proxy } })
    expect(await new Rehearsal().director.end()).toBeUndefined()
    rehearsal.director.ask(fault('3'), rehearsal.now)
    expect(await rehearsal.director.end()).toBe(fault('3'))
    expect(healed).toBe(1)
    await rehearsal.pass(20_000)
    expect(rehearsal.begun).toEqual(['3'])
  })
})
