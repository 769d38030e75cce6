import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { PGBOUNCER, startPgBouncer } from '@wellpool/servers'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type PostgresOptions, postgres } from '../../src/drivers/postgres.ts'
import type { Driver } from '../../src/engine/driver.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeWith } from '../support/describe-if.ts'
import { describeOwnPostgres, describePostgres, startPostgres } from '../support/postgres.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/tls.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })

/** Waits for what has no event, such as the end of a server's process. The test's time-out is the limit. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(5)
}

await describePostgres('postgres()', (url) => {
  const { hostname: host, port, username: user, password, pathname } = new URL(url)
  const database = pathname.slice(1)
  const address = { host, port: Number(port), user, database } as const

  let admin: pg.Client
  let proxy: FaultProxy
  let opened: [Driver<pg.Client>, pg.Client][]

  /** A client of a driver with these options, beside the address. */
  const open = async (options: PostgresOptions = {}, driver = postgres({ ...address, password, ...options })) => {
    const client = await driver.connect(context())
    opened.push([driver, client])
    return { driver, client }
  }
  /** The driver for the server behind the proxy. */
  const proxied = (options: PostgresOptions = {}) => postgres({ ...address, host: proxy.host, port: proxy.port, password, ...options })
  /** How many sessions of that name the server has. */
  const sessions = async (name: string): Promise<number> =>
    (await admin.query('select from pg_stat_activity where application_name = $1', [name])).rowCount ?? 0
  const pidOf = (client: pg.Client): number => (client as unknown as { processID: number }).processID
  const terminate = (client: pg.Client) => admin.query('select pg_terminate_backend($1)', [pidOf(client)])
  const show = async (client: pg.Client, name: string): Promise<string> => (await client.query(`show ${name}`)).rows[0][name]

  beforeAll(async () => {
    admin = new pg.Client(url)
    await admin.connect()
  })

  afterAll(() => admin.end())

  beforeEach(async () => {
    opened = []
    proxy = await FaultProxy.start({ host, port: Number(port) })
  })

  afterEach(async () => {
    for (const [driver, client] of opened) driver.destroy(client)
    await proxy.close()
  })

  describe('options', () => {
    it('set the session up', async () => {
      const { client } = await open({
        applicationName: 'orders',
        options: '-c search_path=app',
        statementTimeout: '7s',
        lockTimeout: 8,
        idleInTransactionTimeout: '1m',
      })
      expect(await show(client, 'application_name')).toBe('orders')
      expect(await show(client, 'search_path')).toBe('app')
      expect(await show(client, 'statement_timeout')).toBe('7s')
      expect(await show(client, 'lock_timeout')).toBe('8ms')
      expect(await show(client, 'idle_in_transaction_session_timeout')).toBe('1min')
    })

    it('turn a time-out off that the server has set', async () => {
      await admin.query(`alter database ${database} set statement_timeout = '9s'`)
      try {
        expect(await show((await open()).client, 'statement_timeout')).toBe('9s')
        expect(await show((await open({ statementTimeout: 0 })).client, 'statement_timeout')).toBe('0')
      } finally {
        await admin.query(`alter database ${database} reset statement_timeout`)
      }
    })

    it('name the session wellpool unless told otherwise', async () => {
      expect(await show((await open()).client, 'application_name')).toBe('wellpool')
    })

    it('end a query of pg that takes too long, and the session is in doubt', async () => {
      const { driver, client } = await open({ queryTimeout: 20 })
      const error = await client.query('select pg_sleep(10)').catch((reason: unknown) => reason)
      expect(error).toMatchObject({ message: 'Query read timeout' })
      expect(driver.classify?.(error)).toBe('transient')
    })

    it('parse values as asked', async () => {
      const { client } = await open({ types: { getTypeParser: () => (value: string) => `<${value}>` } as unknown as pg.CustomTypesConfig })
      expect((await client.query('select 1 as n')).rows).toEqual([{ n: '<1>' }])
    })

    it('take a connection string', async () => {
      const { client } = await open({}, postgres({ connectionString: url }))
      expect((await client.query('select current_database() as name')).rows).toEqual([{ name: database }])
    })

    it('keep TCP alive', async () => {
      const keepAlive = vi.spyOn((await import('node:net')).Socket.prototype, 'setKeepAlive')
      await open({ keepAliveDelay: '12s' })
      expect(keepAlive).toHaveBeenCalledWith(true, 12_000)
    })
  })

  describe('password', () => {
    it('is asked for at each connect when it is a function', async () => {
      const given = vi.fn(async () => password)
      const driver = postgres({ ...address, password: given })
      await open({}, driver)
      await open({}, driver)
      expect(given).toHaveBeenCalledTimes(2)
    })

    it('may stand beside a connection string without one', async () => {
      const connectionString = `postgres://${user}@${host}:${port}/${database}`
      await open({}, postgres({ connectionString, password }))
      await open({}, postgres({ connectionString, password: () => password }))
    })

    it('fails the connect when the function fails, and may be tried again soon', async () => {
      const failure = new Error('the vault is sealed')
      const failing = postgres({ ...address, password: () => Promise.reject(failure) })
      await expect(failing.connect(context())).rejects.toBe(failure)
      expect(failing.classify?.(failure)).toBe('transient')
    })

    it('does not hold a connect that is aborted, and is told of it', async () => {
      const controller = new AbortController()
      let seen: AbortSignal | undefined
      const driver = postgres({
        ...address,
        password: ({ signal }) => {
          seen = signal
          return new Promise(() => {})
        },
      })
      const connecting = driver.connect(context(controller.signal))
      const reason = new Error('given up')
      controller.abort(reason)
      await expect(connecting).rejects.toBe(reason)
      expect(seen?.aborted).toBe(true)
    })

    it('shows in no error, and every one that was used is known to be masked', async () => {
      const wrong = ['first/try', 'second']
      const driver = postgres({ ...address, password: () => wrong[0] as string })
      const errors: unknown[] = []
      errors.push(await driver.connect(context()).catch((error: unknown) => error))
      wrong.shift()
      errors.push(await driver.connect(context()).catch((error: unknown) => error))
      expect(errors.map((error) => driver.classify?.(error))).toEqual(['fatal', 'fatal'])
      expect(inspect(errors, { depth: 9 })).not.toMatch(/first\/try|second/)
      expect(driver.secrets?.()).toEqual(['first%2Ftry', 'first/try', 'second'])
    })

    it('is known to be masked wherever it was found', () => {
      expect(postgres({ connectionString: 'postgres://me:a%40b@host/db' }).secrets?.()).toEqual(['a%40b', 'a@b'])
      expect(postgres({ password: 'x', ssl: { key: 'PEM', passphrase: 'pass phrase' } }).secrets?.()).toEqual([
        'pass%20phrase',
        'pass phrase',
        'PEM',
        'x',
      ])
    })

    it('is remembered for a hundred different ones, the latest', async () => {
      let count = 0
      await proxy.refuse()
      const driver = proxied({ password: () => `token ${count}` })
      for (; count < 120; count++) await driver.connect(context()).catch(() => {})
      const secrets = driver.secrets?.() ?? []
      expect(secrets).toContain('token 119')
      expect(secrets).toContain('token 20')
      expect(secrets).not.toContain('token 19')
    })
  })

  describe('onConnect', () => {
    it('sets the session up before anybody gets it', async () => {
      const { driver, client } = await open({ onConnect: (session) => session.query('set search_path = app') })
      expect(await show(client, 'search_path')).toBe('app')
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('fails the connect when it rejects or throws, and nothing is left', async () => {
      const failure = new Error('not this one')
      for (const onConnect of [
        () => Promise.reject(failure),
        () => {
          throw failure
        },
      ]) {
        const driver = proxied({ applicationName: 'rejected', onConnect })
        await expect(driver.connect(context())).rejects.toBe(failure)
      }
      await proxy.until((flows) => flows.length === 0)
      await until(async () => (await sessions('rejected')) === 0)
    })

    it('is hopeless when its statement is wrong, and worth another try when the server is in trouble', async () => {
      const broken = postgres({ ...address, password, onConnect: (client) => client.query('selekt') })
      const error = await broken.connect(context()).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: '42601' })
      expect(broken.classify?.(error)).toBe('fatal')

      const slow = postgres({ ...address, password, statementTimeout: 20, onConnect: (client) => client.query('select pg_sleep(9)') })
      const late = await slow.connect(context()).catch((reason: unknown) => reason)
      expect(late).toMatchObject({ code: '57014' })
      expect(slow.classify?.(late)).toBe('transient')
    })
  })

  describe('connect', () => {
    it('does nothing when it is aborted before it begins', async () => {
      const reason = new Error('too late')
      await expect(proxied().connect(context(AbortSignal.abort(reason)))).rejects.toBe(reason)
      expect(proxy.flows()).toEqual([])
    })

    it('that is aborted while it logs in, or in onConnect, leaves no socket and no session', async () => {
      const slow = proxied({ applicationName: 'aborted', onConnect: (client) => client.query('select pg_sleep(0.2)') })
      const quick = proxied({ applicationName: 'aborted' })
      proxy.inject({ kind: 'latency', ms: 2, jitter: 3 })
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const controller = new AbortController()
          const connecting = (index % 4 === 0 ? slow : quick).connect(context(controller.signal))
          await delay(index)
          const reason = new Error(`abort ${index}`)
          controller.abort(reason)
          // Who was quicker than the abort is closed by hand: a client that is resolved is the caller's.
          return connecting.then(
            (client) => {
              quick.destroy(client as pg.Client)
              return 'connected'
            },
            (error: unknown) => (error === reason ? 'aborted' : error),
          )
        }).map((outcome) => outcome.catch(() => 'foreign')),
      )
      expect(outcomes.filter((outcome) => outcome !== 'aborted' && outcome !== 'connected')).toEqual([])
      expect(outcomes.filter((outcome) => outcome === 'aborted').length).toBeGreaterThan(10)
      await proxy.until((flows) => flows.length === 0)
      await until(async () => (await sessions('aborted')) === 0)
    })

    it.each([
      ['a wrong password', { password: 'wrong' }, '28P01', 'fatal'],
      ['a user that does not exist', { user: 'nobody_here' }, '28P01', 'fatal'],
      ['a database that does not exist', { database: 'nowhere' }, '3D000', 'fatal'],
      ['a setting that does not exist', { options: '-c no_such_setting=1' }, '42704', 'fatal'],
      ['a setting with a wrong value', { options: '-c work_mem=lots' }, '22023', 'fatal'],
    ] as const)('with %s is hopeless', async (_, options, code, meaning) => {
      const driver = postgres({ ...address, password, ...options })
      const error = await driver.connect(context()).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code })
      expect(driver.classify?.(error)).toBe(meaning)
      // The same answer in the middle of a session would be the application's affair.
      expect(driver.classify?.(Object.assign(new Error('x'), { code, severity: 'ERROR' }))).toBe('application')
    })

    it('without a password where the server wants one is hopeless', async () => {
      const driver = postgres(address)
      const error = await driver.connect(context()).catch((reason: unknown) => reason)
      expect(driver.classify?.(error)).toBe('fatal')
    })

    it('to a server without TLS is hopeless when TLS is asked for, and leaves no socket', async () => {
      const driver = proxied({ ssl: true })
      const error = await driver.connect(context()).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ message: 'The server does not support SSL connections' })
      expect(driver.classify?.(error)).toBe('fatal')
      await proxy.until((flows) => flows.length === 0)
    })

    it('to a server that is full is worth another try', async () => {
      await admin.query(`create role crowd login password 'crowd' connection limit 1`)
      try {
        const driver = postgres({ ...address, user: 'crowd', password: 'crowd' })
        const first = await driver.connect(context())
        const error = await driver.connect(context()).catch((reason: unknown) => reason)
        expect(error).toMatchObject({ code: '53300' })
        expect(driver.classify?.(error)).toBe('transient')
        await driver.close(first)
      } finally {
        await until(async () => (await admin.query(`select from pg_stat_activity where usename = 'crowd'`)).rowCount === 0)
        await admin.query('drop role crowd')
      }
    })

    it('that is refused or reset is worth another try', async () => {
      const driver = proxied()
      await proxy.refuse()
      const refused = await driver.connect(context()).catch((reason: unknown) => reason)
      expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
      await proxy.heal()
      proxy.inject({ kind: 'reset' })
      const reset = await driver.connect(context()).catch((reason: unknown) => reason)
      expect([refused, reset].map((error) => driver.classify?.(error))).toEqual(['transient', 'transient'])
    })
  })

  describe('check', () => {
    it('does not disturb a transaction, be it sound or failed', async () => {
      const { driver, client } = await open()
      await client.query('begin; create temp table t (id int)')
      await driver.check(client, { signal: never })
      expect(client.getTransactionStatus()).toBe('T')
      await client.query('selekt').catch(() => {})
      await driver.check(client, { signal: never })
      expect(client.getTransactionStatus()).toBe('E')
    })

    it('waits behind a query that is running', async () => {
      const { driver, client } = await open()
      const order: string[] = []
      await Promise.all([
        client.query('select pg_sleep(0.05)').then(() => order.push('query')),
        Promise.resolve(driver.check(client, { signal: never })).then(() => order.push('check')),
      ])
      expect(order).toEqual(['query', 'check'])
    })

    it('leaves it to the pool how long to wait: queryTimeout would make an answer of a silence', async () => {
      const { driver, client } = await open({}, proxied({ queryTimeout: 30 }))
      proxy.inject({ kind: 'silence' })
      let settled = false
      const check = Promise.resolve(driver.check(client, { signal: never })).finally(() => {
        settled = true
      })
      await expect(client.query('select 1')).rejects.toThrow('Query read timeout')
      expect(settled).toBe(false)
      await proxy.heal()
      await check
    })

    it('rejects with the reason of its signal at once, as often as it is tried, and works when the peer is back', async () => {
      const warnings: string[] = []
      const listen = (warning: Error): unknown => warnings.push(warning.message)
      process.on('warning', listen)
      const { driver, client } = await open({}, proxied())
      proxy.inject({ kind: 'silence' })
      for (let i = 0; i < 5; i++) {
        const controller = new AbortController()
        const check = driver.check(client, { signal: controller.signal })
        const reason = new Error(`check ${i} given up`)
        controller.abort(reason)
        await expect(check).rejects.toBe(reason)
      }
      await expect(driver.check(client, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
      await proxy.heal()
      await driver.check(client, { signal: never })
      expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
      await delay(0)
      process.off('warning', listen)
      // pg warns when queries pile up in a client.
      expect(warnings).toEqual([])
    })

    it('rejects on a client that is destroyed, closed or lost', async () => {
      const destroyed = await open()
      destroyed.driver.destroy(destroyed.client)
      await expect(destroyed.driver.check(destroyed.client, { signal: never })).rejects.toThrow()
      const closed = await open()
      await closed.driver.close(closed.client)
      await expect(closed.driver.check(closed.client, { signal: never })).rejects.toThrow()
      const lost = await open()
      await terminate(lost.client)
      await expect(lost.driver.check(lost.client, { signal: never })).rejects.toThrow()
    })
  })

  describe('reset', () => {
    it('has nothing to do after queries without a transaction, and says so at once', async () => {
      const { driver, client } = await open()
      expect(driver.reset?.(client)).toBeUndefined()
      await client.query('select 1')
      await client.query('selekt').catch(() => {})
      await client.query('begin; select 1; commit')
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it.each([
      ['is open', async (client: pg.Client) => client.query('begin; insert into kept values (1)')],
      ['has failed', async (client: pg.Client) => client.query('begin; insert into kept values (1); selekt').catch(() => {})],
      ['was begun without waiting for the answer', async (client: pg.Client) => void client.query('begin; insert into kept values (1)')],
    ])('rolls a transaction back that %s', async (_, leave) => {
      await admin.query('create table if not exists kept (id int)')
      const { driver, client } = await open()
      await leave(client)
      await driver.reset?.(client)
      expect(client.getTransactionStatus()).toBe('I')
      expect((await admin.query('select from kept')).rowCount).toBe(0)
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('lets a query that nobody waited for come to its end', async () => {
      const { driver, client } = await open()
      const left = client.query('select 1 as n')
      await driver.reset?.(client)
      expect((await left).rows).toEqual([{ n: 1 }])
    })

    it('waits for a query that pg has given up, for longer than queryTimeout', async () => {
      const { driver, client } = await open({ queryTimeout: 50 })
      await expect(client.query('select pg_sleep(0.3)')).rejects.toThrow('Query read timeout')
      await driver.reset?.(client)
      expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    })

    it('rejects when the borrower goes on behind it', async () => {
      const { driver, client } = await open()
      await client.query('begin')
      const resetting = driver.reset?.(client)
      void client.query('begin').catch(() => {})
      await expect(resetting).rejects.toThrow('after ROLLBACK the session is still busy or in a transaction')
    })

    it('ends what a borrower listened to', async () => {
      const { driver, client } = await open()
      await client.query('listen news')
      await driver.reset?.(client)
      expect((await client.query('select pg_listening_channels()')).rows).toEqual([])
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('leaves what onConnect listens to', async () => {
      const { driver, client } = await open({ onConnect: (session) => session.query('listen news') })
      await client.query('begin')
      await driver.reset?.(client)
      expect((await client.query('select pg_listening_channels() as channel')).rows).toEqual([{ channel: 'news' }])
    })

    it('leaves settings and tables unless asked to discard them', async () => {
      const { driver, client } = await open()
      await client.query(`set work_mem = '1MB'; create temp table mine (id int)`)
      expect(driver.reset?.(client)).toBeUndefined()
      expect(await show(client, 'work_mem')).toBe('1MB')
    })

    it('discards everything when asked to, sets the session up again, and has nothing to do if nothing was done', async () => {
      const { driver, client } = await open({
        discardAll: true,
        onConnect: (session) => session.query('set search_path = app; listen news'),
      })
      expect(driver.reset?.(client)).toBeUndefined()
      await driver.check(client, { signal: never })
      expect(driver.reset?.(client)).toBeUndefined()

      const named = { name: 'answer', text: 'select 42 as n' }
      await client.query(named)
      await client.query(`begin; set work_mem = '1MB'; set search_path = other; create temp table mine (id int); listen more`)
      await client.query('select pg_advisory_lock(7)')
      await driver.reset?.(client)
      expect(await show(client, 'work_mem')).toBe(await show(admin, 'work_mem'))
      expect(await show(client, 'search_path')).toBe('app')
      expect((await client.query('select pg_listening_channels() as channel')).rows).toEqual([{ channel: 'news' }])
      expect((await client.query(`select to_regclass('pg_temp.mine') as mine`)).rows).toEqual([{ mine: null }])
      expect((await admin.query(`select from pg_locks where locktype = 'advisory'`)).rowCount).toBe(0)
      // pg believes that the server still knows the statement, unless it was told.
      expect((await client.query(named)).rows).toEqual([{ n: 42 }])
      await driver.reset?.(client)
      expect(driver.reset?.(client)).toBeUndefined()
    })
  })

  describe('watch', () => {
    const watch = (driver: Driver<pg.Client>, client: pg.Client) => {
      const lost = vi.fn<(error?: unknown) => void>()
      driver.watch?.(client, { lost, retire: () => {} })
      return lost
    }

    it('reports the server’s own words when it ends an idle session', async () => {
      const { driver, client } = await open()
      const lost = watch(driver, client)
      await terminate(client)
      await until(() => lost.mock.calls.length > 0)
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: '57P01' }))
      expect(driver.classify?.(lost.mock.calls[0]?.[0])).toBe('fatal')
    })

    it('reports them when a query is running, which gets them too', async () => {
      const { driver, client } = await open()
      const lost = watch(driver, client)
      const query = client.query('select pg_sleep(10)')
      const failed = expect(query).rejects.toMatchObject({ code: '57P01' })
      await until(
        async () =>
          (await admin.query(`select from pg_stat_activity where pid = $1 and query ~ 'pg_sleep'`, [pidOf(client)])).rowCount === 1,
      )
      await terminate(client)
      await failed
      await until(() => lost.mock.calls.length > 0)
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: '57P01' }))
    })

    it('reports a session that was idle in its transaction for too long', async () => {
      const { driver, client } = await open({ idleInTransactionTimeout: 20 })
      const lost = watch(driver, client)
      await client.query('begin')
      await until(() => lost.mock.calls.length > 0)
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: '25P03' }))
    })

    it('reports a reset', async () => {
      const { driver, client } = await open({}, proxied())
      const lost = watch(driver, client)
      proxy.inject({ kind: 'reset' }, 'present')
      await until(() => lost.mock.calls.length > 0)
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ECONNRESET' }))
    })

    it('reports what happened before it was called', async () => {
      const { driver, client } = await open()
      await terminate(client)
      await until(() => client.connection.stream.destroyed)
      const lost = watch(driver, client)
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: '57P01' }))
    })

    it('does not report errors after which the session goes on', async () => {
      const { driver, client } = await open()
      const lost = watch(driver, client)
      await client.query('set default_transaction_read_only = on')
      const error = await client.query('create table x ()').catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: '25006' })
      expect(driver.classify?.(error)).toBe('fatal')
      await client.query('select 1')
      expect(lost).not.toHaveBeenCalled()
    })

    it('does not take for the server’s what a borrower has set', async () => {
      const { driver, client } = await open()
      const retire = vi.fn()
      driver.watch?.(client, { lost: () => {}, retire })
      await client.query('set default_transaction_read_only = on')
      await client.query('set default_transaction_read_only = off; set default_transaction_read_only = on; select 1')
      await client.query('begin; set local default_transaction_read_only = off')
      await client.query('rollback')
      expect(await show(client, 'default_transaction_read_only')).toBe('on')
      expect(retire).not.toHaveBeenCalled()
    })

    it('does not report what the pool itself has ended', async () => {
      const closed = await open()
      const destroyed = await open()
      const reports = [watch(closed.driver, closed.client), watch(destroyed.driver, destroyed.client)]
      await closed.driver.close(closed.client)
      destroyed.driver.destroy(destroyed.client)
      await until(() => destroyed.client.connection.stream.closed)
      await delay(5)
      for (const lost of reports) expect(lost).not.toHaveBeenCalled()
    })
  })

  describe('close and destroy', () => {
    it('say goodbye, in any order and as often as one likes', async () => {
      const { driver, client } = await open({ applicationName: 'leaving' }, proxied({ applicationName: 'leaving' }))
      await Promise.all([driver.close(client), driver.close(client)])
      await driver.close(client)
      driver.destroy(client)
      driver.destroy(client)
      await driver.close(client)
      await proxy.until((flows) => flows.length === 0)
      await until(async () => (await sessions('leaving')) === 0)
    })

    it('let a goodbye that the peer does not answer be cut short', async () => {
      const { driver, client } = await open({}, proxied())
      proxy.inject({ kind: 'silence' })
      const closing = driver.close(client)
      driver.destroy(client)
      await closing
      await proxy.until(([flow]) => flow?.clientOpen === false)
    })

    it('end the query that is running', async () => {
      const { driver, client } = await open({}, proxied())
      const query = client.query('select pg_sleep(1)')
      driver.destroy(client)
      const error = await query.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(Error)
      expect(driver.classify?.(error)).toBe('fatal')
    })
  })

  it('refuses a client that it has not made', () => {
    const foreign = new pg.Client(url)
    expect(() => postgres(address).reset?.(foreign)).toThrow('this client was not made by this driver')
  })

  it('holds the process, or lets it end', async () => {
    const { driver, client } = await open()
    const { _handle: handle } = client.connection.stream as Socket & { _handle: { hasRef(): boolean } }
    expect(handle.hasRef()).toBe(true)
    driver.unref?.(client)
    expect(handle.hasRef()).toBe(false)
    driver.ref?.(client)
    expect(handle.hasRef()).toBe(true)
    driver.unref?.(client)
    // A goodbye has to get out even though nobody else holds the process.
    const closing = driver.close(client)
    expect(handle.hasRef()).toBe(true)
    await closing
  })
})

