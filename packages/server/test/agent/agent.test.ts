import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { startTcpServer } from '@wellpool/servers'
import type pg from 'pg'
import pino from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describePostgres } from '../../../wellpool/test/support/postgres.ts'
import { completeOptions, planReload } from '../../src/agent/plan.ts'
import { parseConfig } from '../../src/config/index.ts'
import { startAgent } from '../../src/index.ts'
import { startAgentScene } from '../support/agent.ts'
import { until } from '../support/server.ts'

const query = (client: unknown, sql: string): Promise<{ rows: object[] }> => (client as pg.Client).query(sql)

const plan = async (before: string, after: string) => planReload(await parseConfig(before, 'a.yaml'), await parseConfig(after, 'a.yaml'))

describe('planReload', () => {
  const two = 'pools:\n  a: { postgres: { host: one } }\n  b: { postgres: { host: one }, max_connections: 3 }\n'

  test('tells what is added, removed, replaced, reconfigured and as it was', async () => {
    expect(await plan(two, two)).toEqual({
      added: [],
      removed: [],
      replaced: [],
      reconfigured: [],
      unchanged: ['a', 'b'],
      needsRestart: [],
    })
    const after = 'max_connections: 3\npools:\n  a: { postgres: { host: two } }\n  b: { postgres: { host: one } }\n  c: { postgres: {} }\n'
    expect(await plan(two, after)).toMatchObject({ added: ['c'], removed: [], replaced: ['a'], reconfigured: [], unchanged: ['b'] })
    expect(await plan(after, two)).toMatchObject({ added: [], removed: ['c'], replaced: ['a'], unchanged: ['b'] })
    expect(await plan(two, `idle_timeout: 1m\n${two}`)).toMatchObject({ reconfigured: ['a', 'b'] })
    expect(await plan(two, two.replace('max_connections: 3', 'execute: { allow: [x] }'))).toMatchObject({ reconfigured: ['b'] })
  })

  test('tells what of the server only holds after a restart', async () => {
    expect(await plan('server: { port: 1 }', 'server: { port: 2, tokens_file: x }')).toMatchObject({
      needsRestart: ['server.port', 'server.tokens_file'],
    })
  })

  test('makes defaults again of options that are not there any more', () => {
    const options = completeOptions({ maxConnections: 3, backoff: { base: 5 } })
    expect(options).toMatchObject({ maxConnections: 3, maxUses: undefined, backoff: { base: 5, max: undefined } })
    expect(Object.keys(options)).not.toContain('logger')
  })
})

test('says that nobody is let in while there are no tokens', async () => {
  const { file, lines } = await startAgentScene('pools: {}\n')
  expect(JSON.stringify(lines)).not.toContain('no tokens yet')
  const other = path.join(path.dirname(file), 'other.yaml')
  writeFileSync(other, 'server: { port: 0, tokens_file: not-there.json, dashboard: false }\npools: {}\n')
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const { agent } = await startAgent({ file: other, env: {}, logger })
  await agent.stop()
  expect(logged.join('')).toMatch(/not-there\.json.*there are no tokens yet/)
})

