import { describe, expect, test } from 'vitest'
import { type FakeCall, fail, hang, ok } from '../../src/testing/index.ts'
import { resultOf, setUp, type TestPool, track } from './set-up.ts'

/** Writes down when which client is checked, ms of the clock. */
function noteChecks(): {
  readonly at: [client: number, at: number][]
  readonly onCall: (call: FakeCall) => void
  clock?: { now(): number }
} {
  const note: ReturnType<typeof noteChecks> = {
    at: [],
    onCall: ({ hook, client }) => {
      if (hook === 'check') note.at.push([client?.id ?? 0, note.clock?.now() ?? 0])
    },
  }
  return note
}

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
  test('within degradedThreshold makes healthy', async () => {
    const setup = await checked({ degradedThreshold: 100 })
    setup.driver.always('check', ok(100))
    expect(setup.healths()).toEqual(['unknown'])
    await nextCheck(setup)
    expect(setup.states()).toEqual(['checking'])
    await setup.clock.advance(100)
    expect([setup.states(), setup.healths()]).toEqual([['idle'], ['healthy']])
    expect(setup.pool.connections()).toMatchObject([{ lastProvenAt: setup.clock.wallNow() }])
  })

  test('that is slower makes degraded, and the connection goes on serving', async () => {
    const setup = await checked({ degradedThreshold: 100 })
    setup.driver.always('check', ok(101))
    await nextCheck(setup)
    await setup.clock.advance(101)
    expect(setup.healths()).toEqual(['degraded'])
    expect(setup.pool.stats().marked).toBe(0)
    expect((await setup.borrow()).client.id).toBe(1)
  })

  test('that fails makes degraded and a suspect, and is told', async () => {
    const setup = await checked()
    const { clock, driver, healths, listen, pool } = setup
    const told = listen('healthCheckFailed', 'healthStatusChanged')
    driver.next('check', fail(new Error('no answer'), 2))
    await nextCheck(setup)
    await clock.advance(2)
    expect(healths()).toEqual(['degraded'])
    expect(pool.tryAcquire()).toBeUndefined()
    expect(told).toMatchObject([
      { failures: 1, generation: 1, error: { code: 'HEALTH_CHECK_FAILED', cause: { message: 'no answer' } } },
      { from: 'unknown', to: 'degraded' },
    ])
  })

  test('that succeeds heals, and ends the run of failures', async () => {
    const setup = await checked({ unhealthyThreshold: 2, healthRecheckInterval: 1000 })
    const { clock, driver, healths, pool } = setup
    const no = (): ReturnType<typeof fail> => fail(new Error('no answer'))
    driver.next('check', no(), ok(1), no(), ok(1))
    await nextCheck(setup)
    expect(healths()).toEqual(['degraded'])
    await clock.advance(1001)
    expect(healths()).toEqual(['healthy'])
    await nextCheck(setup)
    expect(healths()).toEqual(['degraded'])
    expect(pool.stats().marked).toBe(0)
    await clock.advance(1001)
    expect(healths()).toEqual(['healthy'])
  })

  test('that succeeds slowly ends the run of failures as well', async () => {
    const setup = await checked({ unhealthyThreshold: 2, degradedThreshold: 10, healthRecheckInterval: 100 })
    const { clock, driver, listen } = setup
    const marked = listen('rebuildMarked')
    const no = (): ReturnType<typeof fail> => fail(new Error('no answer'))
    driver.next('check', no(), ok(50), no(), ok(1))
    await nextCheck(setup)
    await clock.advance(30_000)
    expect(marked).toEqual([])
  })

  test('leaves the counters of requests and errors alone', async () => {
    const setup = await checked()
    setup.driver.next('check', fail(new Error('no answer')))
    await setup.clock.advance(60_000)
    expect(setup.client(1).life.checks).toBeGreaterThan(1)
    expect(setup.pool.connections()).toMatchObject([{ uses: 0, requests: 0, errors: 0 }])
  })
})

