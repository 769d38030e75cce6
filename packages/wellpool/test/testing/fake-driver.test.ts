import { describe, expect, test } from 'vitest'
import {
  createFakeDriver,
  FakeClock,
  type FakeDriverOptions,
  fail,
  type HeldCall,
  hang,
  noMishaps,
  ok,
  randomBehaviour,
} from '../../src/testing/index.ts'

function setUp(options: Omit<FakeDriverOptions, 'clock'> = {}) {
  const clock = new FakeClock()
  const driver = createFakeDriver({ clock, ...options })
  const connect = (signal: AbortSignal = new AbortController().signal) => driver.connect({ signal, connectionId: 'c-1', attempt: 1 })
  const connected = () => clock.until(connect())
  const context = { signal: new AbortController().signal }
  return { clock, driver, connect, connected, context, ledger: driver.ledger }
}

/** How a promise stands after all that can settle has settled. */
async function outcomeOf(clock: FakeClock, promise: unknown): Promise<string> {
  let outcome = 'pending'
  Promise.resolve(promise).then(
    (value) => {
      outcome = value === undefined ? 'fulfilled' : `fulfilled: ${String(value)}`
    },
    (error: unknown) => {
      outcome = `rejected: ${(error as Error).message}`
    },
  )
  await clock.settle()
  return outcome
}

describe('connect', () => {
  test('counts as open from its beginning, then its client does', async () => {
    const { clock, connect, ledger } = setUp({ connectMs: 5 })
    const promise = connect()
    expect([ledger.open, ledger.connecting]).toEqual([1, 1])
    await clock.advance(5)
    const client = await promise
    expect([ledger.open, ledger.connecting]).toEqual([1, 0])
    expect(client).toMatchObject({ id: 1, connectionId: 'c-1' })
    expect(ledger.present().map((life) => life.client)).toEqual([client])
    expect(ledger.connects).toMatchObject([{ connectionId: 'c-1', attempt: 1, begunAt: 1000, settledAt: 1005 }])
  })

  test('follows its script, then goes well again', async () => {
    const { clock, driver, connect, ledger } = setUp({ connectMs: 1 })
    driver.next('connect', fail(new Error('refused'), 2), { do: 'throw', error: new Error('at once') })
    expect(driver.undrained()).toEqual(['connect: 2'])
    await expect(clock.until(connect())).rejects.toThrow('refused')
    expect(() => connect()).toThrow('at once')
    expect(ledger.open).toBe(0)
    expect((await clock.until(connect())).id).toBe(1)
    expect(driver.undrained()).toEqual([])
    expect(ledger.maxOpen).toBe(1)
  })

  test('rejects with the reason when its signal is aborted, and is no longer open', async () => {
    const { clock, connect, ledger } = setUp()
    const controller = new AbortController()
    const promise = connect(controller.signal)
    controller.abort(new Error('given up'))
    expect(ledger.open).toBe(0)
    expect(await outcomeOf(clock, promise)).toBe('rejected: given up')
    expect(ledger.connects[0]).toMatchObject({ givenUpAt: 1000 })
  })

  test('brings a stray when it ignores its signal: not open, but present until it is destroyed', async () => {
    const { clock, driver, connect, ledger } = setUp()
    driver.next('connect', { do: 'fulfil', afterMs: 10, ignoreAbort: true })
    const controller = new AbortController()
    const promise = connect(controller.signal)
    controller.abort()
    await clock.advance(10)
    const client = await promise
    expect(client.life.stray).toBe(true)
    expect([ledger.open, ledger.present().length]).toEqual([0, 1])
    driver.destroy(client)
    expect([ledger.present().length, ledger.problems()]).toEqual([0, []])
  })

  test('can bring nothing, or a client that is present already', async () => {
    const { clock, driver, connect, connected, ledger } = setUp()
    const client = await connected()
    driver.next('connect', { do: 'fulfil', client: 'none' }, { do: 'fulfil', client: 'present' })
    expect(await clock.until(connect())).toBeUndefined()
    expect(await clock.until(connect())).toBe(client)
    expect([ledger.open, ledger.clients.length]).toEqual([1, 1])
  })

  test('can settle twice', async () => {
    const { clock, driver, ledger } = setUp()
    driver.next('connect', { do: 'twice', afterMs: 3 })
    const calls: string[] = []
    const thenable = driver.connect({ signal: new AbortController().signal, connectionId: 'c-1', attempt: 1 })
    thenable.then(
      () => calls.push('fulfilled'),
      () => calls.push('rejected'),
    )
    await clock.advance(3)
    expect(calls).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(ledger.open).toBe(1)
  })
})

