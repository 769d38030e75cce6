import { describe, expect, test } from 'vitest'
import { setUp, track } from './set-up.ts'

test('a lease held for leakDetectionThreshold is reported once, with the stack of its acquire, and nothing is taken away', async () => {
  const { borrow, clock, fate, listen, pool } = setUp({ leakDetectionThreshold: 1000 })
  const leaks = listen('leakSuspected')
  const lease = await borrow()
  await clock.advance(999)
  expect(leaks).toEqual([])
  await clock.advance(1)
  expect(leaks).toMatchObject([{ connectionId: lease.connection.id, generation: 1, heldMs: 1000 }])
  expect(leaks[0]?.stack).toContain('at ')
  await clock.advance(60_000)
  expect([leaks.length, pool.stats().leaksSuspected, fate(1)]).toEqual([1, 1, 'open'])
  lease.release()
  await clock.settle()
  expect(pool.stats()).toMatchObject({ idle: 1 })
})

describe('the stack is that of who asked for the connection', () => {
  test.each(['acquire', 'acquire with options', 'use', 'tryAcquire'])('by %s, with an idle connection', async (how) => {
    const { clock, listen, pool, start } = setUp({ leakDetectionThreshold: 1000, minConnections: 1 })
    await start()
    const leaks = listen('leakSuspected')
    const forgetful = (): unknown => {
      if (how === 'use') return track(pool.use(() => new Promise(() => {})))
      if (how === 'tryAcquire') return pool.tryAcquire()
      return pool.acquire(how === 'acquire' ? undefined : { timeout: 5000 })
    }
    forgetful()
    await clock.advance(1000)
    expect(leaks[0]?.stack.split('\n').slice(0, 5).join('\n')).toContain('forgetful')
  })

  test.each(['acquire', 'acquire with options', 'use'])('by %s, when another one’s release serves it', async (how) => {
    const { borrow, clock, listen, pool } = setUp({ leakDetectionThreshold: 1000, maxConnections: 1 })
    const leaks = listen('leakSuspected')
    const lease = await borrow()
    const forgetful = (): unknown =>
      how === 'use' ? track(pool.use(() => new Promise(() => {}))) : pool.acquire(how === 'acquire' ? undefined : { timeout: 5000 })
    forgetful()
    const innocent = (): void => lease.release()
    innocent()
    await clock.advance(1000)
    const [leak] = leaks
    expect(leak?.stack.split('\n').slice(0, 4).join('\n')).toContain('forgetful')
    expect(leak?.stack).not.toContain('innocent')
  })

  test('also when a connection is opened for it', async () => {
    const { clock, listen, pool } = setUp({ leakDetectionThreshold: 1000 })
    const leaks = listen('leakSuspected')
    const forgetful = (): unknown => pool.acquire()
    forgetful()
    await clock.advance(2000)
    expect(leaks[0]?.stack).toContain('forgetful')
  })
})

test('a lease that is released in time is not, and leaves no timer', async () => {
  const { borrow, clock, listen } = setUp({ leakDetectionThreshold: 1000 })
  const leaks = listen('leakSuspected')
  ;(await borrow()).release()
  const before = clock.counts().timers
  for (let use = 0; use < 5; use++) (await borrow()).release()
  ;(await borrow())[Symbol.dispose]()
  expect(clock.counts().timers).toBe(before)
  await clock.advance(60_000)
  expect(leaks).toEqual([])
})

test('each lease is watched for itself', async () => {
  const { borrowMany, clock, listen } = setUp({ leakDetectionThreshold: 1000 })
  const leaks = listen('leakSuspected')
  const leases = await borrowMany(3)
  leases[1]?.release()
  await clock.advance(1000)
  expect(leaks.map(({ connectionId }) => connectionId).sort()).toEqual(
    [leases[0], leases[2]].map((lease) => lease?.connection.id as string).sort(),
  )
})

test('with leakDetectionThreshold 0 nothing is watched', async () => {
  const { borrow, clock, listen } = setUp()
  const leaks = listen('leakSuspected')
  await borrow()
  await clock.advance(24 * 3_600_000)
  expect(leaks).toEqual([])
})

test('a lease that is released in the moment of its threshold is none, although its process was stopped until then', async () => {
  const { borrow, clock, listen } = setUp({ leakDetectionThreshold: 1000 })
  const leaks = listen('leakSuspected')
  const lease = await borrow()
  clock.arrive(10, () => lease.release())
  await clock.sleep(5000)
  expect(leaks).toEqual([])
})

test('a client that was destroyed is not missed: not after a loss, and nothing is left of the watch after close', async () => {
  const { borrow, client, clock, driver, listen, pool } = setUp({ leakDetectionThreshold: 1000, maxConnections: 2 })
  const leaks = listen('leakSuspected')
  const [lost, kept] = [await borrow(), await borrow()]
  driver.lose(client(1))
  await clock.advance(900)
  await clock.until(pool.close({ timeout: 0 }))
  expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
  await clock.advance(1000)
  expect(leaks).toEqual([])
  lost.release()
  kept.release()
})
