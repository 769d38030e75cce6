import { describe, expect, test } from 'vitest'
import { fail, ok } from '../../src/testing/index.ts'
import { setUp, type TestPool } from './set-up.ts'

type Setup = NonNullable<Parameters<typeof setUp>[0]>

/** So many connections, of which each is checked once in three seconds. */
async function checkedOften(size: number, options: Setup = {}): Promise<TestPool> {
  const setup = setUp({
    minConnections: size,
    maxConnections: size + 1,
    maxConnecting: size,
    healthCheckInterval: 3000,
    healthRecheckInterval: 1000,
    unhealthyThreshold: 3,
    ...options,
  })
  await setup.start()
  return setup
}

/** Checks of the clients up to this one fail. */
function failUpTo({ driver }: TestPool, id: number, ms = 1): void {
  driver.always('check', ({ client }) => ((client?.id ?? 0) <= id ? fail(new Error('refused'), ms) : ok(1)))
}

/** Goes on until the pool panics, or for so long. */
async function untilPanic({ clock, pool }: TestPool, within = 6000): Promise<boolean> {
  for (let ms = 0; ms < within && !pool.stats().panic; ms++) await clock.advance(1)
  return pool.stats().panic
}

describe('a panic', () => {
  test('begins when more than panicThreshold of three and more fail within one healthCheckInterval, and then nothing is marked', async () => {
    const setup = await checkedOften(4)
    const { clock, driver, listen, pool } = setup
    const marked = listen('rebuildMarked')
    driver.always('check', fail(new Error('refused'), 1))
    expect(await untilPanic(setup)).toBe(true)
    const failing = pool.connections().filter(({ health }) => health === 'degraded').length
    expect(failing).toBe(3)
    await clock.advance(20_000)
    expect([marked, pool.stats().panic]).toEqual([[], true])
  })

  test('does not begin when no more than panicThreshold fail: they are rebuilt', async () => {
    const setup = await checkedOften(4)
    failUpTo(setup, 2)
    expect(await untilPanic(setup)).toBe(false)
    expect(setup.pool.stats().rebuildsMarked).toEqual({ health_failures: 2 })
  })

  test.each([
    ['of two connections', 2, {}],
    ['with panicThreshold 1', 4, { panicThreshold: 1 }],
  ] as const)('does not begin in a pool %s', async (_, size, options) => {
    const setup = await checkedOften(size, options)
    setup.driver.always('check', fail(new Error('refused'), 1))
    expect(await untilPanic(setup)).toBe(false)
    expect(setup.pool.stats().rebuildsMarked.health_failures).toBeGreaterThanOrEqual(size)
  })

  test('leaves who is rejected in time fit to serve', async () => {
    const setup = await checkedOften(3, { verifyIdleAfter: 0 })
    const { driver, borrow, clock } = setup
    driver.always('check', fail(new Error('refused'), 1))
    expect(await untilPanic(setup)).toBe(true)
    await clock.advance(10_000)
    const lease = await borrow()
    expect(lease.client).toBeDefined()
    lease.release()
  })

  test('hands out nobody whose check timed out', async () => {
    const setup = await checkedOften(3, { healthCheckTimeout: 100, verifyIdleAfter: 60_000 })
    const { clock, driver, pool } = setup
    driver.always('check', { do: 'hang', ignoreAbort: false })
    expect(await untilPanic(setup)).toBe(true)
    await clock.advance(3000)
    expect(pool.stats().checks.timed_out).toBeGreaterThan(3)
    expect(pool.tryAcquire()).toBeUndefined()
  })

  test('ends when its probe passes its check, and the probe stays', async () => {
    const setup = await checkedOften(4, { unhealthyThreshold: 10 })
    const { clock, pool } = setup
    failUpTo(setup, 4)
    expect(await untilPanic(setup)).toBe(true)
    await clock.advance(6)
    expect(pool.stats()).toMatchObject({ panic: false, total: 5 })
    expect(pool.connections()[4]).toMatchObject({ health: 'healthy', state: 'idle' })
  })

  test('tries its probe through the connector, and closes one that fails', async () => {
    const setup = await checkedOften(4)
    const { clock, driver, fate, pool } = setup
    driver.always('check', fail(new Error('refused'), 1))
    expect(await untilPanic(setup)).toBe(true)
    expect([driver.ledger.connects.length, pool.stats().connecting]).toEqual([5, 1])
    await clock.advance(7)
    expect([fate(5), pool.stats().panic]).toEqual(['destroyed', true])
    expect(driver.ledger.maxOpen).toBe(5)
  })

  test('without room puts the probe in the place of the one that has failed longest', async () => {
    const setup = await checkedOften(4, { maxConnections: 4, unhealthyThreshold: 10 })
    const { driver, fate, listen, pool } = setup
    const failed = listen('healthCheckFailed')
    const closed = listen('connectionClosed')
    failUpTo(setup, 4)
    await untilPanic(setup)
    await setup.clock.advance(6)
    expect(closed).toMatchObject([{ connectionId: failed[0]?.connectionId, reason: 'unhealthy' }])
    expect(driver.ledger.maxOpen).toBe(4)
    expect(fate(5)).toBe('open')
    expect(pool.stats()).toMatchObject({ panic: false, total: 4 })
  })

  test('ends when fewer than panicThreshold fail, and who fails after that is marked', async () => {
    const setup = await checkedOften(4)
    const { clock, driver, listen, pool } = setup
    driver.always('check', fail(new Error('refused'), 1))
    expect(await untilPanic(setup)).toBe(true)
    await clock.advance(10)
    const marked = listen('rebuildMarked')
    // From now on one of the four fails.
    failUpTo(setup, 1)
    await clock.advance(8000)
    expect(pool.stats().panic).toBe(false)
    expect(marked).toMatchObject([{ reason: { kind: 'health_failures' } }])
  })

  test('leaves lost connections lost: they are rebuilt', async () => {
    const setup = await checkedOften(4, { unhealthyThreshold: 10 })
    const { client, clock, driver, pool } = setup
    driver.always('check', fail(new Error('refused'), 1))
    expect(await untilPanic(setup)).toBe(true)
    const lost = client(2).connectionId
    driver.lose(client(2))
    await clock.advance(20)
    expect(pool.connections().find(({ id }) => id === lost)).toMatchObject({ generation: 2 })
    expect(pool.stats().rebuildsMarked).toEqual({ connection_lost: 1 })
  })
})

test('the panic is over for good when the probe has passed: who fails after that is marked, and the pool is well again soon', async () => {
  const { clock, driver, healths, listen, pool, start } = setUp({
    minConnections: 6,
    maxConnections: 7,
    maxConnecting: 6,
    healthCheckInterval: 3000,
    healthRecheckInterval: 1000,
    unhealthyThreshold: 5,
  })
  const marked = listen('rebuildMarked')
  await start()
  // What is connected anew is well: the old sessions are of no use after a fail-over.
  driver.always('check', ({ client }) => ((client?.id ?? 0) <= 6 ? fail(new Error('read-only'), 1) : ok(1)))
  for (let ms = 0; ms < 3000 && !pool.stats().panic; ms++) await clock.advance(1)
  // The probe: connect and check.
  await clock.advance(10)
  expect(pool.stats()).toMatchObject({ panic: false, total: 7 })
  const before = marked.length
  let again = 0
  for (let ms = 0; ms < 6000; ms++) {
    await clock.advance(1)
    if (pool.stats().panic) again++
  }
  expect(again).toBe(0)
  expect(marked.length - before).toBeGreaterThanOrEqual(4)
  expect(healths().filter((health) => health === 'unhealthy')).toEqual([])
})