describe('check', () => {
  test('fulfils, rejects, throws, hangs, or ends with its signal', async () => {
    const { clock, driver, connected, context } = setUp({ checkMs: 1 })
    const client = await connected()
    driver.next('check', ok(), fail(new Error('bad')), { do: 'throw', error: new Error('worse') }, hang(), hang(), {
      do: 'hang',
      ignoreAbort: false,
    })
    expect(await outcomeOf(clock, driver.check(client, context))).toBe('fulfilled')
    expect(await outcomeOf(clock, driver.check(client, context))).toBe('rejected: bad')
    expect(() => driver.check(client, context)).toThrow('worse')
    expect(await outcomeOf(clock, driver.check(client, context))).toBe('pending')
    const aborted = { signal: AbortSignal.abort(new Error('enough')) }
    expect(await outcomeOf(clock, driver.check(client, aborted))).toBe('pending')
    expect(await outcomeOf(clock, driver.check(client, aborted))).toBe('rejected: enough')
    expect(client.life.checks).toBe(6)
  })

  test('can be held until the test ends it', async () => {
    const settled: string[] = []
    const { clock, driver, connected, context } = setUp({
      onSettled: ({ hook, client }, how) => settled.push(`${hook} ${client?.id} ${how}`),
    })
    const client = await connected()
    const held: HeldCall[] = []
    for (const _ of [1, 2, 3]) driver.next('check', { do: 'held', take: (end) => held.push(end) })
    const [first, second] = [driver.check(client, context), driver.check(client, context) as Promise<void>]
    second.catch(() => undefined)
    expect(await outcomeOf(clock, first)).toBe('pending')
    held[0]?.fulfil()
    held[0]?.reject(new Error('too late'))
    held[1]?.reject(new Error('refused'))
    expect(await outcomeOf(clock, first)).toBe('fulfilled')
    expect(await outcomeOf(clock, second)).toBe('rejected: refused')
    expect(await outcomeOf(clock, driver.check(client, { signal: AbortSignal.abort(new Error('enough')) }))).toBe('rejected: enough')
    expect(settled).toEqual(['connect undefined fulfilled', 'check 1 fulfilled', 'check 1 rejected', 'check 1 rejected'])
  })

  test('can depend on the call', async () => {
    const { clock, driver, connected, context } = setUp()
    const [first, second] = [await connected(), await connected()]
    driver.always('check', ({ client }) => (client === second ? hang() : ok()))
    expect(await outcomeOf(clock, driver.check(first, context))).toBe('fulfilled')
    expect(await outcomeOf(clock, driver.check(second, context))).toBe('pending')
  })
})