describe('regular checks', () => {
  test('leave out a connection that has served since', async () => {
    const { borrow, client, clock } = await checked()
    for (let at = 0; at < 60_000; at += 5000) {
      ;(await borrow()).release()
      await clock.advance(5000)
    }
    expect(client(1).life.checks).toBe(0)
  })

  test('do not take a disposed lease for a proof', async () => {
    const { borrow, client, clock } = await checked()
    for (let at = 0; at < 60_000; at += 5000) {
      ;(await borrow())[Symbol.dispose]()
      await clock.advance(5000)
    }
    expect(client(1).life.checks).toBeGreaterThan(2)
  })

  test('leave a connection in use alone', async () => {
    const { borrow, client, clock } = await checked()
    await borrow()
    await clock.advance(60_000)
    expect(client(1).life.checks).toBe(0)
  })

  test('do not begin while somebody waits', async () => {
    const { clock, client, driver, pool, start } = setUp({ minConnections: 2, maxConnections: 2, healthCheckInterval: 10_000 })
    await start()
    // Retired by its peer, and its successor does not come: idle, but nobody may have it.
    driver.always('connect', hang())
    driver.retire(client(1))
    const lease = await clock.until(pool.acquire())
    expect(lease.client.id).toBe(2)
    const waiter = track(pool.acquire({ timeout: 0.5 * 60_000 }))
    await clock.advance(29_000)
    expect([waiter.status, client(1).life.checks]).toEqual(['pending', 0])
  })

  test('do not come with healthCheckInterval 0', async () => {
    const { client, clock } = await checked({ healthCheckInterval: 0 })
    await clock.advance(100_000)
    expect(client(1).life.checks).toBe(0)
  })

  test('run beside the leases where a client has several', async () => {
    const setup = await checked({ driver: { maxLeasesPerConnection: 4, checkMs: 20 } })
    await setup.borrow()
    await nextCheck(setup)
    expect(setup.states()).toEqual(['acquired'])
    const second = track(setup.pool.acquire())
    await setup.clock.settle()
    expect(resultOf(second).client.id).toBe(1)
    await setup.clock.advance(20)
    expect(setup.healths()).toEqual(['healthy'])
  })

  test('one that passes gives those who wait the room beside leases that its unhealthy connection had', async () => {
    const setup = await checked({
      driver: { maxLeasesPerConnection: 2 },
      rebuildMaxSurge: 0,
      healthCheckTriggerRebuild: false,
      healthRecheckInterval: 100,
      unhealthyThreshold: 2,
    })
    const { clock, driver, pool } = setup
    const [first] = [await setup.borrow(), await setup.borrow()]
    driver.always('check', fail(new Error('no answer')))
    await nextCheck(setup)
    await clock.advance(100)
    expect(setup.healths()).toEqual(['unhealthy'])
    first.release()
    driver.always('check', ok(0))
    await nextCheck(setup)
    await clock.settle()
    expect(setup.healths()).toEqual(['healthy'])
    const second = track(pool.acquire())
    await clock.settle()
    expect(resultOf(second).client.id).toBe(1)
  })

  test('come once per healthCheckInterval for every idle connection, spread over it', async () => {
    const note = noteChecks()
    const { clock, start } = setUp({ minConnections: 10, maxConnecting: 10, healthCheckInterval: 10_000, driver: { onCall: note.onCall } })
    note.clock = clock
    await start()
    await clock.advance(40_000)
    // The first round begins with each connection's own place within the interval.
    for (let id = 1; id <= 10; id++) {
      const times = note.at.filter(([client]) => client === id).map(([, at]) => at)
      expect(times.length).toBeGreaterThanOrEqual(3)
      const [gap] = times.slice(1).map((at, index) => at - (times[index] as number))
      expect(gap).toBeGreaterThan(9900)
      expect(gap).toBeLessThan(10_100)
    }
    const round = note.at
      .filter(([, at]) => at >= 21_000 && at < 31_000)
      .map(([, at]) => at)
      .sort((a, b) => a - b)
    expect(round).toHaveLength(10)
    const gaps = round.map((at, index) => ((round[index + 1] ?? (round[0] as number) + 10_000) - at) / 10_000)
    expect(Math.min(...gaps)).toBeGreaterThan(0.03)
    expect(Math.max(...gaps)).toBeLessThan(0.25)
  })

  test('find a connection that was never checked within one interval of its connect', async () => {
    const setup = await checked()
    await setup.clock.advance(10_001)
    expect(setup.client(1).life.checks).toBe(1)
  })
})