await describePostgres('an agent', (url) => {
  const env = { URL: url, OTHER: `${url}?application_name=other` }
  const one = 'pools:\n  db: { postgres: "${URL}", min_connections: 1, max_connections: 4 }\n'

  test('holds the pools of its file and tells its configuration without secrets', async () => {
    const { call, file, lines } = await startAgentScene(
      `${one}  other: { postgres: { host: 127.0.0.1, password: sesame }, min_connections: 0 }\n`,
      env,
    )
    await until(async () => (await call('GET', 'pools/db')).body.stats.idle === 1)
    const { body } = await call('GET', 'config')
    expect(body).toMatchObject({
      file,
      loadedAt: expect.any(Number),
      pools: { db: { options: { maxConnections: 4, minConnections: 1, acquireTimeout: '30s' } } },
    })
    expect(body.content.pools).toMatchObject({ db: { postgres: '${URL}' }, other: { postgres: { password: '***' } } })
    expect(JSON.stringify([body, lines])).not.toContain('sesame')
    expect(JSON.stringify([body, lines])).not.toContain(new URL(url).password || 'no password to be seen')
    expect(lines.find(({ msg }) => msg === 'listening')).toMatchObject({ pools: ['db', 'other'] })
    await until(() => lines.some(({ msg, pool }) => msg === 'poolWarmedUp' && pool === 'db'))
  })

  test('applies another file without losing a lease', async () => {
    const { agent, call, write } = await startAgentScene(`${one}  gone: { postgres: "\${URL}", min_connections: 1 }\n`, env)
    const [db, gone] = [agent.pools.get('db'), agent.pools.get('gone')]
    const [onDb, onGone] = await Promise.all([db?.acquire(), gone?.acquire()])
    write('pools:\n  db: { postgres: "${URL}", min_connections: 2 }\n  fresh: { postgres: "${OTHER}", min_connections: 1 }\n')
    const dry = (await call('POST', 'config/reload', { dryRun: true })).body
    expect(dry).toEqual({
      applied: false,
      added: ['fresh'],
      removed: ['gone'],
      replaced: [],
      reconfigured: ['db'],
      unchanged: [],
      needsRestart: [],
    })
    expect(agent.pools.names()).toEqual(['db', 'gone'])
    expect((await call('POST', 'config/reload')).body).toEqual({ ...dry, applied: true })
    expect(agent.pools.names()).toEqual(['db', 'fresh'])
    expect(agent.pools.get('db')).toBe(db)
    expect((await call('GET', 'config')).body.pools.db.options).toMatchObject({ minConnections: 2, maxConnections: 10 })
    // Whoever had a client has it still, and it works.
    for (const lease of [onDb, onGone]) {
      const { rows } = await query(lease?.client, 'select 1 as n')
      expect(rows).toEqual([{ n: 1 }])
    }
    expect(gone?.stats().state).toBe('draining')
    onDb?.release()
    onGone?.release()
    await until(() => gone?.stats().state === 'closed')
    await until(() => agent.pools.get('db')?.stats().total === 2)
    expect((await call('GET', '/metrics')).body).toContain('wellpool_max_connections{pool="db",protocol="postgres"} 10')
  })

  test('replaces a pool whose driver has other options; those who wait are served by the old one', async () => {
    const { agent, write, call } = await startAgentScene(one.replace('max_connections: 4', 'max_connections: 1'), env)
    const old = agent.pools.get('db')
    const lease = await old?.acquire()
    const waiting = old?.acquire()
    write(one.replace('${URL}', '${OTHER}'))
    expect((await call('POST', 'config/reload')).body).toMatchObject({ applied: true, replaced: ['db'] })
    expect(agent.pools.get('db')).not.toBe(old)
    await agent.pools.get('db')?.use(async (client) => {
      const { rows } = await query(client, 'show application_name')
      expect(rows).toEqual([{ application_name: 'other' }])
    })
    lease?.release()
    ;(await waiting)?.release()
    await until(() => old?.stats().state === 'closed')
  })

  test('changes nothing when the file is wrong, and says what is', async () => {
    const { agent, write, call } = await startAgentScene(one, env)
    const before = agent.pools.get('db')?.options
    write('pools:\n  db: { postgres: "${URL}", max_conections: 4 }\n  more: { postgres: "${NOT_SET}" }\n')
    const { status, body } = await call('POST', 'config/reload')
    expect([status, body.code]).toEqual([400, 'INVALID_CONFIG'])
    expect(body.problems).toEqual([
      expect.objectContaining({ path: 'pools.db.max_conections', line: 3, column: 29, allowed: 'max_connections?' }),
      expect.objectContaining({ path: 'pools.more.postgres', line: 4 }),
    ])
    expect(agent.pools.get('db')?.options).toEqual(before)
    expect(agent.pools.names()).toEqual(['db'])
  })

  test('does one reload after the other', async () => {
    const { agent, write } = await startAgentScene(one, env)
    const names = ['a', 'b', 'c']
    const reports = await Promise.all(
      names.map((name) => {
        write(`${one}  ${name}: { postgres: "\${URL}", min_connections: 0 }\n`)
        return agent.reload()
      }),
    )
    // All three have read the last of the files.
    expect(reports.map(({ added }) => added)).toEqual([['c'], [], []])
    expect(agent.pools.names()).toEqual(['db', 'c'])
  })

  test('serves those who wait and lets leases end when it stops', async () => {
    const { agent, url: address, call } = await startAgentScene(one.replace('max_connections: 4', 'max_connections: 1'), env)
    const pool = agent.pools.get('db')
    const lease = await pool?.acquire()
    const waiting = pool?.acquire()
    const stopped = agent.stop()
    expect((await call('GET', '/readyz')).status).toBe(503)
    expect((await call('POST', 'pools/db/execute', { statement: 'select 1' })).status).toBe(403)
    await expect(pool?.acquire()).rejects.toMatchObject({ code: 'POOL_CLOSED' })
    lease?.release()
    ;(await waiting)?.release()
    await stopped
    expect(pool?.stats()).toMatchObject({ state: 'closed', open: 0 })
    await expect(fetch(`${address}/healthz`)).rejects.toThrow()
  })

  test('starts although a peer cannot be reached, and tells so', async () => {
    const { call, lines } = await startAgentScene(
      'pools:\n  db: { postgres: "postgres://127.0.0.1:1/x", min_connections: 1, acquire_timeout: 200ms }\n',
    )
    await until(() => lines.some(({ msg }) => msg === 'breakerOpened'))
    expect((await call('GET', '/readyz')).status).toBe(503)
    expect((await call('GET', 'pools/db')).body.canServe).toBe(false)
    await until(() => lines.some(({ msg }) => msg.startsWith('not all pools')))
  })

  test('lowers and raises what it logs with its file', async () => {
    const { agent, write, lines } = await startAgentScene(`log: { level: warn }\n${one}`, env)
    await agent.pools.get('db')?.use(async () => {})
    expect(lines.filter(({ level }) => Number(level) < 40)).toEqual([])
    write(`log: { level: debug }\n${one}`)
    await agent.reload()
    await new Promise((resolve) => setTimeout(resolve, 150))
    await agent.pools.get('db')?.use(async () => {})
    await agent.pools.get('db')?.use(async () => {})
    await until(() => lines.some(({ msg }) => msg === 'connectionAcquired'))
  })
})