describe('close and destroy', () => {
  test('a client stays open until its close has fulfilled', async () => {
    const { clock, driver, connected, ledger } = setUp({ closeMs: 4 })
    const client = await connected()
    void driver.close(client)
    expect(ledger.open).toBe(1)
    await clock.advance(4)
    expect([ledger.open, client.life.closedAt]).toEqual([0, clock.now()])
    expect(ledger.problems()).toEqual([])
  })

  test('a client whose close failed or hangs stays open until it is destroyed', async () => {
    const { clock, driver, connected, ledger } = setUp()
    const [failing, hanging] = [await connected(), await connected()]
    driver.next('close', fail(new Error('no goodbye')), hang())
    expect(await outcomeOf(clock, driver.close(failing))).toBe('rejected: no goodbye')
    void driver.close(hanging)
    expect(ledger.open).toBe(2)
    driver.destroy(failing)
    driver.destroy(hanging)
    expect([ledger.open, ledger.problems()]).toEqual([0, []])
  })

  test('destroy may be scripted to throw, and the client is gone all the same', async () => {
    const { driver, connected, ledger } = setUp()
    const client = await connected()
    driver.next('destroy', { do: 'throw', error: new Error('oh') })
    expect(() => driver.destroy(client)).toThrow('oh')
    expect([ledger.open, client.life.destroyedAt]).toEqual([0, 1005])
  })
})

describe('the ledger finds', () => {
  test.each<[string, (world: ReturnType<typeof setUp>) => Promise<void>]>([
    [
      'destroyed twice',
      async ({ driver, connected }) => {
        const client = await connected()
        driver.destroy(client)
        driver.destroy(client)
      },
    ],
    [
      'close of client 1 after close',
      async ({ driver, connected }) => {
        const client = await connected()
        void driver.close(client)
        void driver.close(client)
      },
    ],
    [
      'although its close has succeeded',
      async ({ clock, driver, connected }) => {
        const client = await connected()
        void driver.close(client)
        await clock.advance(1)
        driver.destroy(client)
      },
    ],
    [
      'check of client 1 after destroy',
      async ({ driver, connected, context }) => {
        const client = await connected()
        driver.destroy(client)
        void driver.check(client, context)
      },
    ],
    [
      'reset of client 1 after close',
      async ({ driver, connected }) => {
        const client = await connected()
        void driver.close(client)
        driver.reset?.(client)
      },
    ],
    [
      'watched twice',
      async ({ driver, connected }) => {
        const client = await connected()
        driver.watch?.(client, { lost: () => undefined, retire: () => undefined })
        driver.watch?.(client, { lost: () => undefined, retire: () => undefined })
      },
    ],
    [
      'closed while anna uses it',
      async ({ driver, connected, ledger }) => {
        const client = await connected()
        ledger.lease(client, 'anna')
        void driver.close(client)
      },
    ],
    [
      'has 2 leases: anna, ben',
      async ({ connected, ledger }) => {
        const client = await connected()
        ledger.lease(client, 'anna')
        ledger.lease(client, 'ben')
      },
    ],
    [
      'handed to anna after its end',
      async ({ driver, connected, ledger }) => {
        const client = await connected()
        driver.destroy(client)
        ledger.lease(client, 'anna')
      },
    ],
    [
      'whose connect had been given up',
      async ({ clock, driver, connect, context }) => {
        driver.next('connect', { do: 'fulfil', afterMs: 1, ignoreAbort: true })
        const controller = new AbortController()
        const promise = connect(controller.signal)
        controller.abort()
        void driver.check(await clock.until(promise), context)
      },
    ],
    [
      'began with a signal that was aborted',
      async ({ clock, connect }) => {
        await outcomeOf(clock, connect(AbortSignal.abort()))
      },
    ],
  ])('%s', async (problem, story) => {
    const world = setUp()
    await story(world)
    expect(world.ledger.problems().join('\n')).toContain(problem)
    expect(world.ledger.problems()).toHaveLength(1)
  })

  test('nothing wrong with a life as it should be', async () => {
    const { clock, driver, connected, context, ledger } = setUp({ maxLeasesPerConnection: 2 })
    const client = await connected()
    ledger.lease(client, 'anna')
    ledger.lease(client, 'ben')
    ledger.release(client, 'anna')
    ledger.release(client, 'ben')
    driver.reset?.(client)
    await clock.until(driver.check(client, context) as Promise<unknown>)
    void driver.close(client)
    await clock.advance(1)
    expect([ledger.open, ledger.problems()]).toEqual([0, []])
  })
})