describe('after a failed check', () => {
  test('the next one follows after healthRecheckInterval', async () => {
    const note = noteChecks()
    const setup = await checked({ healthRecheckInterval: 700, driver: { onCall: note.onCall } })
    note.clock = setup.clock
    setup.driver.next('check', fail(new Error('no answer'), 5))
    await nextCheck(setup)
    await setup.clock.advance(1000)
    const [first, second] = note.at.map(([, at]) => at)
    expect((second as number) - (first as number)).toBe(705)
    expect(setup.healths()).toEqual(['healthy'])
  })

  test('the next one comes after maxWhileWaited while somebody waits, and counts only as often as it would have by itself', async () => {
    const setup = await checked({
      rebuildMaxSurge: 0,
      healthRecheckInterval: 1000,
      unhealthyThreshold: 3,
      backoff: { maxWhileWaited: 200 },
    })
    const { clock, client, driver, listen, pool } = setup
    const failed = listen('healthCheckFailed')
    driver.always('check', fail(new Error('no answer')))
    await nextCheck(setup)
    const waiter = track(pool.acquire())
    await clock.advance(199)
    expect(client(1).life.checks).toBe(1)
    await clock.advance(800)
    expect(client(1).life.checks).toBe(5)
    expect(failed.map(({ failures }) => failures)).toEqual([1, 1, 1, 1, 1])
    await clock.advance(1)
    expect(failed.at(-1)).toMatchObject({ failures: 2 })
    driver.always('check', ok(0))
    await clock.advance(200)
    expect(waiter.status).toBe('fulfilled')
  })

  test('the next one comes after maxWhileWaited also where healthCheckInterval is shorter than that', async () => {
    const setup = await checked({
      minConnections: 2,
      maxConnections: 2,
      rebuildMaxSurge: 0,
      healthCheckInterval: 100,
      healthRecheckInterval: 10_000,
      backoff: { maxWhileWaited: 200 },
    })
    const { clock, client, driver, pool } = setup
    driver.always('check', fail(new Error('no answer')))
    await clock.advance(100)
    expect([client(1).life.checks, client(2).life.checks]).toEqual([1, 1])
    track(pool.acquire())
    await clock.advance(200)
    expect([client(1).life.checks, client(2).life.checks]).toEqual([2, 2])
    await clock.advance(200)
    expect([client(1).life.checks, client(2).life.checks]).toEqual([3, 3])
  })

  test('a check that came early puts nobody else under suspicion once more', async () => {
    const { borrow, clock, driver, healths, pool, start } = setUp({
      minConnections: 2,
      maxConnections: 2,
      rebuildMaxSurge: 0,
      healthCheckInterval: 10_000,
      healthRecheckInterval: 1000,
    })
    await start()
    const kept = await borrow()
    driver.always('check', ({ client }) => (client === kept.client ? ok(1) : fail(new Error('no answer'))))
    while (!healths().includes('degraded')) await clock.advance(1)
    const waiter = track(pool.acquire())
    await clock.advance(300)
    expect(waiter.status).toBe('pending')
    kept.release()
    await clock.settle()
    expect(resultOf(waiter).client).toBe(kept.client)
    await clock.advance(500)
    resultOf(waiter).release()
    expect(pool.tryAcquire()?.client).toBe(kept.client)
    expect(kept.client.life.checks).toBe(0)
  })

  test('all others must prove themselves before they are handed out', async () => {
    const { borrow, client, clock, driver, start } = setUp({ minConnections: 3, healthCheckInterval: 10_000 })
    await start()
    await clock.advance(100)
    const note: number[] = []
    driver.always('check', (call) => {
      note.push(call.client?.id ?? 0)
      return note.length === 1 ? fail(new Error('no answer')) : ok(1)
    })
    while (note.length === 0) await clock.advance(1)
    const lease = await borrow()
    expect(note).toEqual([note[0], lease.client.id])
    expect(client(lease.client.id).life.checks).toBe(1)
    lease.release()
  })

  test('the connection heals when it proves itself to somebody who waits', async () => {
    const setup = await checked({ healthRecheckInterval: 1000 })
    setup.driver.next('check', fail(new Error('no answer')), ok(1))
    await nextCheck(setup)
    const waiter = track(setup.pool.acquire())
    await setup.clock.advance(1001)
    expect(waiter.status).toBe('fulfilled')
    expect(setup.healths()).toEqual(['healthy'])
  })
})

