import { describe, expect, test } from 'vitest'
import { startDevice } from 'wellpool/testing/devices'
import { describeMysql } from '../../../wellpool/test/support/mysql.ts'
import { describeRedis } from '../../../wellpool/test/support/redis.ts'
import { startAgentScene } from '../support/agent.ts'
import { cli } from '../support/cli.ts'

await describeMysql('execute on MySQL', (url) => {
  const env = { URL: url }
  const reading = 'pools:\n  db:\n    mysql: ${URL}\n    execute: { allow: ["*"], max_rows: 50, timeout: 5s }\n'

  test('brings columns and rows, with parameters that the server puts in', async () => {
    const { call } = await startAgentScene(reading, env)
    const { status, body } = await call('POST', 'pools/db/execute', {
      statement: 'select ? + 1 as n, ? as t',
      parameters: [41, "'; drop table x"],
    })
    expect([status, body.rowCount]).toEqual([200, 1])
    expect(body.rows[0].map(String)).toEqual(['42', "'; drop table x"])
    expect(body.columns.map(({ name }: { name: string }) => name)).toEqual(['n', 't'])
  })

  test('brings no more rows than the rules let through', async () => {
    const { call } = await startAgentScene(reading, env)
    const numbers = 'with recursive n as (select 1 as i union all select i + 1 from n where i < 900) select i from n'
    for (const statement of [numbers, `${numbers} limit 800`]) {
      const { body } = await call('POST', 'pools/db/execute', { statement })
      expect([body.rows.length, body.truncated], statement).toEqual([50, true])
    }
    expect((await call('POST', 'pools/db/execute', { statement: 'select @@sql_select_limit > 1000 as free' })).body.rows[0][0]).toBeOneOf([
      0, 1,
    ])
  })

  test('refuses changes where a pool is for reading only, and makes them where it is not', async () => {
    const { call: read } = await startAgentScene(reading, env)
    const { call: write } = await startAgentScene(reading.replace('allow:', 'read_only: false, allow:'), env)
    expect((await write('POST', 'pools/db/execute', { statement: 'create table kept (n int)' })).status).toBe(200)
    expect((await write('POST', 'pools/db/execute', { statement: 'insert into kept values (1), (2)' })).body).toMatchObject({ rowCount: 2 })
    for (const statement of [
      'insert into kept values (3)',
      'drop table kept',
      'create table other (n int)',
      '/*! drop table kept */',
      '/* x */ drop table kept',
      'commit',
      'set session transaction read write',
      'call something()',
      'analyze table kept',
      'begin not atomic drop table kept; end',
    ]) {
      const { status, body } = await read('POST', 'pools/db/execute', { statement })
      expect([status, body.code], statement).toEqual([403, 'EXECUTE_REFUSED'])
    }
    for (const statement of [
      'select 1; drop table kept',
      'explain select 1; drop table kept',
      'with x as (select 1 as n) delete from kept',
    ]) {
      expect((await read('POST', 'pools/db/execute', { statement })).status, statement).toBe(422)
    }
    await read('POST', 'pools/db/execute', { statement: 'explain delete from kept' })
    expect((await read('POST', 'pools/db/execute', { statement: 'select count(*) from kept' })).body.rows.flat().map(Number)).toEqual([2])
  })

  test('gives up what takes too long', async () => {
    const { call } = await startAgentScene(reading, env)
    const { status, body } = await call('POST', 'pools/db/execute', { statement: 'select sleep(30)', timeout: 200 })
    expect([status, body.code]).toEqual([504, 'EXECUTE_TIMEOUT'])
    expect((await call('POST', 'pools/db/execute', { statement: 'select 1' })).status).toBe(200)
  })
})

