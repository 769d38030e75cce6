import { describe, expectTypeOf, test } from 'vitest'
import { type CheckContext, type ConnectContext, createPool, type Driver, defineDriver, type Pool, type Watcher } from 'wellpool'

interface Session {
  send(text: string): Promise<string>
  end(): void
}

declare function open(signal: AbortSignal): Promise<Session>

const required = {
  protocol: 'chat',
  connect: ({ signal }: ConnectContext) => open(signal),
  check: (session: Session) => session.send('ping'),
  close: (session: Session) => session.end(),
  destroy: (session: Session) => session.end(),
}

describe('defineDriver', () => {
  test('infers the client from connect and gives it to every other hook', () => {
    const driver = defineDriver({
      protocol: 'chat',
      connect: ({ signal, connectionId, attempt }) => {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        expectTypeOf(connectionId).toEqualTypeOf<string>()
        expectTypeOf(attempt).toEqualTypeOf<number>()
        return open(signal)
      },
      check: (session, context) => {
        expectTypeOf(session).toEqualTypeOf<Session>()
        expectTypeOf(context).toEqualTypeOf<CheckContext>()
      },
      close: (session) => expectTypeOf(session).toEqualTypeOf<Session>(),
      destroy: (session) => {
        expectTypeOf(session).toEqualTypeOf<Session>()
      },
      reset: (session) => expectTypeOf(session).toEqualTypeOf<Session>(),
      watch: (session, watcher) => {
        expectTypeOf(session).toEqualTypeOf<Session>()
        expectTypeOf(watcher).toEqualTypeOf<Watcher>()
      },
      secondOpinion: async (session, other) => {
        expectTypeOf(session).toEqualTypeOf<Session>()
        expectTypeOf(other).toEqualTypeOf<Session>()
        return 'unknown'
      },
      classify: (error) => {
        expectTypeOf(error).toBeUnknown()
        return 'transient'
      },
      defaults: { maxConnections: 2 },
      maxLeasesPerConnection: 100,
    })
    expectTypeOf(driver).toEqualTypeOf<Driver<Session>>()
  })

  test('gives createPool the client', () => {
    expectTypeOf(createPool(defineDriver(required))).toEqualTypeOf<Pool<Session>>()
  })

  test('takes hooks that are async or not', () => {
    expectTypeOf(defineDriver({ ...required, check: async () => undefined, close: async () => undefined })).toEqualTypeOf<Driver<Session>>()
    expectTypeOf(defineDriver({ ...required, check: () => undefined, reset: () => undefined })).toEqualTypeOf<Driver<Session>>()
  })
})

describe('a wrong driver does not compile', () => {
  test('without a required hook', () => {
    const { destroy, ...rest } = required
    // @ts-expect-error: destroy is missing
    defineDriver(rest)
    expectTypeOf(destroy).toBeFunction()
  })

  test('with a connect that gives no promise', () => {
    // @ts-expect-error: connecting takes time
    defineDriver({ ...required, connect: () => ({}) as Session })
  })

  test('with a hook for another client', () => {
    // @ts-expect-error: connect gives a Session
    defineDriver({ ...required, reset: (socket: { rewind(): void }) => socket.rewind() })
  })

  test('with an unknown hook', () => {
    // @ts-expect-error: no such hook
    defineDriver({ ...required, validate: () => true })
  })

  test('with a class of errors or an opinion that does not exist', () => {
    // @ts-expect-error: no such class
    defineDriver({ ...required, classify: () => 'severe' })
    // @ts-expect-error: no such opinion
    defineDriver({ ...required, secondOpinion: async () => 'dead' })
  })

  test('with defaults that are no options', () => {
    // @ts-expect-error: no such option
    defineDriver({ ...required, defaults: { max: 5 } })
  })
})