describe('an agent', () => {
  test('holds pools of protocols that it can run nothing over', async () => {
    const server = await startTcpServer({ framing: 'line' })
    onTestFinished(() => server.close())
    const { call, agent } = await startAgentScene(`pools:\n  line: { tcp: { port: ${server.port}, probe: ping }, min_connections: 1 }\n`)
    await until(() => agent.pools.get('line')?.stats().idle === 1)
    expect((await call('POST', 'pools/line/execute', { command: 'ping' })).body).toMatchObject({ status: 403, code: 'EXECUTE_OFF' })
    expect((await call('GET', 'connections')).body.connections).toMatchObject([{ protocol: 'tcp', state: 'idle' }])
  })

  test('appends what is changed to its audit log', async () => {
    const { call, file } = await startAgentScene('pools: {}\n')
    await call('POST', 'config/reload', { dryRun: true })
    const log = readFileSync(path.join(path.dirname(file), 'audit.log'), 'utf8')
    expect(JSON.parse(log)).toMatchObject({
      who: 'everything',
      action: 'reload',
      target: 'configuration',
      details: { dryRun: true },
      result: 'done',
    })
    writeFileSync(file, 'pools: 5\n')
    await call('POST', 'config/reload')
    expect(readFileSync(path.join(path.dirname(file), 'audit.log'), 'utf8')).toContain('"result":"INVALID_CONFIG"')
  })
})
