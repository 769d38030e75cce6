import { expect, test } from 'vitest'
import { FakeClock } from '../../src/testing/index.ts'

/** A clock, and a diary of what happened on it. */
function clockWithDiary(options: ConstructorParameters<typeof FakeClock>[0] = {}) {
  const clock = new FakeClock(options)
  const start = clock.now()
  const diary: string[] = []
  const note = (text: string) => () => {
    diary.push(`${clock.now() - start} ${text}`)
  }
  return { clock, diary, note }
}

test('starts above zero on both clocks', () => {
  const clock = new FakeClock()
  expect(clock.now()).toBeGreaterThan(0)
  expect(clock.wallNow()).toBeGreaterThan(Date.UTC(2020, 0, 1))
})

test('runs timers in order of time, then of creation, each at its own time', async () => {
  const { clock, diary, note } = clockWithDiary()
  clock.setTimeout(note('c'), 20)
  clock.setTimeout(note('a'), 10)
  clock.setTimeout(note('b'), 10)
  clock.setTimeout(note('too late'), 31)
  await clock.advance(30)
  expect(diary).toEqual(['10 a', '10 b', '20 c'])
  expect(clock.now()).toBe(1030)
})

test('keeps the order with hundreds of timers, some of them cleared', async () => {
  const { clock, diary } = clockWithDiary()
  const expected: number[] = []
  for (let index = 0; index < 500; index++) {
    const delay = ((index * 7919) % 251) + 1
    const timer = clock.setTimeout(() => diary.push(`${delay}`), delay)
    if (index % 3 === 0) clock.clearTimeout(timer)
    else expected.push(delay)
  }
  expect(clock.counts().timers).toBe(expected.length)
  await clock.advance(251)
  expect(diary.map(Number)).toEqual(expected.sort((a, b) => a - b))
})

test('lets promise chains of any length settle between two timers', async () => {
  const { clock, diary, note } = clockWithDiary()
  clock.setTimeout(() => {
    void (async () => {
      for (let index = 0; index < 1000; index++) await undefined
      note('chain')()
    })()
  }, 5)
  clock.setTimeout(note('timer'), 5)
  await clock.advance(5)
  expect(diary).toEqual(['5 chain', '5 timer'])
})

test('runs what timers set on the way', async () => {
  const { clock, diary, note } = clockWithDiary()
  clock.setTimeout(() => clock.setTimeout(note('second'), 10), 10)
  await clock.advance(20)
  expect(diary).toEqual(['20 second'])
})

test('runs arrivals after the timers of the same instant and afterPoll after both', async () => {
  const { clock, diary, note } = clockWithDiary()
  clock.arrive(10, note('arrival'))
  clock.setTimeout(() => {
    note('timer')()
    clock.afterPoll(note('poll'))
  }, 10)
  clock.setTimeout(note('second timer'), 10)
  await clock.advance(10)
  expect(diary).toEqual(['10 timer', '10 second timer', '10 arrival', '10 poll'])
})

test('settle runs afterPoll callbacks and promises, and lets no time pass', async () => {
  const { clock, diary, note } = clockWithDiary()
  clock.afterPoll(note('poll'))
  void Promise.resolve().then(note('promise'))
  clock.setTimeout(note('timer'), 1)
  await clock.settle()
  expect(diary).toEqual(['0 promise', '0 poll'])
})

test('a sleep fires timers late and delivers what came in meanwhile before afterPoll', async () => {
  const { clock, diary, note } = clockWithDiary()
  const wall = clock.wallNow()
  clock.setTimeout(() => {
    note('time-out')()
    clock.afterPoll(note('decision'))
  }, 10)
  clock.arrive(500, note('answer'))
  clock.arrive(2000, note('later answer'))
  await clock.sleep(1000)
  expect(diary).toEqual(['1000 time-out', '1000 answer', '1000 decision'])
  expect(clock.wallNow() - wall).toBe(1000)
})

test('a suspend moves the wall clock and the network, and no timer', async () => {
  const { clock, diary, note } = clockWithDiary()
  const wall = clock.wallNow()
  clock.setTimeout(note('timer'), 10)
  clock.arrive(500, note('answer'))
  clock.arrive(1500, note('later answer'))
  await clock.suspend(1000)
  expect(diary).toEqual(['0 answer'])
  expect(clock.wallNow() - wall).toBe(1000)
  await clock.advance(10)
  expect(diary).toEqual(['0 answer', '10 timer'])
  await clock.advance(490)
  expect(diary.at(-1)).toBe('500 later answer')
})

