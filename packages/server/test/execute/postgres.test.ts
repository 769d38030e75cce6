import pg from 'pg'
import { expect, test } from 'vitest'
import { describePostgres } from '../../../wellpool/test/support/postgres.ts'
import { startAgentScene } from '../support/agent.ts'
import { until } from '../support/server.ts'

await describePostgres('execute on PostgreSQL', (url) => {
  const env = { URL: url }
  const reading = 'pools:\n  db:\n    postgres: ${URL}\n    execute: { allow: ["*"], max_rows: 100, timeout: 5s }\n'
  const writing = reading.replace('allow:', 'read_only: false, allow:')

  test('brings columns and rows, with parameters that the server puts in', async () => {
    const { call } = await startAgentScene(reading, env)
    const { status, body } = await call('POST', 'pools/db/execute', {
      statement:
        "select $1::int + 1 as n, $2::text as t, '\\x01ff'::bytea as b, 9007199254740993::int8 as big, null as nothing, 'NaN'::float8 as f",
      parameters: [41, "'; drop table x"],
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      kind: 'rows',
      truncated: false,
      rowCount: 1,
      connectionId: expect.stringMatching(/^db-/),
      durationMs: expect.any(Number),
      rows: [[42, "'; drop table x", 'Af8=', '9007199254740993', null, 'NaN']],
      columns: [
        { name: 'n', type: 'int4' },
        { name: 't', type: 'text' },
        { name: 'b', type: 'bytea' },
        { name: 'big', type: 'int8' },
        { name: 'nothing' },
        { name: 'f', type: 'float8' },
      ],
    })
  })

  test('brings no more rows, and no more bytes, than the rules let through', async () => {
    const { call } = await startAgentScene(reading.replace('max_rows: 100', 'max_rows: 100, max_output: 5000'), env)
    const { body } = await call('POST', 'pools/db/execute', { statement: 'select n from generate_series(1, 1000000) n' })
    expect([body.rows.length, body.truncated]).toEqual([100, true])
    const long = await call('POST', 'pools/db/execute', { statement: "select repeat('x', 1000) from generate_series(1, 50)" })
    expect([long.body.rows.length, long.body.truncated]).toEqual([4, true])
    const exact = await call('POST', 'pools/db/execute', { statement: 'select n from generate_series(1, 100) n' })
    expect([exact.body.rows.length, exact.body.truncated]).toEqual([100, false])
  })

  test('refuses changes where a pool is for reading only, however they are tried', async () => {
    const { call } = await startAgentScene(reading, env)
    const admin = new pg.Client(url)
    await admin.connect()
    await admin.query(
      'create table kept (n int); create function sneak() returns int language sql as $$ insert into kept values (1) returning n $$',
    )
    for (const statement of [
      'insert into kept values (1)',
      'create table other (n int)',
      'select sneak()',
      'select 1; insert into kept values (1)',
      'commit; insert into kept values (1)',
      "select set_config('transaction_read_only', 'off', false), sneak()",
      'do $$ begin set transaction read write; insert into kept values (1); end $$',
    ]) {
      const { status, body } = await call('POST', 'pools/db/execute', { statement })
      expect([status, body.code], statement).toEqual([422, 'EXECUTE_FAILED'])
    }
    // These change nothing but their own transaction, and the next call has another.
    for (const statement of ['commit', 'set transaction read write', 'set session characteristics as transaction read write']) {
      await call('POST', 'pools/db/execute', { statement })
      expect((await call('POST', 'pools/db/execute', { statement: 'insert into kept values (1)' })).status, statement).toBe(422)
    }
    expect((await admin.query('select count(*)::int as n from kept')).rows).toEqual([{ n: 0 }])
    await admin.end()
  })

  test('takes what it has told the server to refuse for no sign that the connection is lost', async () => {
    const { call, agent } = await startAgentScene(reading, env)
    const { body } = await call('POST', 'pools/db/execute', { statement: 'create table nothing ()' })
    expect(body).toMatchObject({ code: 'EXECUTE_FAILED', sqlState: '25006' })
    expect((await call('POST', 'pools/db/execute', { statement: 'select 1' })).body.rows).toEqual([[1]])
    expect(agent.pools.get('db')?.stats().rebuildsMarked).toEqual({})
  })

  test.each([
    ['reading', 'copy (select n from generate_series(1, 10000) n) to stdout'],
    ['reading', '/* in front */ copy (select 1 where false) to stdout'],
    ['writing', 'copy copied from stdin'],
  ])('refuses a COPY, in either direction, and goes on with the connection (%s: %s)', async (kind, statement) => {
    const { call, agent } = await startAgentScene(kind === 'reading' ? reading : writing, env)
    if (kind === 'writing') await call('POST', 'pools/db/execute', { statement: 'create table if not exists copied (n int)' })
    const { status, body } = await call('POST', 'pools/db/execute', { statement })
    expect([status, body.code, body.detail]).toEqual([400, 'INVALID_REQUEST', expect.stringContaining('COPY')])
    expect((await call('POST', 'pools/db/execute', { statement: 'select 1' })).body.rows).toEqual([[1]])
    expect(agent.pools.get('db')?.stats().rebuildsMarked).toEqual({})
  })

  test('changes what may be changed, and tells how much', async () => {
    const { call } = await startAgentScene(writing, env)
    await call('POST', 'pools/db/execute', { statement: 'create table if not exists things (n int unique)' })
    const { body } = await call('POST', 'pools/db/execute', { statement: 'insert into things select generate_series(1, 3)' })
    expect(body).toMatchObject({ rowCount: 3, rows: [], columns: [] })
    const twice = await call('POST', 'pools/db/execute', { statement: 'insert into things values ($1)', parameters: [2] })
    expect(twice.body).toMatchObject({
      status: 422,
      code: 'EXECUTE_FAILED',
      sqlState: '23505',
      detail: expect.stringContaining('duplicate key'),
    })
    expect((await call('POST', 'pools/db/execute', { statement: 'show statement_timeout' })).body.rows).toEqual([['5s']])
  })

  test('ends what takes too long, on the server too, and goes on with the connection', async () => {
    const { call, agent } = await startAgentScene(reading, env)
    const { status, body } = await call('POST', 'pools/db/execute', { statement: 'select pg_sleep(60)', timeout: 200 })
    expect([status, body.code]).toEqual([504, 'EXECUTE_TIMEOUT'])
    expect((await call('POST', 'pools/db/execute', { statement: 'select 1' })).body.rows).toEqual([[1]])
    const { rows } = (
      await call('POST', 'pools/db/execute', {
        statement:
          "select count(*)::int from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()",
      })
    ).body
    expect(rows).toEqual([[0]])
    expect(agent.pools.get('db')?.stats().rebuildsMarked).toEqual({})
  })

  test('says of what the closing of its pool has cut off that it was that', async () => {
    const { call, agent } = await startAgentScene(reading, env)
    const cut = call('POST', 'pools/db/execute', { statement: 'select pg_sleep(4)' })
    await until(() => agent.pools.get('db')?.stats().acquired === 1)
    await agent.pools.get('db')?.close({ timeout: 0 })
    expect((await cut).body).toMatchObject({ status: 409, code: 'POOL_CLOSED', detail: expect.stringContaining('closed meanwhile') })
  })

  test('gives up a call whose caller has hung up, and its connection with it', async () => {
    const { url: address, agent, call, token } = await startAgentScene(reading, env)
    const caller = new AbortController()
    const hanging = fetch(`${address}/api/v1/pools/db/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token('executor')}` },
      body: JSON.stringify({ statement: 'select pg_sleep(4)' }),
      signal: caller.signal,
    }).catch(() => 'hung up')
    await until(() => agent.pools.get('db')?.stats().acquired === 1)
    caller.abort()
    expect(await hanging).toBe('hung up')
    await until(() => agent.pools.get('db')?.stats().rebuildsMarked.manual === 1)
    expect((await call('POST', 'pools/db/execute', { statement: 'select 1' })).status).toBe(200)
  })

  test('runs what the rules of the pool list, for those who may, and nothing else', async () => {
    const text = `
pools:
  db:
    postgres: \${URL}
    execute:
      allow:
        - select $1::int as n
  closed: { postgres: "\${URL}" }
`
    const { call, token } = await startAgentScene(text, env)
    expect((await call('POST', 'pools/db/execute', { statement: 'select $1::int  as n;', parameters: [7] })).body.rows).toEqual([[7]])
    const refused = await call('POST', 'pools/db/execute', { statement: 'select 7 as n' })
    expect([refused.status, refused.body.code]).toEqual([403, 'EXECUTE_REFUSED'])
    expect((await call('POST', 'pools/closed/execute', { statement: 'select 1' })).body).toMatchObject({ status: 403, code: 'EXECUTE_OFF' })
    expect((await call('POST', 'pools/none/execute', { statement: 'select 1' })).body).toMatchObject({
      status: 404,
      code: 'POOL_NOT_FOUND',
    })
    for (const body of [
      {},
      { command: 'select 1' },
      { statement: ' ' },
      { statement: 'select 1', command: 'x' },
      { statement: 'select 1', timeout: 'soon' },
    ]) {
      expect((await call('POST', 'pools/db/execute', body)).status, JSON.stringify(body)).toBeOneOf([400, 403])
    }
    const asOperator = await call('POST', 'pools/db/execute', { statement: 'select 1' }, { authorization: `Bearer ${token('operator')}` })
    expect([asOperator.status, asOperator.body.code]).toEqual([403, 'FORBIDDEN'])
  })

  test('is written down with the statement, and with no parameter', async () => {
    const { call } = await startAgentScene(reading, env)
    await call('POST', 'pools/db/execute', { statement: 'select $1::text', parameters: ['a patient'] })
    const { entries } = (await call('GET', 'audit')).body
    expect(entries.at(-1)).toMatchObject({
      who: 'everything',
      action: 'execute',
      target: 'pool db',
      result: 'done',
      details: { statement: 'select $1::text', parameters: 1 },
    })
    expect(JSON.stringify(entries)).not.toContain('patient')
  })

  test('says that no connection is to be had', async () => {
    const { call } = await startAgentScene(
      'pools:\n  db:\n    postgres: postgres://me:sesame@127.0.0.1:1/x\n    execute: { allow: ["*"], timeout: 300ms }\n',
    )
    const { status, body } = await call('POST', 'pools/db/execute', { statement: 'select 1' })
    expect([status, body.code, body.retryable]).toEqual([503, 'ACQUIRE_TIMEOUT', true])
    expect(JSON.stringify(body)).not.toContain('sesame')
  })
})
