import { describe, expect, test } from 'vitest'
import { WakeDetector } from '../../src/engine/wake-detector.ts'
import { FakeClock, ok } from '../../src/testing/index.ts'
import { resultOf, setUp, track } from './set-up.ts'

describe('the process was asleep', () => {
  test.each([
    ['a tick 999 ms late', 'sleep', 1999, 0],
    ['a tick a second late', 'sleep', 2000, 1],
    ['an hour', 'sleep', 3_600_000, 1],
    ['the wall clock 999 ms ahead', 'suspend', 999, 0],
    ['the wall clock a second ahead', 'suspend', 1000, 1],
    ['a night of suspension', 'suspend', 8 * 3_600_000, 1],
  ] as const)('%s', async (_, how, ms, expected) => {
    const clock = new FakeClock()
    let woken = 0
    const listener = (): void => void woken++
    WakeDetector.of(clock).subscribe(listener)
    await clock.advance(5000)
    await clock[how](ms)
    await clock.advance(5000)
    expect(woken).toBe(expected)
    WakeDetector.of(clock).unsubscribe(listener)
    expect(clock.counts().timers).toBe(0)
  })

  test('is never found while time goes on as it should, nor when the wall clock is set back', async () => {
    const clock = new FakeClock()
    let woken = 0
    const listener = (): void => void woken++
    WakeDetector.of(clock).subscribe(listener)
    await clock.advance(3_600_000)
    clock.setWall(-3_600_000)
    await clock.advance(10_000)
    expect(woken).toBe(0)
    WakeDetector.of(clock).unsubscribe(listener)
  })
})

test('one timer is enough for all pools on a clock', async () => {
  const clock = new FakeClock()
  const listeners = Array.from({ length: 100 }, () => (): void => {})
  for (const listener of listeners) WakeDetector.of(clock).subscribe(listener)
  expect(clock.counts()).toMatchObject({ timers: 1, referenced: 0 })
  for (const listener of listeners) WakeDetector.of(clock).unsubscribe(listener)
  expect(clock.counts().timers).toBe(0)
})

describe('a pool that wakes up', () => {
  test.each(['sleep', 'suspend'] as const)('checks every connection before it serves again: %s', async (how) => {
    const { clock, driver, pool, start } = setUp({ minConnections: 2, maxConnections: 2 })
    await start()
    await clock.advance(1500)
    expect(pool.tryAcquire()?.release()).toBeUndefined()
    await clock[how](10_000)
    await clock.advance(1000)
    driver.always('check', ok(20))
    expect(pool.tryAcquire()).toBeUndefined()
    const waiter = track(pool.acquire())
    await clock.advance(19)
    expect(waiter.status).toBe('pending')
    await clock.advance(1)
    expect(resultOf(waiter).client.life.checks).toBe(1)
  })

  test('decides no time-out before it has read its sockets once', async () => {
    const { clock, driver, pool, start } = setUp({
      minConnections: 1,
      maxConnections: 1,
      healthCheckInterval: 10_000,
      healthCheckTimeout: 1000,
      connectTimeout: 1000,
    })
    await start()
    driver.always('check', ok(500))
    for (let ms = 0; ms < 10_000 && pool.stats().checking === 0; ms++) await clock.advance(1)
    // The answer comes in while the process sleeps, and so does the end of its time.
    await clock.sleep(60_000)
    await clock.settle()
    expect(pool.stats().checks).toMatchObject({ timed_out: 0 })
    expect(pool.stats().checks.healthy + pool.stats().checks.degraded).toBe(1)
    driver.next('connect', ok(500))
    driver.lose(driver.ledger.clients[0]?.client as never)
    await clock.settle()
    await clock.sleep(60_000)
    await clock.settle()
    expect(pool.stats()).toMatchObject({ connectFailures: 0, idle: 1 })
  })
})
