import { describe, expect, it } from 'vitest'
import type { MetricsCollector } from '../../src/index.ts'
import { combineCollectors } from '../../src/telemetry/collectors.ts'
import { setUp } from '../engine/set-up.ts'

const LABELS = { pool: 'orders', protocol: 'fake' }

/** Writes down what it is told. */
class Notes implements MetricsCollector {
  readonly #list: string[] = []

  get list(): readonly string[] {
    return this.#list
  }

  acquired({ pool }: typeof LABELS, waitMs: number): void {
    this.#list.push(`${pool} waited ${waitMs}`)
  }
}

describe('combineCollectors', () => {
  it('gives each collector every measurement that it wants, and leaves out what none of them wants', () => {
    const [first, second] = [new Notes(), new Notes()]
    const closed: string[] = []
    const combined = combineCollectors(first, undefined, second, { closed: (_, reason) => closed.push(reason) })
    combined.acquired?.(LABELS, 3)
    combined.closed?.(LABELS, 'idle')
    expect([first.list, second.list, closed]).toEqual([['orders waited 3'], ['orders waited 3'], ['idle']])
    expect(Object.keys(combined).sort()).toEqual(['acquired', 'closed'])
  })

  it('keeps the fault of one from the others, and tells the logger of the pool', async () => {
    const errors: unknown[] = []
    const notes = new Notes()
    const broken: MetricsCollector = {
      acquired() {
        throw new Error('full')
      },
    }
    const { borrow } = setUp({
      metrics: combineCollectors(broken, notes),
      logger: { debug() {}, info() {}, warn() {}, error: ({ err }: { err?: Error }) => errors.push(err?.message) },
    })
    const lease = await borrow()
    lease.release()
    expect(notes.list).toEqual(['orders waited 5'])
    expect(errors).toEqual(['full'])
  })

  it('knows every method that a collector may have', () => {
    const all = new Proxy({}, { get: () => () => undefined, has: () => true }) as MetricsCollector
    const methods: Record<keyof Required<MetricsCollector>, true> = {
      acquired: true,
      acquireFailed: true,
      released: true,
      connected: true,
      connectFailed: true,
      checked: true,
      secondOpinion: true,
      closed: true,
      rebuildMarked: true,
      rebuildStarted: true,
      rebuildCompleted: true,
      rebuildFailed: true,
    }
    expect(Object.keys(combineCollectors(all)).sort()).toEqual(Object.keys(methods).sort())
  })
})
