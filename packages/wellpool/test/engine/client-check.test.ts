import { describe, expect, test } from 'vitest'
import { type HeldCall, hang, ok } from '../../src/testing/index.ts'
import { setUp, type TestPool } from './set-up.ts'

/** One connection that has not been checked yet; its regular checks come every ten seconds. */
async function checked(options: Parameters<typeof setUp>[0] = {}): Promise<TestPool> {
  const setup = setUp({ minConnections: 1, maxConnections: 1, healthCheckInterval: 10_000, ...options })
  await setup.start()
  return setup
}

/** Goes on until the connection's next regular check has begun. */
async function nextCheck({ clock, client }: TestPool, id = 1): Promise<void> {
  const { checks } = client(id).life
  for (let waited = 0; client(id).life.checks === checks; waited++) {
    if (waited > 20_000) throw new Error('no check began')
    await clock.advance(1)
  }
}

describe('a check', () => {
  test('leaves on its connection how long it took, if it has passed, until the client is replaced', async () => {
    const setup = await checked()
    expect(setup.pool.connections()[0]).not.toHaveProperty('lastCheckMs')
    setup.driver.next('check', ok(30), { do: 'throw', error: new Error('not connected') }, ok(7))
    await nextCheck(setup)
    await setup.clock.advance(30)
    expect(setup.pool.connections()).toMatchObject([{ lastCheckMs: 30 }])
    await nextCheck(setup)
    expect(setup.pool.connections()).toMatchObject([{ lastCheckMs: 30, health: 'degraded' }])
    await setup.clock.until(setup.pool.rebuildConnections({ all: true }))
    expect(setup.pool.connections()).toMatchObject([{ lastCheckMs: 7, generation: 2 }])
  })

  test('that throws counts as one that rejects', async () => {
    const setup = await checked()
    setup.driver.next('check', { do: 'throw', error: new Error('not connected') })
    await nextCheck(setup)
    expect(setup.healths()).toEqual(['degraded'])
    expect(setup.pool.stats().checks).toMatchObject({ rejected: 1 })
  })

  test('that takes longer than healthCheckTimeout counts as failed, and its signal is aborted', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const setup = await checked({
      healthCheckTimeout: 500,
      driver: { onCall: ({ hook, signal }) => hook === 'check' && signals.push(signal) },
    })
    setup.driver.next('check', { do: 'hang', ignoreAbort: false })
    await nextCheck(setup)
    await setup.clock.advance(499)
    expect([setup.healths(), signals[0]?.aborted]).toEqual([['unknown'], false])
    await setup.clock.advance(1)
    expect([setup.healths(), signals[0]?.aborted]).toEqual([['degraded'], true])
    expect(setup.pool.stats().checks).toMatchObject({ timed_out: 1 })
  })

  test('may be silent for ever with healthCheckTimeout 0', async () => {
    const setup = await checked({ healthCheckTimeout: 0 })
    setup.driver.next('check', hang())
    await nextCheck(setup)
    await setup.clock.advance(60_000)
    expect([setup.healths(), setup.states()]).toEqual([['unknown'], ['checking']])
  })

  test('that answers in the moment of its time-out has passed', async () => {
    const setup = await checked({ healthCheckTimeout: 500 })
    setup.driver.next('check', ok(500))
    await nextCheck(setup)
    await setup.clock.advance(500)
    expect(setup.pool.stats().checks).toEqual({ healthy: 1, degraded: 0, rejected: 0, timed_out: 0 })
  })
})

