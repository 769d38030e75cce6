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
