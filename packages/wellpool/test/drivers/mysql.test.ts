import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { executeMysql } from '@wellpool/servers'
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise'
import { createConnection } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type MysqlOptions, mysql } from '../../src/drivers/mysql.ts'
import type { Driver } from '../../src/engine/driver.ts'
import { FaultProxy } from '../../src/testing/index.ts'
import { describeMysql } from '../support/mysql.ts'

const never = new AbortController().signal
const context = (signal: AbortSignal = never) => ({ signal, connectionId: 'test-1', attempt: 1 })

/** Waits for what has no event, such as the end of a session. The test's time-out is the limit. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(5)
}

/** What it rejects with. */
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

await describeMysql('mysql()', (url) => {
  const { hostname: host, port, username: user, password, pathname } = new URL(url)
  const database = pathname.slice(1)
  const address = { host, port: Number(port), user, database } as const

  let admin: Connection
  let proxy: FaultProxy
  let opened: [Driver<Connection>, Connection][]

  /** A client of a driver with these options, beside the address. */
  const open = async (options: MysqlOptions = {}, driver = mysql({ ...address, password, ...options })) => {
    const client = await driver.connect(context())
    opened.push([driver, client])
    return { driver, client }
  }
  /** The driver for the server behind the proxy. */
  const proxied = (options: MysqlOptions = {}) => mysql({ ...address, host: proxy.host, port: proxy.port, password, ...options })
  const ask = async (client: Connection, sql: string): Promise<RowDataPacket[]> => (await client.query<RowDataPacket[]>(sql))[0]
  const show = async (client: Connection, expression: string): Promise<unknown> =>
    (await ask(client, `select ${expression} as value`))[0]?.value
  /** The server's sessions but the administrator's own. */
  const sessions = async (): Promise<number> =>
    Number(await show(admin, `(select count(*) from information_schema.processlist where id <> connection_id() and db = '${database}')`))
  const isWorking = async (client: Connection): Promise<boolean> =>
    (await show(admin, `(select command from information_schema.processlist where id = ${client.threadId})`)) === 'Query'
  const kill = (client: Connection) => admin.query(`kill ${client.threadId}`)
  const watch = (driver: Driver<Connection>, client: Connection) => {
    const lost = vi.fn<(error?: unknown) => void>()
    driver.watch?.(client, { lost, retire: () => {} })
    return lost
  }

  beforeAll(async () => {
    admin = await createConnection(url)
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
    it('take an address', async () => {
      const { client } = await open({}, mysql({ uri: url }))
      expect(await show(client, 'database()')).toBe(database)
    })

    it('agree on a character set', async () => {
      expect(await show((await open()).client, '@@collation_connection')).toBe('utf8mb4_unicode_ci')
      expect(await show((await open({ charset: 'utf8mb4_bin' })).client, '@@collation_connection')).toBe('utf8mb4_bin')
    })

    it('hand on what mysql2 does with results', async () => {
      const { client } = await open({ client: { rowsAsArray: true, dateStrings: true, multipleStatements: true } })
      expect(await ask(client, `select date '2020-02-02'; select 1`)).toEqual([[['2020-02-02']], [[1]]])
    })

    it('leave the driver its own way to read results', async () => {
      const typeCast = (field: { string(): string | null }): string => `<${field.string()}>`
      for (const [shape, result] of [
        [{ nestTables: true }, [{ '': { n: '<1>' } }]],
        [{ rowsAsArray: true }, [['<1>']]],
      ] as const) {
        const { driver, client } = await open({ client: { ...shape, typeCast } })
        await client.query('set @a = 1')
        await driver.reset?.(client)
        expect(await ask(client, 'select 1 as n')).toEqual(result)
        expect(driver.mayAskAbout?.(client)).toBe(false)
        const asking = client.query('select sleep(0.1)')
        // It knows the server's thread by the name that the driver has read at the connect.
        expect(driver.mayAskAbout?.(client)).toBe(true)
        await asking
      }
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
      const driver = mysql({ ...address, password: given })
      await open({}, driver)
      await open({}, driver)
      expect(given).toHaveBeenCalledTimes(2)
    })

    it('is asked for again when a session has to log in again', async () => {
      await admin.query(`create user daily@'%' identified by 'today'`)
      try {
        let current = 'today'
        const given = vi.fn(() => current)
        const { driver, client } = await open({ user: 'daily', database: undefined, password: given })
        current = 'tomorrow'
        await admin.query(`alter user daily@'%' identified by 'tomorrow'`)
        await client.query('use information_schema')
        await driver.reset?.(client)
        expect(await show(client, 'database()')).toBeNull()
        expect(given).toHaveBeenCalledTimes(2)
        expect(driver.secrets?.()).toEqual(['tomorrow', 'today'])
      } finally {
        await admin.query(`drop user daily@'%'`)
      }
    })

    it('may stand beside an address without one', async () => {
      await open({}, mysql({ uri: `mysql://${user}@${host}:${port}/${database}`, password: () => password }))
    })

    it('fails the connect when the function fails, before there is a socket, and may be tried again soon', async () => {
      const failure = new Error('the vault is sealed')
      const failing = proxied({ password: () => Promise.reject(failure) })
      await expect(failing.connect(context())).rejects.toBe(failure)
      expect(failing.classify?.(failure)).toBe('transient')
      expect(proxy.flows()).toEqual([])
    })

    it('does not hold a connect that is aborted, and is told of it', async () => {
      const controller = new AbortController()
      let seen: AbortSignal | undefined
      const driver = mysql({
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
      const driver = mysql({ ...address, password: () => wrong[0] as string })
      const errors = [await failureOf(driver.connect(context()))]
      wrong.shift()
      errors.push(await failureOf(driver.connect(context())))
      expect(errors.map((error) => driver.classify?.(error))).toEqual(['fatal', 'fatal'])
      expect(inspect(errors, { depth: 9 })).not.toMatch(/first\/try|second/)
      expect(driver.secrets?.()).toEqual(['first%2Ftry', 'first/try', 'second'])
    })

    it('is known to be masked wherever it was found, as is the key of TLS', () => {
      expect(mysql({ uri: 'mysql://me:a%40b@host/db' }).secrets?.()).toEqual(['a%40b', 'a@b'])
      const secrets = mysql({ password: 'x', ssl: { key: ['PEM1', Buffer.from('PEM2')] as never, passphrase: 'phrase' } }).secrets?.()
      expect(secrets).toEqual(['phrase', 'PEM1', 'PEM2', 'x'])
    })
  })

  describe('a connect', () => {
    it('that is aborted at any moment, also in onConnect, leaves no socket and no session', async () => {
      const slow = proxied({ onConnect: (client) => client.query('select sleep(0.2)') })
      const quick = proxied()
      proxy.inject({ kind: 'latency', ms: 2, jitter: 3 })
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const controller = new AbortController()
          const driver = index % 4 === 0 ? slow : quick
          const connecting = driver.connect(context(controller.signal))
          await delay(index)
          const reason = new Error(`abort ${index}`)
          controller.abort(reason)
          // Who was quicker than the abort is closed by hand: a client that is resolved is the caller's.
          return connecting.then(
            (client) => driver.destroy(client),
            (error: unknown) => (error === reason ? 'aborted' : error),
          )
        }),
      )
      expect(outcomes.filter((outcome) => outcome !== 'aborted' && outcome !== undefined)).toEqual([])
      expect(outcomes.filter((outcome) => outcome === 'aborted').length).toBeGreaterThan(10)
      await proxy.until((flows) => flows.length === 0)
      await until(async () => (await sessions()) === 0)
    })

    it.each([
      ['a wrong password', { password: 'wrong' }, 1045],
      ['no password where one is wanted', { password: '' }, 1045],
      ['a user that does not exist', { user: 'nobody_here' }, 1045],
      ['a database that does not exist', { database: 'nowhere' }, 1049],
    ] as const)('with %s is hopeless', async (_, options, errno) => {
      const driver = mysql({ ...address, password, ...options })
      const error = await failureOf(driver.connect(context()))
      expect(error).toMatchObject({ errno })
      expect(driver.classify?.(error)).toBe('fatal')
      // The same answer in the middle of a session would be the application's affair.
      expect(driver.classify?.(Object.assign(new Error('x'), { errno, sqlState: '28000' }))).toBe('application')
    })

    it('of a user whose password has expired is hopeless', async () => {
      await admin.query(`create user expired@'%' identified by 'old' password expire`)
      try {
        const driver = mysql({ host, port: Number(port), user: 'expired', password: 'old' })
        expect(driver.classify?.(await failureOf(driver.connect(context())))).toBe('fatal')
      } finally {
        await admin.query(`drop user expired@'%'`)
      }
    })

    it('to a server without TLS is hopeless when TLS is asked for, and leaves no socket', async () => {
      const driver = proxied({ ssl: true })
      const error = await failureOf(driver.connect(context()))
      expect(error).toMatchObject({ code: 'HANDSHAKE_NO_SSL_SUPPORT' })
      expect(driver.classify?.(error)).toBe('fatal')
      await proxy.until((flows) => flows.length === 0)
    })

    it('of a user with too many connections is worth another try', async () => {
      await admin.query(`create user crowd@'%' identified by 'crowd' with max_user_connections 1`)
      try {
        const driver = mysql({ host, port: Number(port), user: 'crowd', password: 'crowd' })
        const first = await driver.connect(context())
        const error = await failureOf(driver.connect(context()))
        expect(error).toMatchObject({ errno: 1226 })
        expect(driver.classify?.(error)).toBe('transient')
        await driver.close(first)
      } finally {
        await admin.query(`drop user crowd@'%'`)
      }
    })

    it('that is refused or reset is worth another try', async () => {
      const driver = proxied()
      await proxy.refuse()
      const refused = await failureOf(driver.connect(context()))
      expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
      await proxy.heal()
      proxy.inject({ kind: 'reset' })
      const reset = await failureOf(driver.connect(context()))
      expect([refused, reset].map((error) => driver.classify?.(error))).toEqual(['transient', 'transient'])
    })
  })

  describe('onConnect', () => {
    it('sets the session up before anybody gets it', async () => {
      const { driver, client } = await open({ onConnect: (session) => session.query(`set @tenant = 'me'`) })
      expect(await show(client, '@tenant')).toBe('me')
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('runs again when a reset has undone what it did', async () => {
      const { driver, client } = await open({ onConnect: (session) => session.query(`set @tenant = 'me'`) })
      await client.query(`set @tenant = 'you'`)
      await driver.reset?.(client)
      expect(await show(client, '@tenant')).toBe('me')
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
        await expect(proxied({ onConnect }).connect(context())).rejects.toBe(failure)
      }
      await proxy.until((flows) => flows.length === 0)
    })

    it('is hopeless when its statement is wrong', async () => {
      const driver = mysql({ ...address, password, onConnect: (client) => client.query('selekt') })
      const error = await failureOf(driver.connect(context()))
      expect(error).toMatchObject({ errno: 1064 })
      expect(driver.classify?.(error)).toBe('fatal')
    })
  })

  describe('check', () => {
    it('does not disturb a transaction, and leaves nothing to reset', async () => {
      const { driver, client } = await open({ resetAlways: true })
      await driver.check(client, { signal: never })
      expect(driver.reset?.(client)).toBeUndefined()
      await client.query('begin')
      await driver.check(client, { signal: never })
      expect(await show(client, '@@in_transaction')).toBe(1)
    })

    it('waits behind a query that is running', async () => {
      const { driver, client } = await open()
      const order: string[] = []
      await Promise.all([
        client.query('select sleep(0.05)').then(() => order.push('query')),
        Promise.resolve(driver.check(client, { signal: never })).then(() => order.push('check')),
      ])
      expect(order).toEqual(['query', 'check'])
    })

    it('sends one ping, however often it is given up', async () => {
      const { driver, client } = await open({}, proxied())
      const sent = proxy.flows()[0]?.toServer.received ?? 0
      proxy.inject({ kind: 'silence' })
      for (let i = 0; i < 5; i++) {
        const reason = new Error(`check ${i} given up`)
        const controller = new AbortController()
        const check = driver.check(client, { signal: controller.signal })
        controller.abort(reason)
        await expect(check).rejects.toBe(reason)
      }
      await proxy.heal()
      await driver.check(client, { signal: never })
      // A ping has 5 bytes.
      expect(proxy.flows()[0]?.toServer.received).toBe(sent + 5)
    })

    it('keeps the session alive that the server would otherwise end', async () => {
      const { driver, client } = await open()
      await client.query('set session wait_timeout = 1')
      const lost = watch(driver, client)
      for (let i = 0; i < 4; i++) {
        await delay(400)
        await driver.check(client, { signal: never })
      }
      expect(lost).not.toHaveBeenCalled()
    })
  })

  describe('reset', () => {
    beforeAll(async () => {
      await admin.query('create table kept (id int) engine = innodb')
    })

    it.each([
      ['nothing', async () => {}],
      ['queries', async (client: Connection) => client.query('select 1')],
      ['a failed query', async (client: Connection) => client.query('selekt').catch(() => {})],
      ['rows that were written', async (client: Connection) => client.query('insert into kept values (1)')],
      ['a transaction that has ended', async (client: Connection) => client.beginTransaction().then(() => client.rollback())],
      ['prepared statements', async (client: Connection) => client.execute('select ?', [1])],
    ])('has nothing to do after %s, and says so at once', async (_, use) => {
      const { driver, client } = await open()
      await use(client)
      expect(driver.reset?.(client)).toBeUndefined()
      await admin.query('delete from kept')
    })

    it.each([
      ['is open', async (client: Connection) => client.beginTransaction().then(() => client.query('insert into kept values (1)'))],
      ['was begun without waiting for the answer', async (client: Connection) => void client.query('begin').catch(() => {})],
      [
        'was begun by a statement that was prepared',
        async (client: Connection) => client.query('begin').then(() => client.execute('insert into kept values (?)', [1])),
      ],
    ])('rolls a transaction back that %s, and keeps the rest of the session', async (_, leave) => {
      const { driver, client } = await open()
      await client.query('select 1')
      await leave(client)
      await driver.reset?.(client)
      expect(await show(client, '@@in_transaction')).toBe(0)
      expect(await ask(admin, 'select * from kept')).toEqual([])
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it.each([
      ['a user variable', 'set @left = 1', '@left', null],
      ['a user variable set within a query', 'select @left := 1', '@left', null],
      ['a user variable filled by a query', 'select 1 into @left', '@left', null],
      ['a setting', 'set session lock_wait_timeout = 7', '@@lock_wait_timeout <> 7', 1],
      ['a character set', 'set names latin1', '@@character_set_client', 'utf8mb4'],
      ['autocommit turned off', 'set autocommit = 0', '@@autocommit', 1],
      ['a lock', "select get_lock('left', 0)", "is_free_lock('left')", 1],
      ['the database', 'use mysql', 'database()', database],
    ])('undoes %s', async (_, leave, expression, clean) => {
      const { driver, client } = await open()
      await client.query(leave)
      await driver.reset?.(client)
      expect(await show(client, expression)).toBe(clean)
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it('undoes temporary tables, locked tables, cursors and prepared SQL', async () => {
      const { driver, client } = await open()
      const leave = ['create temporary table mine (id int)', 'handler kept open', `prepare mine from 'select 1'`, 'lock tables kept write']
      for (const statement of leave) await client.query(statement)
      await driver.reset?.(client)
      await expect(client.query('select * from mine')).rejects.toMatchObject({ errno: 1146 })
      await expect(client.query('execute mine')).rejects.toMatchObject({ errno: 1243 })
      await admin.query('insert into kept values (1)')
      await admin.query('delete from kept')
    })

    it('undoes a distributed transaction', async () => {
      const { driver, client } = await open()
      await client.query(`xa start 'left'`)
      await driver.reset?.(client)
      await client.query(`xa start 'left'`)
    })

    it('finds out what a procedure has left', async () => {
      await admin.query('create procedure leaves() begin set @left = 1; start transaction; end')
      const { driver, client } = await open()
      await client.query('call leaves()')
      await driver.reset?.(client)
      expect(await ask(client, 'select @left as v, @@in_transaction as t')).toEqual([{ v: null, t: 0 }])
    })

    it('undoes what a procedure has done before it failed, and keeps what is written next', async () => {
      const steps = ['set @left = 1', 'start transaction', 'insert into kept values (1)', `signal sqlstate '45000'`]
      await admin.query(`create procedure fails() begin ${steps.join('; ')}; end`)
      const { driver, client } = await open()
      await expect(client.query('call fails()')).rejects.toMatchObject({ sqlState: '45000' })
      await driver.reset?.(client)
      await client.query('insert into kept values (2)')
      await driver.reset?.(client)
      expect(await show(client, '@left')).toBeNull()
      expect(await ask(admin, 'select * from kept')).toEqual([{ id: 2 }])
      await admin.query('delete from kept')
    })

    it.each([
      ['has read', async (client: Connection) => client.query('select * from kept')],
      ['has failed', async (client: Connection) => client.query('selekt').catch(() => {})],
    ])('ends the transaction in which a borrower %s where sessions don’t commit by themselves', async (_, use) => {
      const { driver, client } = await open({ onConnect: (session) => session.query('set autocommit = 0') })
      await use(client)
      const reset = driver.reset?.(client)
      expect(reset).toBeInstanceOf(Promise)
      await reset
      expect(await ask(client, 'select @@in_transaction as t, @@autocommit as a')).toEqual([{ t: 0, a: 0 }])
    })

    it('sets a session up again that a borrower has reset by hand', async ({ skip }) => {
      const { driver, client } = await open({ onConnect: (session) => session.query('set @mine = 1') })
      skip(!('reset' in client), 'mysql2 has it since version 3.22')
      await client.reset()
      await driver.reset?.(client)
      expect(await show(client, '@mine')).toBe(1)
      await client.query('set @left = 1')
      await driver.reset?.(client)
      expect(await show(client, '@left')).toBeNull()
    })

    it('has statements prepared anew that the server has forgotten', async () => {
      const { driver, client } = await open()
      await client.execute('select ? as n', [1])
      await client.query('set @left = 1')
      await driver.reset?.(client)
      const [rows] = await client.execute('select ? as n', [2])
      expect(rows).toEqual([{ n: 2 }])
    })

    it('encodes texts as before when a borrower has changed the character set', async () => {
      const { driver, client } = await open()
      await client.query('set names latin1')
      await driver.reset?.(client)
      expect(await show(client, `'Ωμέγα 🦉'`)).toBe('Ωμέγα 🦉')
    })

    it('lets a query that nobody waited for come to its end', async () => {
      const { driver, client } = await open()
      const left = client.query('select sleep(0.02) as n')
      await driver.reset?.(client)
      expect((await left)[0]).toEqual([{ n: 0 }])
      expect(driver.reset?.(client)).toBeUndefined()
    })

    it.each(['begin', 'set @left = 1'])('rejects when the borrower goes on behind it (after %s)', async (leave) => {
      const { driver, client } = await open()
      await client.query(leave)
      const resetting = driver.reset?.(client) as Promise<unknown>
      const more = [1, 2, 3, 4].map(() => client.query('select sleep(0.02)'))
      await expect(resetting).rejects.toThrow('goes on using the session')
      await Promise.all(more)
    })

    it('rejects when a borrower has become another user', async () => {
      await admin.query(`create user other@'%' identified by 'other'`)
      await admin.query(`grant select on ${database}.* to other@'%'`)
      try {
        const { driver, client } = await open()
        await client.changeUser({ user: 'other', password: 'other' })
        await expect(driver.reset?.(client)).rejects.toThrow('has changed the user')
      } finally {
        await admin.query(`drop user other@'%'`)
      }
    })

    it('has no database again where there was none', async () => {
      const { driver, client } = await open({ database: undefined })
      for (const leave of ['set @left = 1', `use ${database}`]) {
        await client.query(leave)
        await driver.reset?.(client)
        expect(await ask(client, 'select database() as name, @left as v, @@collation_connection as c')).toEqual([
          { name: null, v: null, c: 'utf8mb4_unicode_ci' },
        ])
        expect(driver.reset?.(client)).toBeUndefined()
      }
    })

    it('makes the session anew each time when asked to, unless nobody has used it', async () => {
      await admin.query(`create function hides() returns int begin set @left = get_lock('hidden', 0); return 1; end`)
      const { driver, client } = await open({ resetAlways: true })
      expect(driver.reset?.(client)).toBeUndefined()
      await client.query('select hides()')
      await driver.reset?.(client)
      expect(await show(client, `is_free_lock('hidden')`)).toBe(1)
    })
  })

  describe('watch', () => {
    it('reports that an idle session was killed', async () => {
      const { driver, client } = await open()
      const lost = watch(driver, client)
      await kill(client)
      await until(() => lost.mock.calls.length > 0)
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: expect.stringContaining('Connection lost') }))
    })

    it('reports that one was killed at work, which fails the query', async () => {
      const { driver, client } = await open()
      const lost = watch(driver, client)
      const query = failureOf(client.query('select sleep(10)'))
      await until(() => isWorking(client))
      await kill(client)
      expect(driver.classify?.(await query)).toBe('fatal')
      await until(() => lost.mock.calls.length > 0)
      expect(lost).toHaveBeenCalledOnce()
    })

    it('reports a session that was idle for longer than wait_timeout', async () => {
      const { driver, client } = await open()
      const lost = watch(driver, client)
      await client.query('set session wait_timeout = 1')
      await until(() => lost.mock.calls.length > 0)
      expect(driver.classify?.(await failureOf(client.query('select 1')))).toBe('fatal')
    })

    it('reports a reset', async () => {
      const { driver, client } = await open({}, proxied())
      const lost = watch(driver, client)
      proxy.inject({ kind: 'reset' }, 'present')
      await until(() => lost.mock.calls.length > 0)
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ECONNRESET' }))
    })

    it('does not report what the pool itself has ended', async () => {
      const closed = await open()
      const destroyed = await open()
      const reports = [watch(closed.driver, closed.client), watch(destroyed.driver, destroyed.client)]
      await closed.driver.close(closed.client)
      destroyed.driver.destroy(destroyed.client)
      await until(async () => (await sessions()) === 0)
      for (const lost of reports) expect(lost).not.toHaveBeenCalled()
    })
  })

  describe('an error in use', () => {
    it('is the application’s when statements get in each other’s way, and the session goes on', async () => {
      await admin.query('create table fought (id int primary key, v int) engine = innodb')
      await admin.query('insert into fought values (1, 0), (2, 0)')
      const { driver, client: one } = await open()
      const { client: two } = await open({}, driver)
      await one.query('set innodb_lock_wait_timeout = 1')
      await one.query('begin')
      await two.query('begin')
      await one.query('update fought set v = 1 where id = 1')
      await two.query('update fought set v = 1 where id = 2')
      const waited = await failureOf(one.query('update fought set v = 1 where id = 2'))
      expect(waited).toMatchObject({ errno: 1205 })

      await one.query('set innodb_lock_wait_timeout = 50')
      const victims = await Promise.all([
        failureOf(one.query('update fought set v = 2 where id = 2')),
        failureOf(two.query('update fought set v = 2 where id = 1')),
      ])
      const deadlock = victims.find((error) => error !== undefined)
      expect(deadlock).toMatchObject({ errno: 1213 })
      expect([waited, deadlock].map((error) => driver.classify?.(error))).toEqual(['application', 'application'])
      for (const client of [one, two]) {
        await driver.reset?.(client)
        await driver.check(client, { signal: never })
      }
    })

    it('is the application’s when a statement was killed or took too long', async () => {
      const { driver, client } = await open()
      const forEver = 'select * from information_schema.tables where sleep(10)'
      const killing = failureOf(client.query(forEver))
      await until(() => isWorking(client))
      await admin.query(`kill query ${client.threadId}`)
      const killed = await killing
      expect(killed).toMatchObject({ errno: 1317 })
      const late = await failureOf(client.query(`set statement max_statement_time = 0.01 for ${forEver}`))
      expect(late).toMatchObject({ errno: 1969 })
      expect([killed, late].map((error) => driver.classify?.(error))).toEqual(['application', 'application'])
      await driver.check(client, { signal: never })
    })

    it('ends the client when the server refuses a packet that is too big', async () => {
      const { driver, client } = await open()
      const lost = watch(driver, client)
      const limit = Number(await show(client, '@@max_allowed_packet'))
      const error = await failureOf(client.query(`select '${'x'.repeat(limit)}'`))
      expect(driver.classify?.(error)).toBe('fatal')
      await until(() => lost.mock.calls.length > 0)
    })

    it('puts the session in doubt when mysql2 gives a query up', async () => {
      const { driver, client } = await open()
      const error = await failureOf(client.query({ sql: 'select sleep(0.1)', timeout: 10 }))
      expect(error).toMatchObject({ code: 'PROTOCOL_SEQUENCE_TIMEOUT' })
      expect(driver.classify?.(error)).toBe('transient')
    })
  })

  describe('close and destroy', () => {
    it('say goodbye, in any order and as often as one likes', async () => {
      const { driver, client } = await open({}, proxied())
      await Promise.all([driver.close(client), driver.close(client)])
      await driver.close(client)
      driver.destroy(client)
      driver.destroy(client)
      await driver.close(client)
      await proxy.until((flows) => flows.length === 0)
      await until(async () => (await sessions()) === 0)
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
      const query = failureOf(client.query('select sleep(1)'))
      driver.destroy(client)
      expect(driver.classify?.(await query)).toBe('fatal')
    })
  })

  it('does all its work over streams of rows as well', async () => {
    const { driver, client } = await open({ client: { rowsAsArray: true } })
    const { connection } = client as unknown as { connection: { query(sql: string): { stream(): AsyncIterable<unknown> } } }
    const rows: unknown[] = []
    for await (const row of connection.query('select 1 as serverStatus union all select 3').stream()) rows.push(row)
    expect(rows).toEqual([[1], [3]])
    expect(driver.reset?.(client)).toBeUndefined()
  })

  it('refuses a client that it has not made', async () => {
    expect(() => mysql(address).reset?.(admin)).toThrow('this client was not made by this driver')
  })

  it('holds the process, or lets it end', async () => {
    const { driver, client } = await open()
    const { stream } = (client as unknown as { connection: { stream: Socket & { _handle: { hasRef(): boolean } } } }).connection
    // Closed sockets have no handle any more.
    const { _handle: handle } = stream
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

  it('gives a pool’s application what mysql2 gives', async () => {
    const { client } = await open()
    const [header] = await client.query<ResultSetHeader>('create table made (id int)')
    expect(header.affectedRows).toBe(0)
    expect(await executeMysql(url, 'select count(*) as n from made')).toEqual([{ n: 0 }])
  })
})