await describeOwnPostgres('postgres() with a server of its own', () => {
  /** A server that is told to leave in the middle of a message leaves without a word. */
  const untilServerWaits = async (url: string, client: pg.Client): Promise<void> => {
    const observer = new pg.Client(url)
    await observer.connect()
    const question = `select from pg_stat_activity where pid = $1 and wait_event = 'ClientRead'`
    await until(async () => (await observer.query(question, [(client as unknown as { processID: number }).processID])).rowCount === 1)
    await observer.end()
  }

  it('retires its connections when the server becomes read-only, with the answer to a check, and takes new ones as they are', async () => {
    await using server = await startPostgres()
    const admin = new pg.Client({ connectionString: server.url, options: '-c default_transaction_read_only=off' })
    await admin.connect()
    const driver = postgres({ connectionString: server.url, discardAll: true })
    const before = await driver.connect(context())
    const retire = vi.fn()
    const lost = vi.fn()
    driver.watch?.(before, { lost, retire })
    // What a borrower has set is over with its lease.
    await before.query('set default_transaction_read_only = on')
    await driver.reset?.(before)
    await admin.query('alter system set default_transaction_read_only = on')
    await admin.query('select pg_reload_conf()')
    const after = await driver.connect(context())
    driver.watch?.(after, { lost, retire: () => lost('the new one') })
    await until(async () => {
      await driver.check(before, { signal: never })
      return retire.mock.calls.length > 0
    })
    expect(retire).toHaveBeenCalledExactlyOnceWith('the server has become read-only (default_transaction_read_only)')
    await until(async () => (await after.query('show default_transaction_read_only')).rows[0].default_transaction_read_only === 'on')
    expect(lost).not.toHaveBeenCalled()
    for (const client of [before, after]) await driver.close(client)
    await admin.end()
  })

  it('uses TLS, checks the certificate, and leaves no socket when it is aborted on the way', async () => {
    await using server = await startPostgres({ tls: { certificate: TEST_CERTIFICATE, key: TEST_KEY } })
    await using proxy = await FaultProxy.start({ port: server.port })
    const url = server.url.replace(String(server.port), String(proxy.port))

    const trusting = postgres({ connectionString: url, ssl: { ca: TEST_CERTIFICATE } })
    const client = await trusting.connect(context())
    expect((await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).rows).toEqual([{ ssl: true }])
    const lost = vi.fn()
    trusting.watch?.(client, { lost, retire: () => {} })
    trusting.unref?.(client)
    proxy.inject({ kind: 'silence' })
    trusting.destroy(client)
    await proxy.until(([flow]) => flow?.clientOpen === false)
    await proxy.heal()

    const suspicious = postgres({ connectionString: url, ssl: true })
    const error = await suspicious.connect(context()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(suspicious.classify?.(error)).toBe('fatal')

    proxy.inject({ kind: 'latency', ms: 2, jitter: 2 })
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const controller = new AbortController()
        const connecting = trusting.connect(context(controller.signal)).then(
          (late) => trusting.destroy(late),
          () => 'aborted',
        )
        await delay(index * 2)
        controller.abort()
        return connecting
      }),
    )
    expect(outcomes).toContain('aborted')
    await proxy.until((flows) => flows.length === 0)
  })

  it.each(['fast', 'immediate'] as const)('hears that the server stops (%s), and connects again when it is back', async (mode) => {
    await using server = await startPostgres()
    const driver = postgres({ connectionString: server.url })
    const client = await driver.connect(context())
    const reported = new Promise((resolve) => driver.watch?.(client, { lost: resolve, retire: () => {} }))
    await untilServerWaits(server.url, client)
    await server.stop(mode)
    expect(await reported).toMatchObject({ code: '57P01' })
    const refused = await driver.connect(context()).catch((reason: unknown) => reason)
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
    await server.start()
    const next = await driver.connect(context())
    await driver.check(next, { signal: never })
    await driver.close(next)
  })

  it('hears that another session has crashed, which ends them all', async () => {
    await using server = await startPostgres()
    const driver = postgres({ connectionString: server.url })
    const [client, victim] = [await driver.connect(context()), await driver.connect(context())]
    const reported = new Promise((resolve) => driver.watch?.(client, { lost: resolve, retire: () => {} }))
    await untilServerWaits(server.url, client)
    process.kill((victim as unknown as { processID: number }).processID, 'SIGKILL')
    expect(await reported).toMatchObject({ code: '57P02' })
    for (const each of [client, victim]) driver.destroy(each)
  })
})

await describeWith([PGBOUNCER], 'postgres() behind PgBouncer', () => {
  it('a connect to a pooler that is full is worth another try', async () => {
    await using server = await startPostgres()
    await using bouncer = await startPgBouncer(server, 'session', 1)
    const driver = postgres({ host: '127.0.0.1', port: bouncer.port, user: server.user, password: 'any', database: 'postgres' })
    const clients: pg.Client[] = []
    const untilRefused = async (): Promise<never> => {
      for (;;) clients.push(await driver.connect(context()))
    }
    const error = await untilRefused().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: '08P01', message: 'no more connections allowed (max_client_conn)' })
    expect(driver.classify?.(error)).toBe('transient')
    for (const client of clients) await driver.close(client)
  })
})