test('a wall clock that is set moves no timer and nothing else', async () => {
  const clock = new FakeClock({ startAt: 1000, wallStartAt: 1_000_000 })
  const diary: number[] = []
  clock.setTimeout(() => diary.push(clock.now()), 100)
  clock.setWall(-5000)
  expect([clock.now(), clock.wallNow()]).toEqual([1000, 995_000])
  await clock.advance(100)
  expect([diary, clock.wallNow()]).toEqual([[1100], 995_100])
})

test('lists what is pending, the next first, and counts what would hold the process open', async () => {
  const clock = new FakeClock({ stacks: true })
  clock.setTimeout(() => undefined, 30)
  clock.setTimeout(() => undefined, 10).ref()
  expect(clock.pending().map(({ dueIn, referenced }) => [dueIn, referenced])).toEqual([
    [10, true],
    [30, false],
  ])
  expect(clock.pending()[0]?.stack).toContain('fake-clock.test')
  expect(clock.counts()).toEqual({ timers: 2, referenced: 1, polls: 0 })
  await clock.advance(30)
  expect(clock.counts()).toEqual({ timers: 0, referenced: 0, polls: 0 })
})

test('clearing a timer that has fired, or twice, does nothing', async () => {
  const { clock, diary, note } = clockWithDiary()
  const fired = clock.setTimeout(note('fired'), 1)
  await clock.advance(1)
  const other = clock.setTimeout(note('other'), 1)
  clock.clearTimeout(fired)
  const cleared = clock.setTimeout(note('cleared'), 1)
  clock.clearTimeout(cleared)
  clock.clearTimeout(cleared)
  await clock.advance(1)
  expect(diary).toEqual(['1 fired', '2 other'])
  clock.clearTimeout(other)
})

test.each([Number.POSITIVE_INFINITY, Number.NaN, -1, 2 ** 31])('refuses a delay of %s, which Node would turn into 1 ms', (delay) => {
  expect(() => new FakeClock().setTimeout(() => undefined, delay)).toThrow(RangeError)
})

test('with wholeMilliseconds a timer fires up to 1 ms early, and never in the same instant', async () => {
  const { clock, diary, note } = clockWithDiary({ startAt: 1000, wholeMilliseconds: true })
  await clock.advance(0.75)
  clock.setTimeout(note('10.5 later'), 10.5)
  clock.setTimeout(note('0 later'), 0)
  await clock.advance(20)
  expect(diary).toEqual(['1 0 later', '10 10.5 later'])
})

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('refuses to let %d ms pass: it would never end, or go backwards', async (ms) => {
  const clock = new FakeClock()
  const renew = (): void => void clock.setTimeout(renew, 10)
  renew()
  for (const how of ['advance', 'sleep', 'suspend'] as const) await expect(clock[how](ms)).rejects.toThrow(`${ms} ms can't pass`)
  expect(clock.now()).toBe(1000)
})

test('refuses a time that is no number, for an arrival and for the patience of until', async () => {
  const clock = new FakeClock()
  const renew = (): void => void clock.setTimeout(renew, 10)
  renew()
  for (const delay of [Number.NaN, undefined as never]) expect(() => clock.arrive(delay, () => undefined)).toThrow(RangeError)
  await expect(clock.until(new Promise(() => undefined), Number.NaN)).rejects.toThrow('not settled within NaN ms')
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses to start at %d, or to have its wall clock set by it', (ms) => {
  expect(() => new FakeClock({ startAt: ms })).toThrow(`startAt: got ${ms}`)
  expect(() => new FakeClock({ wallStartAt: ms })).toThrow(`wallStartAt: got ${ms}`)
  expect(() => new FakeClock().setWall(ms)).toThrow(`ms: got ${ms}`)
})

test('until goes on to the moment a promise settles, and passes on how', async () => {
  const clock = new FakeClock()
  const after = (ms: number) => new Promise<string>((resolve) => clock.setTimeout(() => resolve('here'), ms))
  expect(await clock.until(after(250))).toBe('here')
  expect(clock.now()).toBe(1250)
  await expect(clock.until(Promise.reject(new Error('no')))).rejects.toThrow('no')
  await expect(clock.until(after(200), 100)).rejects.toThrow('not settled within 100 ms')
  await expect(clock.until(new Promise(() => undefined))).rejects.toThrow('not settled')
})

test('calls onStep after each callback, when what it set off has settled', async () => {
  const { clock, diary, note } = clockWithDiary()
  clock.onStep = note('step')
  clock.setTimeout(() => void Promise.resolve().then(note('promise')), 1)
  clock.setTimeout(note('timer'), 2)
  await clock.advance(2)
  expect(diary).toEqual(['1 promise', '1 step', '2 timer', '2 step'])
})

test('refuses to be advanced while it is going', async () => {
  const clock = new FakeClock()
  const first = clock.advance(10)
  await expect(clock.advance(10)).rejects.toThrow('going already')
  await first
  expect(clock.now()).toBe(1010)
})
