import { describe, expect, test } from 'vitest'
import { copyError, maskSecrets } from '../../src/engine/redact.ts'
import { fail, ok } from '../../src/testing/index.ts'
import { setUp, track } from './set-up.ts'

const SECRET = 'hunter2-of-the-west'
/** The message of an error that has none. */
const NONE = ''

describe('maskSecrets', () => {
  test.each([
    ['password hunter2-of-the-west refused', 'password *** refused'],
    ['hunter2-of-the-west, hunter2-of-the-west', '***, ***'],
    ['postgres://app:pa55word@db.example:5432/orders', 'postgres://app:***@db.example:5432/orders'],
    ['cannot reach redis+tls://:pa55word@cache', 'cannot reach redis+tls://:***@cache'],
    ['http://example.org/a:b@c', 'http://example.org/a:b@c'],
    ['nothing to hide', 'nothing to hide'],
  ])('%s', (text, expected) => {
    expect(maskSecrets(text, [SECRET])).toBe(expected)
  })

  test('takes a secret for text, not for a pattern, and an empty one for none', () => {
    expect(maskSecrets('a.c abc', ['a.c', ''])).toBe('*** abc')
  })
})

describe('copyError', () => {
  test('keeps name, message, code and stack, secrets masked, and nothing else', () => {
    const error = Object.assign(new TypeError(`no ${SECRET}`), { code: `E_${SECRET}`, config: { password: SECRET }, cause: SECRET })
    const copy = copyError(error, [SECRET])
    expect(copy).toBeInstanceOf(Error)
    expect(copy).not.toBe(error)
    expect(copy).toMatchObject({ name: 'TypeError', message: 'no ***', code: 'E_***' })
    expect(copy.stack).toContain('redact.test.ts')
    expect(Object.getOwnPropertyNames(copy).sort()).toEqual(['code', 'message', 'name', 'stack'])
    expect(`${copy.stack} ${JSON.stringify(copy)}`).not.toContain(SECRET)
  })

  test.each([['a text'], [undefined], [null], [5], [{ password: SECRET }], [Symbol('x')]])('makes an Error of %s', (thrown) => {
    const copy = copyError(thrown, [SECRET])
    expect(copy).toBeInstanceOf(Error)
    expect(copy.message.length).toBeGreaterThan(0)
    expect(copy.message).not.toContain(SECRET)
  })

  test('says of an error without a message what its parts say, or its code, or at least its name', () => {
    const refused = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:5432 (${SECRET})`))
    const several = Object.assign(new AggregateError(refused, NONE), { code: 'ECONNREFUSED' })
    const copy = copyError(several, [SECRET])
    expect(copy.message).toBe('connect ECONNREFUSED ::1:5432 (***); connect ECONNREFUSED 127.0.0.1:5432 (***)')
    expect(copy).toMatchObject({ name: 'AggregateError', code: 'ECONNREFUSED' })
    expect(copyError(Object.assign(new Error(NONE), { code: 'EPIPE' }), []).message).toBe('EPIPE')
    expect(copyError(new Error(NONE), []).message).toBe('Error')
  })

  test('survives an error whose properties throw', () => {
    const error = new Error('x')
    Object.defineProperty(error, 'message', {
      get: () => {
        throw new Error('no message for you')
      },
    })
    expect(copyError(error, [])).toBeInstanceOf(Error)
  })
})

describe('nothing that leaves the pool holds a secret', () => {
  /** Whatever can be seen of a value: its own properties and its causes. */
  const seen = (value: unknown, depth = 0): string => {
    if (depth > 6 || value === null || value === undefined) return ''
    if (typeof value !== 'object') return String(value)
    const names = Object.getOwnPropertyNames(value)
    return names.map((name) => seen((value as Record<string, unknown>)[name], depth + 1)).join(' ')
  }

  test('no event, log, error or result, whatever fails', async () => {
    const log: unknown[] = []
    const write = (facts: unknown, text?: string): void => void log.push(facts, text)
    const leaky = (): Error =>
      Object.assign(new Error(`cannot do it with ${SECRET} at fake://me:${SECRET}@host`), { cause: SECRET, config: { password: SECRET } })
    const { client, clock, driver, pool, start } = setUp({
      minConnections: 1,
      maxConnections: 2,
      healthCheckInterval: 1000,
      logger: { debug: write, info: write, warn: write, error: write } as never,
      driver: { secrets: () => [SECRET] },
    })
    driver.next('connect', fail(leaky()), fail(leaky()))
    const outcomes: unknown[] = []
    const note = (promise: Promise<unknown>): void =>
      void promise.then(
        (value) => outcomes.push(value),
        (error) => outcomes.push(error),
      )
    note(pool.acquire({ timeout: 1 }))
    await start()
    driver.next('check', fail(leaky()), fail(leaky()), fail(leaky()))
    await clock.advance(5000)
    driver.next('check', fail(leaky()))
    note(pool.rebuildConnectionById(pool.connections()[0]?.id as string))
    await clock.advance(50)
    const use = track(pool.use(() => new Promise(() => {})))
    await clock.advance(100)
    for (let id = 1; id <= driver.ledger.clients.length; id++) driver.lose(client(id), leaky())
    await clock.advance(100)
    outcomes.push(use.error)
    driver.next('reset', fail(leaky()))
    note(pool.use(() => 'fine'))
    driver.always('connect', ok(1))
    await clock.advance(1000)

    expect(log.length).toBeGreaterThan(20)
    expect(outcomes.length).toBeGreaterThanOrEqual(4)
    expect(use.error).toMatchObject({ code: 'CONNECTION_LOST' })
    expect(`${log.map((entry) => seen(entry)).join('\n')}`).not.toContain(SECRET)
    expect(`${outcomes.map((entry) => seen(entry)).join('\n')}`).not.toContain(SECRET)
    expect(seen(pool.stats()) + seen(pool.connections())).not.toContain(SECRET)
  })
})