describe('at unhealthyThreshold', () => {
  test('failures in a row the connection is unhealthy and rebuilt, with the numbers in the reason', async () => {
    const setup = await checked({ unhealthyThreshold: 3, healthCheckTimeout: 500, healthRecheckInterval: 1000 })
    const { clock, driver, fate, healths, listen, pool } = setup
    const triggered = listen('healthCheckTriggeredRebuild')
    const changes = listen('healthStatusChanged')
    driver.next('check', fail(new Error('no answer')), fail(new Error('no answer')), { do: 'hang', ignoreAbort: false })
    await nextCheck(setup)
    await clock.advance(2000)
    expect(healths()).toEqual(['degraded'])
    await clock.advance(500)
    expect(fate(1)).toBe('destroyed')
    const reason = { kind: 'health_failures', detail: expect.stringMatching(/^3 failed checks in a row: .*500/) }
    expect(pool.connections()).toMatchObject([{ health: 'unhealthy', state: 'rebuilding', mark: { ...reason, urgent: true } }])
    expect(triggered).toMatchObject([{ reason }])
    await clock.advance(5)
    expect(pool.connections()).toMatchObject([{ generation: 2, health: 'healthy', state: 'idle' }])
    expect(changes.map(({ from, to }) => `${from} → ${to}`)).toEqual(['unknown → degraded', 'degraded → unhealthy', 'unhealthy → healthy'])
    expect(pool.stats().rebuildsByHealthCheck).toBe(1)
  })

  test('without healthCheckTriggerRebuild the connection is closed, and the pool refills', async () => {
    const setup = await checked({ unhealthyThreshold: 1, healthCheckTriggerRebuild: false })
    const { client, clock, driver, listen, pool } = setup
    const closed = listen('connectionClosed')
    const marked = listen('rebuildMarked')
    driver.next('check', fail(new Error('no answer')))
    await nextCheck(setup)
    await clock.advance(20)
    expect(closed).toMatchObject([{ connectionId: client(1).connectionId, reason: 'unhealthy' }])
    expect(marked).toEqual([])
    expect(pool.connections()).toMatchObject([{ generation: 1, state: 'idle', health: 'unknown' }])
  })

  test('Infinity never comes to that', async () => {
    const setup = await checked({ unhealthyThreshold: Number.POSITIVE_INFINITY })
    setup.driver.always('check', fail(new Error('no answer')))
    await setup.clock.advance(100_000)
    expect(setup.healths()).toEqual(['degraded'])
    expect(setup.pool.stats().marked).toBe(0)
  })
})

