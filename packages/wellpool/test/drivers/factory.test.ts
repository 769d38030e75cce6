import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Factory, fromFactory } from '../../src/drivers/factory.ts'
import { ConfigError, createPool, type PoolOptions } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/index.ts'
import { QUIET } from '../engine/set-up.ts'

interface Thing {
  readonly id: number
}

const context = () => ({ signal: new AbortController().signal, connectionId: 'test-1', attempt: 1 })

/** A factory that counts, and a pool on it. */
function setUp(changes: Partial<Factory<Thing>> = {}, options: PoolOptions = {}) {
  const clock = new FakeClock()
  let made = 0
  const factory = {
    create: vi.fn(() => ({ id: ++made })),
    destroy: vi.fn((_: Thing): unknown => undefined),
    ...changes,
  }
  const driver = fromFactory<Thing>(factory)
  return { clock, factory, driver, pool: createPool(driver, { ...QUIET, clock, ...options }) }
}

describe('fromFactory()', () => {
  it('makes clients by create, which may be async or not, and ends each by one destroy', async () => {
    for (const create of [() => ({ id: 7 }), async () => ({ id: 7 })]) {
      const { clock, factory, pool } = setUp({ create })
      expect(await clock.until(pool.use((thing) => thing.id))).toBe(7)
      await clock.until(pool.close())
      expect(vi.mocked(factory.destroy).mock.calls).toEqual([[{ id: 7 }]])
    }
  })

  it('is called factory, or as it is told', () => {
    expect(setUp().driver.protocol).toBe('factory')
    expect(fromFactory({ create: () => 1, destroy: () => {} }, { protocol: 'browser' }).protocol).toBe('browser')
  })

  it('calls the functions of the factory as its methods', async () => {
    class Things implements Factory<Thing> {
      readonly log: string[] = []
      create(): Thing {
        this.log.push('create')
        return { id: 1 }
      }
      destroy(): void {
        this.log.push('destroy')
      }
      validate(): void {
        this.log.push('validate')
      }
    }
    const things = new Things()
    const driver = fromFactory(things)
    const thing = await driver.connect(context())
    await driver.check(thing, context())
    await driver.close(thing)
    expect(things.log).toEqual(['create', 'validate', 'destroy'])
  })

  it('does not create when the connect was given up before', async () => {
    const { driver, factory } = setUp()
    await expect(driver.connect({ ...context(), signal: AbortSignal.abort(new Error('given up')) })).rejects.toThrow('given up')
    expect(factory.create).not.toHaveBeenCalled()
  })

  it('does not destroy a second time when the first has failed or takes too long', async () => {
    const broken = setUp({ destroy: vi.fn(() => Promise.reject(new Error('stuck'))) })
    await broken.clock.until(broken.pool.start())
    broken.pool.tryAcquire()?.release()
    await broken.clock.until(broken.pool.use(() => {}))
    await broken.clock.until(broken.pool.close())
    expect(broken.factory.destroy).toHaveBeenCalledOnce()

    const slow = setUp({ destroy: vi.fn(() => new Promise(() => {})) }, { closeTimeout: '1s' })
    await slow.clock.until(slow.pool.use(() => {}))
    await slow.clock.until(slow.pool.close())
    expect(slow.factory.destroy).toHaveBeenCalledOnce()
  })

  it('ignores that a destroy fails which nobody waits for', async () => {
    const rejected = vi.fn()
    process.on('unhandledRejection', rejected)
    onTestFinished(() => void process.off('unhandledRejection', rejected))
    for (const destroy of [() => Promise.reject(new Error('stuck')), () => expect.unreachable()]) {
      const { clock, pool } = setUp({ destroy })
      await clock.until(pool.acquire())
      await clock.until(pool.close({ timeout: 0 }))
      expect(pool.stats().open).toBe(0)
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(rejected).not.toHaveBeenCalled()
  })

  describe('a validate', () => {
    it('that is absent, or that fulfils with anything but false, finds the client well', async () => {
      expect(await setUp().driver.check({ id: 1 }, context())).toBeUndefined()
      for (const answer of [true, undefined, 0, Promise.resolve(true), Promise.resolve()]) {
        expect(await setUp({ validate: () => answer }).driver.check({ id: 1 }, context())).toBeUndefined()
      }
    })

    it.each([
      ['false', (): unknown => false],
      ['a promise of false', async (): Promise<unknown> => false],
    ] as const)('that answers %s has the client replaced at once', async (_, answer) => {
      let broken: Thing | undefined
      const { clock, factory, pool } = setUp({ validate: (thing): unknown => (thing === broken ? answer() : true) }, { verifyIdleAfter: 0 })
      broken = await clock.until(pool.use((thing) => thing))
      const next = await clock.until(pool.use((thing) => thing.id))
      expect(next).toBe(2)
      expect(factory.destroy).toHaveBeenCalledExactlyOnceWith(broken)
      expect(pool.connections()).toMatchObject([{ generation: 2, health: 'healthy' }])
      await clock.until(pool.close())
    })

    it('that rejects or throws is one failed check, and the client is looked at again', async () => {
      for (const fault of [() => Promise.reject(new Error('no answer')), () => expect.unreachable()]) {
        let failing = false
        const { clock, factory, pool } = setUp(
          { validate: () => (failing ? fault() : true) },
          { healthCheckInterval: '10s', unhealthyThreshold: 9 },
        )
        await clock.until(pool.use(() => {}))
        failing = true
        await clock.advance(21_000)
        expect(pool.stats().checks.rejected).toBeGreaterThan(0)
        failing = false
        await clock.advance(2000)
        expect(pool.connections()).toMatchObject([{ generation: 1, health: 'healthy' }])
        expect(factory.destroy).not.toHaveBeenCalled()
        await clock.until(pool.close())
      }
    })
  })

  it('hands watch, reset and classify on', async () => {
    const lose: (() => void)[] = []
    const reset = vi.fn()
    const { clock, pool } = setUp({
      watch: (_, watcher) => lose.push(() => watcher.lost(new Error('gone'))),
      reset,
      classify: () => 'application',
    })
    await clock.until(pool.use((thing) => Promise.reject(thing)).catch(() => {}))
    expect(reset).toHaveBeenCalledExactlyOnceWith({ id: 1 })
    expect(pool.connections()).toMatchObject([{ requests: 1, errors: 0 }])
    lose[0]?.()
    await clock.advance(1)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
    await clock.until(pool.close())
  })

  it('refuses what is no factory, all of it at once', () => {
    const refuse = (factory: unknown, options?: object) => {
      try {
        fromFactory(factory as Factory<Thing>, options)
      } catch (error) {
        return (error as ConfigError).problems.map(({ path }) => path)
      }
      return []
    }
    expect(refuse(null)).toEqual(['factory'])
    expect(refuse({ create: () => 1, validate: true }, { protocol: '' })).toEqual(['factory.destroy', 'factory.validate', 'protocol'])
    expect(() => fromFactory({ create: () => 1 } as unknown as Factory<number>)).toThrow(ConfigError)
  })
})
