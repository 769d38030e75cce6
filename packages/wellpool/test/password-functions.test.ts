import { describe, expect, it } from 'vitest'
import { amqp } from '../src/drivers/amqp.ts'
import { mysql } from '../src/drivers/mysql.ts'
import { postgres } from '../src/drivers/postgres.ts'
import { redis } from '../src/drivers/redis.ts'
import { ConfigError, type Driver } from '../src/index.ts'
import type { Password } from '../src/shared/password.ts'

// No server is needed: who is asked for a password is asked before there is a socket. SSH asks later: ssh.test.ts.
describe.each<[string, (options: { password: Password }) => Driver<unknown>]>([
  ['amqp', (options) => amqp(options) as Driver<unknown>],
  ['mysql', (options) => mysql(options) as Driver<unknown>],
  ['postgres', (options) => postgres(options) as Driver<unknown>],
  ['redis', (options) => redis(options) as Driver<unknown>],
])('a function that is asked for the password of %s', (_, make) => {
  const failureOf = async (password: unknown) => {
    const driver = make({ password: password as Password })
    const context = { signal: new AbortController().signal, connectionId: 'c', attempt: 1 }
    const error: unknown = await driver.connect(context).then(
      () => 'connected',
      (reason: unknown) => reason,
    )
    return { error, meaning: driver.classify?.(error) }
  }

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [4711, 'a number'],
    [Buffer.from('x'), 'an object'],
  ])('and returns %o is a mistake that no further try mends', async (returned, given) => {
    const { error, meaning } = await failureOf(async () => returned)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({
      message: `wrong option: password: got a function that returned ${given}, allowed is a function that returns a text`,
    })
    expect(meaning).toBe('fatal')
  })

  it.each([
    ['a vault that is sealed', new Error('the vault is sealed')],
    ['a vault that hung up', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })],
  ])('and meets %s may be asked again soon', async (_, failure) => {
    expect(await failureOf(() => Promise.reject(failure))).toEqual({ error: failure, meaning: 'transient' })
  })
})