describe('a check that is slow', () => {
  /** Two connections: the first answers in `ms`, the other in 2 ms, and the pool knows that 2 ms are usual. */
  const withUsual = async (ms: number, options: Parameters<typeof setUp>[0] = {}): Promise<TestPool> => {
    const setup = setUp({ minConnections: 5, maxConnections: 5, maxConnecting: 5, healthCheckInterval: 10_000, ...options })
    await setup.start()
    setup.driver.always('check', ok(2))
    await setup.clock.advance(60_000)
    setup.driver.always('check', (call) => ok(call.client?.id === 1 ? ms : 2))
    return setup
  }

  test('by outlierFactor and 50 ms, twice in a row, leads to a planned rebuild; the second check follows soon', async () => {
    const setup = await withUsual(60, { outlierFactor: 5, healthRecheckInterval: 1000 })
    const marked = setup.listen('rebuildMarked')
    await nextCheck(setup)
    await setup.clock.advance(1059)
    expect(marked).toEqual([])
    await setup.clock.advance(61)
    expect(marked).toMatchObject([
      {
        connectionId: setup.client(1).connectionId,
        urgent: false,
        reason: { kind: 'slow_outlier', detail: expect.stringContaining('60') },
      },
    ])
    await setup.clock.advance(100)
    expect(setup.pool.connections()[0]).toMatchObject({ generation: 2, health: 'healthy' })
  })

  test.each([
    ['50 ms and less is none', 50, {}],
    ['outlierFactor times the usual and less is none', 60, { outlierFactor: 40 }],
    ['outlierFactor Infinity turns it off', 900, { outlierFactor: Number.POSITIVE_INFINITY }],
    ['smartRebuildEnabled false turns it off', 900, { smartRebuildEnabled: false }],
  ])('outlier: %s', async (_, ms, options) => {
    const setup = await withUsual(ms, options)
    await nextCheck(setup)
    await setup.clock.advance(60_000)
    expect(setup.pool.stats().rebuildsMarked).toEqual({})
  })

  test('once only is forgiven', async () => {
    const setup = await withUsual(2)
    setup.driver.always('check', ok(2))
    const before = setup.client(1).life.checks
    setup.driver.always('check', (call) => ok(call.client?.id === 1 && call.client.life.checks === before + 1 ? 80 : 2))
    await setup.clock.advance(60_000)
    expect(setup.client(1).life.checks).toBeGreaterThan(before + 2)
    expect(setup.pool.stats().rebuildsMarked).toEqual({})
  })

  test('for half of the pool makes an outlier of each of them: the usual does not move', async () => {
    const setup = await withUsual(2, { minConnections: 4, maxConnections: 4 })
    setup.driver.always('check', (call) => ok((call.client?.id ?? 0) % 2 === 1 && call.client?.life.connectedAt === 1005 ? 200 : 2))
    await setup.clock.advance(100_000)
    expect(setup.pool.connections().map(({ generation }) => generation)).toEqual([2, 1, 2, 1])
    expect(setup.pool.stats().rebuildsMarked).toEqual({ slow_outlier: 2 })
  })

  test('is told from the usual of others although nobody else is checked while all are in use', async () => {
    const setup = setUp({ minConnections: 4, maxConnections: 4, maxConnecting: 4, healthRecheckInterval: 1000 })
    await setup.start()
    const isSlow = ({ id }: { readonly id: number }): boolean => id <= 2
    setup.driver.always('check', (call) => ok(call.client !== undefined && isSlow(call.client) ? 300 : 2))
    for (let beat = 0; beat < 30; beat++) {
      for (const lease of await setup.borrowMany(4)) setup.clock.arrive(isSlow(lease.client) ? 310 : 2, () => lease.release())
      await setup.clock.advance(700)
    }
    expect(setup.pool.connections().map(({ generation }) => generation)).toEqual([2, 2, 1, 1])
    expect(setup.pool.stats().rebuildsMarked).toEqual({ slow_outlier: 2 })
  })

  test('is none where all are as slow, however seldom they are checked', async () => {
    const setup = setUp({ minConnections: 4, maxConnections: 4, maxConnecting: 4, healthRecheckInterval: 1000 })
    await setup.start()
    setup.driver.always('check', ok(300))
    for (let beat = 0; beat < 30; beat++) {
      for (const lease of await setup.borrowMany(4)) setup.clock.arrive(beat < 20 ? 2 : 310, () => lease.release())
      await setup.clock.advance(1000)
    }
    expect(setup.pool.stats().checks.healthy).toBeGreaterThan(4)
    expect(setup.pool.stats().rebuildsMarked).toEqual({})
  })

  test('for more than degradedThreshold leads to a rebuild with rebuildOnDegraded', async () => {
    const setup = await checked({ rebuildOnDegraded: true, degradedThreshold: 100 })
    const marked = setup.listen('rebuildMarked')
    setup.driver.next('check', ok(150))
    await nextCheck(setup)
    await setup.clock.advance(150)
    expect(marked).toMatchObject([{ urgent: false, reason: { kind: 'degraded_performance', detail: expect.stringContaining('150') } }])
    await setup.clock.advance(10)
    expect(setup.pool.connections()).toMatchObject([{ generation: 2, health: 'healthy' }])
  })

  test('again within rebuildMinInterval of the last rebuild is no reason for degraded_performance', async () => {
    const setup = await checked({ rebuildOnDegraded: true, degradedThreshold: 100, rebuildMinInterval: 100_000 })
    const { clock, driver, pool } = setup
    driver.next('check', ok(150), ok(1))
    await nextCheck(setup)
    await clock.advance(200)
    expect(pool.connections()).toMatchObject([{ generation: 2 }])
    driver.always('check', ok(150))
    await clock.advance(90_000)
    expect(pool.stats().rebuildsMarked).toEqual({ degraded_performance: 1 })
    expect(pool.connections()).toMatchObject([{ generation: 2, health: 'degraded' }])
    driver.always('check', (call) => ok(call.client?.id === 2 ? 150 : 1))
    await clock.advance(30_000)
    expect(pool.connections()).toMatchObject([{ generation: 3 }])
  })

  test('again within rebuildMinInterval of the last rebuild is no reason for slow_outlier', async () => {
    const setup = await withUsual(200, { rebuildMinInterval: 200_000 })
    await setup.clock.advance(30_000)
    expect(setup.pool.connections()[0]).toMatchObject({ generation: 2 })
    const slow = setup.driver.ledger.clients.at(-1)?.client.id
    setup.driver.always('check', (call) => ok(call.client?.id === slow ? 200 : 2))
    await setup.clock.advance(150_000)
    expect(setup.pool.connections()[0]).toMatchObject({ generation: 2 })
    await setup.clock.advance(60_000)
    expect(setup.pool.connections()[0]).toMatchObject({ generation: 3 })
  })
})