describe('the driver as a whole', () => {
  test('has the optional hooks that it was asked for', () => {
    expect(Object.keys(setUp().driver)).toEqual(expect.arrayContaining(['watch', 'reset']))
    const bare = setUp({ hooks: [] }).driver
    expect([bare.watch, bare.reset, bare.ref, bare.unref, bare.secondOpinion, bare.classify]).toEqual(Array(6).fill(undefined))
    const full = setUp({ hooks: ['ref', 'reset', 'secondOpinion', 'watch'], classify: () => 'fatal' }).driver
    for (const hook of [full.watch, full.reset, full.ref, full.unref, full.secondOpinion, full.classify])
      expect(hook).toBeTypeOf('function')
  })

  test.each(['watch', 'ref', 'unref'] as const)('hands over what %s is scripted to return, a promise that rejects too', async (hook) => {
    const { clock, driver, connected } = setUp({ hooks: ['watch', 'ref'] })
    const client = await connected()
    driver.next(hook, fail(new Error('no')))
    expect(await outcomeOf(clock, driver[hook]?.(client, { lost: () => undefined, retire: () => undefined }))).toBe('rejected: no')
  })

  test('reports lost and retire through what watch was given, from inside watch too', async () => {
    const { driver, connected } = setUp()
    const heard: string[] = []
    const watcher = {
      lost: (error?: unknown) => heard.push(`lost ${String(error)}`),
      retire: (detail?: string) => heard.push(`retire ${detail}`),
    }
    driver.always('watch', (call) => {
      call.watcher?.retire('from inside')
      return { do: 'return' }
    })
    const client = await connected()
    driver.lose(client, 'before it is watched')
    driver.watch?.(client, watcher)
    driver.lose(client, 'socket closed')
    driver.lose(client, 'again')
    driver.retire(client, 'going away')
    expect(heard).toEqual(['retire from inside', 'lost socket closed', 'lost again', 'retire going away'])
  })

  test('tells of every call, and second opinions answer what they are told to', async () => {
    const calls: string[] = []
    const { clock, driver, connected, context } = setUp({
      hooks: ['secondOpinion'],
      onCall: ({ hook, client }) => calls.push(`${hook} ${client?.id}`),
    })
    const [first, second] = [await connected(), await connected()]
    driver.next('secondOpinion', ok(2, 'gone'))
    const ask = () => clock.until(driver.secondOpinion?.(first, second, { ...context, limit: 100 }) as Promise<string>)
    expect([await ask(), await ask()]).toEqual(['gone', 'unknown'])
    expect(calls).toEqual(['connect undefined', 'connect undefined', 'secondOpinion 1', 'secondOpinion 1'])
  })

  test('behaves randomly, and the same way for the same random numbers', async () => {
    const play = async () => {
      const { clock, driver, connected } = setUp()
      const client = await connected()
      let state = 1
      const random = () => {
        state = (state * 48_271) % 2_147_483_647
        return state / 2_147_483_647
      }
      driver.always(
        'check',
        randomBehaviour(random, { ...noMishaps(4), reject: 0.2, throw: 0.1, hang: 0.1, slow: 0.1, late: 0.1, twice: 0.1 }),
      )
      const outcomes: string[] = []
      for (let index = 0; index < 200; index++) {
        try {
          Promise.resolve(driver.check(client, { signal: new AbortController().signal })).then(
            () => outcomes.push(`${index} fulfilled at ${clock.now()}`),
            () => outcomes.push(`${index} rejected at ${clock.now()}`),
          )
        } catch {
          outcomes.push(`${index} threw`)
        }
      }
      await clock.advance(1000)
      return outcomes
    }
    const first = await play()
    expect(await play()).toEqual(first)
    for (const kind of ['fulfilled', 'rejected', 'threw']) expect(first.some((outcome) => outcome.includes(kind))).toBe(true)
    expect(first.length).toBeLessThan(200)
  })
})
