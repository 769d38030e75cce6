import { describe, expect, test } from 'vitest'
import { Alarm, Deadline, MAX_DELAY, ProcessHold, systemClock, type Timer } from '../../src/engine/clock.ts'
import { FakeClock } from '../../src/testing/index.ts'

describe('Deadline', () => {
  test('expires once, after its delay', async () => {
    const clock = new FakeClock()
    let expired = 0
    new Deadline(clock, 100, () => {
      expired++
    })
    await clock.advance(99)
    expect(expired).toBe(0)
    await clock.advance(1)
    expect(expired).toBe(1)
    await clock.advance(1000)
    expect(expired).toBe(1)
  })

  test('does not expire when it was cancelled, and leaves no timer', async () => {
    const clock = new FakeClock()
    let expired = 0
    const deadline = new Deadline(clock, 100, () => {
      expired++
    })
    deadline.cancel()
    expect(clock.pending()).toEqual([])
    await clock.advance(1000)
    expect(expired).toBe(0)
  })

  test('lets an answer win that has arrived while the process was busy: sockets are read before it decides', async () => {
    const clock = new FakeClock()
    const diary: string[] = []
    const deadline = new Deadline(clock, 100, () => diary.push('expired'))
    clock.arrive(90, () => {
      diary.push('answered')
      deadline.cancel()
    })
    await clock.sleep(5000)
    await clock.advance(1000)
    expect(diary).toEqual(['answered'])
  })

  test('may be cancelled after it has expired', async () => {
    const clock = new FakeClock()
    let expired = 0
    const deadline = new Deadline(clock, 1, () => {
      expired++
    })
    await clock.advance(1)
    deadline.cancel()
    await clock.advance(10)
    expect(expired).toBe(1)
  })
})

describe('Alarm', () => {
  test('rings after longer than one timer can last', async () => {
    const clock = new FakeClock()
    const rung: number[] = []
    const alarm = new Alarm(clock, () => rung.push(clock.now()))
    const setAt = clock.now()
    alarm.set(3 * MAX_DELAY)
    await clock.advance(3 * MAX_DELAY - 1)
    expect([rung, alarm.pending]).toEqual([[], true])
    await clock.advance(1)
    expect(rung).toEqual([setAt + 3 * MAX_DELAY])
    alarm.set(2 * MAX_DELAY)
    await clock.advance(1.5 * MAX_DELAY)
    alarm.clear()
    expect(clock.pending()).toEqual([])
  })
})

describe('ProcessHold', () => {
  const holding = (clock: FakeClock): boolean => clock.pending().some(({ referenced }) => referenced)

  test('holds the process while at least one call is pending', () => {
    const clock = new FakeClock()
    const hold = new ProcessHold(clock)
    expect(holding(clock)).toBe(false)
    hold.retain()
    hold.retain()
    expect(holding(clock)).toBe(true)
    hold.release()
    expect(holding(clock)).toBe(true)
    hold.release()
    expect(holding(clock)).toBe(false)
  })

  test('holds on for longer than one timer can last', async () => {
    const clock = new FakeClock()
    const hold = new ProcessHold(clock)
    hold.retain()
    await clock.advance(3 * MAX_DELAY)
    expect(holding(clock)).toBe(true)
    hold.release()
    expect(holding(clock)).toBe(false)
  })

  test('leaves no timer when it is ended', () => {
    const clock = new FakeClock()
    const hold = new ProcessHold(clock)
    hold.retain()
    hold.release()
    expect(clock.pending()).toHaveLength(1)
    hold.end()
    expect(clock.pending()).toEqual([])
  })

  test('that is ended while somebody holds lets go with the last of them', () => {
    const clock = new FakeClock()
    const hold = new ProcessHold(clock)
    hold.retain()
    hold.retain()
    hold.end()
    hold.release()
    expect(holding(clock)).toBe(true)
    hold.release()
    expect(clock.pending()).toEqual([])
  })
})

describe('systemClock', () => {
  test('holds the process with no timer that was cleared, whether it had fired or not', async () => {
    const holding = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const fired = await new Promise<Timer>((resolve) => {
      const timer = systemClock.setTimeout(() => resolve(timer), 1)
      timer.ref()
    })
    await new Promise(setImmediate)
    const timers = [fired, systemClock.setTimeout(() => {}, 60_000)]
    const before = holding()
    for (const timer of [...timers, ...timers]) systemClock.clearTimeout(timer)
    expect(holding()).toBe(before)
  })

  test('now never goes back, wallNow is the time of day', () => {
    const [first, second] = [systemClock.now(), systemClock.now()]
    expect(second).toBeGreaterThanOrEqual(first)
    const before = Date.now()
    const wall = systemClock.wallNow()
    expect(wall).toBeGreaterThanOrEqual(before)
    expect(wall).toBeLessThanOrEqual(Date.now())
  })

  test('its timers fire, and do not hold the process unless they are told to', async () => {
    const fired = await new Promise<boolean>((resolve) => {
      const timer = systemClock.setTimeout(() => resolve(true), 1) as NodeJS.Timeout
      expect(timer.hasRef()).toBe(false)
      timer.ref()
      expect(timer.hasRef()).toBe(true)
    })
    expect(fired).toBe(true)
  })

  test('a cleared timer does not fire; clearing twice does no harm', async () => {
    const diary: string[] = []
    const timer = systemClock.setTimeout(() => diary.push('cleared one'), 1)
    systemClock.clearTimeout(timer)
    systemClock.clearTimeout(timer)
    await new Promise<void>((resolve) => {
      systemClock
        .setTimeout(() => {
          diary.push('later one')
          resolve()
        }, 5)
        .ref()
    })
    expect(diary).toEqual(['later one'])
  })

  test('afterPoll runs after the promises and ticks of now', async () => {
    const diary: string[] = []
    await new Promise<void>((resolve) => {
      systemClock.afterPoll(() => {
        diary.push('after poll')
        resolve()
      })
      queueMicrotask(() => diary.push('microtask'))
      process.nextTick(() => diary.push('tick'))
    })
    expect(diary.at(-1)).toBe('after poll')
    expect(diary).toHaveLength(3)
  })
})