describe('a check whose error is fatal', () => {
  const gone = Object.assign(new Error('connection reset by peer'), { code: 'GONE' })
  const classify = (error: unknown): 'fatal' | 'transient' => (error === gone ? 'fatal' : 'transient')

  test('has lost its connection, which is rebuilt at once', async () => {
    const setup = await checked({ driver: { classify } })
    const { clock, driver, fate, listen, pool } = setup
    const told = listen('healthCheckFailed', 'rebuildMarked')
    driver.next('check', fail(gone))
    await nextCheck(setup)
    expect(told).toMatchObject([{ urgent: true, reason: { kind: 'connection_lost', detail: expect.stringContaining('reset by peer') } }])
    expect(fate(1)).toBe('destroyed')
    await clock.advance(10)
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle', health: 'healthy' }])
  })

  test('proves nothing in a panic', async () => {
    const { clock, driver, pool, start } = setUp({ minConnections: 4, maxConnections: 4, healthCheckInterval: 1000, driver: { classify } })
    await start()
    driver.always('check', fail(new Error('no permission')))
    await clock.advance(5000)
    expect(pool.stats()).toMatchObject({ panic: true, idle: 4 })
    driver.next('check', fail(gone))
    await clock.advance(1100)
    expect(pool.connections().map(({ generation }) => generation)).toEqual(expect.arrayContaining([2]))
    expect(pool.stats()).toMatchObject({ panic: true, rebuildsMarked: { connection_lost: 1 } })
  })
})

describe('a connection that the driver reports as lost', () => {
  test('in the middle of a check is rebuilt, and the check is not heard of any more', async () => {
    const setup = await checked({ driver: { checkMs: 50 } })
    const { client, clock, driver, listen, pool } = setup
    const failed = listen('healthCheckFailed')
    await nextCheck(setup)
    driver.lose(client(1))
    await clock.advance(100)
    expect(pool.connections()).toMatchObject([{ generation: 2, state: 'idle', health: 'healthy' }])
    expect(failed).toEqual([])
  })

  test('makes suspects of all others', async () => {
    const { borrow, client, clock, driver, start } = setUp({ minConnections: 3, maxConnections: 3 })
    await start()
    await clock.advance(100)
    driver.lose(client(3))
    expect((await borrow()).client.life.checks).toBe(1)
    expect((await borrow()).client.life.checks).toBe(1)
  })
})

test('checks that fail beside a lease, after they have led to a mark, are told and counted no second time', async () => {
  const { borrow, clock, driver, listen, pool } = setUp({
    maxConnections: 1,
    healthCheckInterval: 1000,
    healthRecheckInterval: 100,
    driver: { maxLeasesPerConnection: 2 },
  })
  const told = listen('healthCheckTriggeredRebuild')
  await borrow()
  driver.always('check', fail(new Error('refused'), 1))
  await clock.advance(10_000)
  expect(pool.connections()).toMatchObject([{ health: 'unhealthy', mark: { kind: 'health_failures', urgent: true } }])
  expect([told.length, pool.stats().rebuildsByHealthCheck]).toEqual([1, 1])
})