await describeRedis('execute on Redis', (url) => {
  const env = { URL: url }
  const all = 'pools:\n  cache:\n    redis: ${URL}\n    execute: { allow: ["*"], read_only: false, timeout: 2s, max_output: 1000 }\n'

  test('answers as Redis does', async () => {
    const { call } = await startAgentScene(all, env)
    const run = async (...command: string[]) => (await call('POST', 'pools/cache/execute', { command })).body
    expect(await run('SET', 'a key', 'a value')).toMatchObject({ kind: 'reply', reply: 'OK' })
    expect(await run('get', 'a key')).toMatchObject({ reply: 'a value' })
    expect(await run('GET', 'none')).toMatchObject({ reply: null })
    expect(await run('RPUSH', 'list', '1', '2')).toMatchObject({ reply: 2 })
    expect(await run('LRANGE', 'list', '0', '-1')).toMatchObject({ reply: ['1', '2'] })
    expect(await run('NOSUCH')).toMatchObject({ status: 422, code: 'EXECUTE_FAILED', detail: expect.stringContaining('unknown command') })
    expect(await run('SUBSCRIBE', 'x')).toMatchObject({ status: 400, code: 'INVALID_REQUEST' })
    await run('SET', 'long', 'x'.repeat(2000))
    expect(await run('GET', 'long')).toMatchObject({ status: 422, detail: expect.stringContaining('1000 bytes') })
  })

  test('runs for reading only what the server knows to change nothing', async () => {
    const { call } = await startAgentScene(all.replace('read_only: false', 'read_only: true'), env)
    const run = async (...command: string[]) => (await call('POST', 'pools/cache/execute', { command })).body
    for (const command of [['GET', 'a'], ['LRANGE', 'list', '0', '1'], ['PING'], ['TTL', 'a']])
      expect(await run(...command), command[0]).toHaveProperty('kind', 'reply')
    for (const command of [
      ['SET', 'a', 'b'],
      ['DEL', 'a'],
      ['FLUSHALL'],
      ['EVAL', 'return 1', '0'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['SHUTDOWN'],
    ]) {
      expect(await run(...command), command[0]).toMatchObject({ status: 403, code: 'EXECUTE_REFUSED' })
    }
  })

  test('gives up what takes too long', async () => {
    const { call } = await startAgentScene(all, env)
    const { status, body } = await call('POST', 'pools/cache/execute', { command: ['BLPOP', 'nothing', '30'], timeout: 200 })
    expect([status, body.code]).toEqual([504, 'EXECUTE_TIMEOUT'])
    expect((await call('POST', 'pools/cache/execute', { command: ['PING'] })).body).toMatchObject({ reply: 'PONG' })
  })
})

describe('execute on devices', () => {
  async function device(rules: string, cli: string) {
    const router = await startDevice({ platform: 'cisco_iosxe', hostname: 'router-17', commands: { 'show hello': 'hello there' } })
    const text = `
pools:
  router:
    ssh: { host: ${router.host}, port: ${router.port}, username: admin, password: admin, host_key: "${router.fingerprint}"${cli} }
    execute: ${rules}
`
    const scene = await startAgentScene(text)
    return { router, ...scene, close: () => router.close() }
  }

  test('sends a command to the CLI that the pool keeps open, if the rules have it', async () => {
    const { call, close } = await device('{ allow: ["show *"] }', ', cli: { platform: cisco_iosxe }')
    const { body } = await call('POST', 'pools/router/execute', { command: 'show hello' })
    expect(body).toMatchObject({ kind: 'output', truncated: false, stdout: 'hello there', connectionId: expect.stringMatching(/^router-/) })
    expect((await call('POST', 'pools/router/execute', { command: 'reload' })).body).toMatchObject({ status: 403, code: 'EXECUTE_REFUSED' })
    expect((await call('POST', 'pools/router/execute', { command: 'show hello\nreload' })).body).toMatchObject({ status: 403 })
    expect((await call('POST', 'pools/router/execute', { command: 'show nothing-of-the-kind' })).body).toMatchObject({
      status: 422,
      code: 'EXECUTE_FAILED',
    })
    expect((await call('POST', 'pools/router/execute', { statement: 'show hello' })).body).toMatchObject({ status: 400 })
    await close()
  })

  test('lets no peer steer a terminal, and keeps every byte for programs', async () => {
    const host = await startDevice({ platform: 'linux', commands: { motd: 'hello\u001b[2J\tthere\u0007' } })
    const { url, token } = await startAgentScene(
      `pools:\n  host:\n    ssh: { host: ${host.host}, port: ${host.port}, username: admin, password: admin, host_key: "${host.fingerprint}" }\n    execute: { allow: ["*"], read_only: false }\n`,
    )
    const ask = (terminal?: { columns: number; rows: number }) =>
      cli(['exec', 'host', '--', 'motd'], { url, token: token('executor'), ...(terminal !== undefined && { terminal }) })
    expect((await ask({ columns: 80, rows: 24 })).out).toBe('hello [2J\tthere \n')
    expect((await ask()).out).toBe('hello\u001b[2J\tthere\u0007\n')
    await host.close()
  })

  test('cuts off what is too long', async () => {
    const { call, close } = await device('{ allow: ["show *"], max_output: 5 }', ', cli: { platform: cisco_iosxe }')
    expect((await call('POST', 'pools/router/execute', { command: 'show hello' })).body).toMatchObject({ stdout: 'hello', truncated: true })
    await close()
  })
})