describe('a check that never settles', () => {
  test('keeps the connection out of service, and each healthRecheckInterval counts as one more failure', async () => {
    const setup = await checked({ unhealthyThreshold: 3, healthCheckTimeout: 500, healthRecheckInterval: 1000, maxConnections: 2 })
    const { clock, driver, fate, listen, pool, states } = setup
    const failed = listen('healthCheckFailed')
    driver.next('check', hang())
    await nextCheck(setup)
    await clock.advance(500)
    expect([states(), failed.length]).toEqual([['checking'], 1])
    const lease = await clock.until(pool.acquire())
    expect(lease.client.id).toBe(2)
    await clock.advance(995)
    expect(failed).toHaveLength(2)
    await clock.advance(1000)
    expect(failed.map(({ failures }) => failures)).toEqual([1, 2, 3])
    expect(fate(1)).toBe('destroyed')
  })

  test('in time but settles later puts the connection back, to be checked once more', async () => {
    let end: HeldCall | undefined
    const setup = await checked({ healthCheckTimeout: 500, healthRecheckInterval: 1000 })
    const { clock, driver, healths, pool, states } = setup
    driver.next('check', { do: 'held', ignoreAbort: true, take: (call) => (end = call) })
    await nextCheck(setup)
    await clock.advance(800)
    end?.fulfil()
    await clock.settle()
    expect([states(), healths()]).toEqual([['idle'], ['degraded']])
    expect(pool.tryAcquire()).toBeUndefined()
    await clock.advance(1001)
    expect(healths()).toEqual(['healthy'])
    expect(pool.stats().checks).toEqual({ healthy: 1, degraded: 0, rejected: 0, timed_out: 1 })
  })

  test('in time but settles later lets a rebuild begin that was decided meanwhile', async () => {
    let end: HeldCall | undefined
    const setup = await checked({ healthCheckTimeout: 500, healthRecheckInterval: 10_000 })
    const { client, clock, driver, pool } = setup
    driver.next('check', { do: 'held', ignoreAbort: true, take: (call) => (end = call) })
    await nextCheck(setup)
    await clock.advance(600)
    driver.retire(client(1), 'going away')
    await clock.advance(100)
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'checking', mark: { kind: 'retired_by_peer' } }])
    end?.fulfil()
    await clock.advance(100)
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle' }])
  })

  test('and is settled after its connection was rebuilt changes nothing', async () => {
    let end: HeldCall | undefined
    const setup = await checked({ healthCheckTimeout: 500, healthRecheckInterval: 100, unhealthyThreshold: 2 })
    const { clock, driver, pool } = setup
    driver.next('check', { do: 'held', ignoreAbort: true, take: (call) => (end = call) })
    await nextCheck(setup)
    await clock.advance(700)
    const [rebuilt] = pool.connections()
    expect(rebuilt).toMatchObject({ generation: 2, state: 'idle' })
    end?.reject(new Error('destroyed'))
    await clock.settle()
    expect(pool.connections()).toEqual([rebuilt])
  })
})

describe('a driver that reports its client as lost', () => {
  test.each(['a close of the pool', 'an eviction', 'a rebuild'])('as soon as its check is given up for %s, does no harm', async (what) => {
    const setup = await checked({ healthCheckTimeout: 0, maxConnections: 2, minConnections: 1 })
    const { client, clock, driver, fate, pool } = setup
    driver.always('check', ({ client: checked, signal }) => {
      if (checked?.id !== 1) return ok(1)
      signal?.addEventListener('abort', () => driver.lose(checked))
      return hang()
    })
    await nextCheck(setup)
    const id = pool.connections()[0]?.id as string
    if (what === 'a rebuild') await clock.until(pool.rebuildConnectionById(id, { urgent: true }))
    else if (what === 'an eviction') await clock.until(pool.evict())
    else await clock.until(pool.close())
    await clock.advance(100)
    expect(fate(client(1).id)).not.toBe('open')
    expect(pool.stats()).toMatchObject(what === 'a close of the pool' ? { state: 'closed' } : { total: 1, idle: 1, open: 1 })
  })

  test('as soon as its check is given up because it has condemned it, does no harm', async () => {
    const setup = await checked({ unhealthyThreshold: 1, healthCheckTimeout: 500 })
    const { clock, driver, pool } = setup
    driver.always('check', ({ client: checked, signal }) => {
      if (checked?.id !== 1) return ok(1)
      signal?.addEventListener('abort', () => driver.lose(checked))
      return hang()
    })
    await clock.advance(20_000)
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle', health: 'healthy' }])
  })

  test('inside of check has it replaced, whatever the check comes to', async () => {
    const setup = await checked({ maxConnections: 2 })
    const { clock, driver, fate, pool } = setup
    driver.always('check', ({ client: checked }) => {
      if (checked?.id === 1) driver.lose(checked)
      return ok(1)
    })
    await nextCheck(setup)
    await clock.advance(10)
    expect([fate(1), pool.connections()[0]]).toMatchObject(['destroyed', { generation: 2, state: 'idle', health: 'healthy' }])
    expect(pool.stats().open).toBe(1)
  })

  test('inside of the check of a successor never has that put in place', async () => {
    const { borrow, clock, driver, fate, pool, start } = setUp({ minConnections: 1, maxConnections: 2 })
    await start()
    driver.always('check', ({ client: checked }) => {
      if (checked?.id === 2) driver.lose(checked)
      return ok(1)
    })
    const rebuilt = await clock.until(pool.rebuildConnectionById(pool.connections()[0]?.id as string))
    expect([rebuilt.success, rebuilt.stage]).toEqual([false, 'check'])
    await clock.advance(1000)
    expect(pool.stats()).toMatchObject({ open: 1, total: 1, idle: 1, rebuildsStarted: 2, rebuildsFailed: 1, rebuildsCompleted: 1 })
    expect([(await borrow()).client.id, fate(2)]).toEqual([3, 'destroyed'])
  })
})
