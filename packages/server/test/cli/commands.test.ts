import { once } from 'node:events'
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '@wellpool/servers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { parseConfig } from '../../src/config/index.ts'
import { readTokens, writeTokens } from '../../src/security/token-file.ts'
import { createToken } from '../../src/security/tokens.ts'
import { cli, startCli } from '../support/cli.ts'
import { startScene, until } from '../support/server.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wellpool-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Takes every connection, and never says anything. */
async function startSilent(): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => void sockets.add(socket.on('error', () => {}).resume())).listen(0, '127.0.0.1')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('wellpool', () => {
  it('shows how it is used, with examples, for each command', async () => {
    const { out, exitCode } = await cli(['--help'])
    expect([exitCode, out]).toEqual([0, expect.stringContaining('Exit codes')])
    const commands = [...out.matchAll(/^ {2}([a-z]+)[ |]/gm)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'help' && name !== 'wellpool')
    expect(commands).toEqual(
      expect.arrayContaining([
        'serve',
        'check',
        'status',
        'top',
        'connections',
        'events',
        'rebuild',
        'pause',
        'resume',
        'exec',
        'token',
        'init',
        'completions',
      ]),
    )
    for (const command of commands.filter((name) => name !== 'token')) {
      const help = await cli([command, '--help'])
      expect([help.exitCode, help.out], command).toEqual([0, expect.stringContaining('Example')])
      expect(help.out).toContain('--json')
    }
    expect((await cli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['nothing']],
    [['pause']],
    [['rebuild']],
    [['rebuild', 'a', '--all']],
    [['token', 'create', 'x']],
    [['token', 'create', 'x', '--role', 'god', '--file', 'x']],
    [['connections', '--health', 'fine']],
    [['top']],
    [['status', '--url', 'nowhere']],
    [['completions', 'tcsh']],
    [[]],
    [['statsu']],
    [['status', '--jsno']],
    [['events', '--names', 'breakerOpened,nope']],
    [['rebuild', '--all', '--timeout', 'soon']],
    [['exec', 'orders', '--timeout', '-1s', '--', 'x']],
  ])('ends with 2 for %j, and says why as programs read it', async (args) => {
    const { exitCode, err } = await cli(args)
    expect(exitCode).toBe(EXIT.usage)
    expect(err).not.toBe('')
    const forPrograms = await cli(['--json', ...args])
    expect([forPrograms.exitCode, forPrograms.out]).toEqual([EXIT.usage, ''])
    expect(JSON.parse(forPrograms.err)).toEqual({ error: expect.stringMatching(/^[^{]{5,}$/) })
  })

  it('leaves to the peer what stands behind --', async () => {
    const { exitCode, err } = await cli(['exec', 'none', '--', 'DEL', '--json'], { url: (await startScene()).url })
    expect([exitCode, err]).toEqual([EXIT.failed, "There is no such pool: there is no pool 'none'\n"])
  })

  it('ends with 3 where there is no agent, and where there is something else', async () => {
    const nobody = await cli(['status'], { url: `http://127.0.0.1:${await freePort()}` })
    expect([nobody.exitCode, nobody.err]).toEqual([EXIT.unreachable, expect.stringContaining('ECONNREFUSED')])
    const { url } = await startScene()
    expect((await cli(['status'], { url: `${url}/elsewhere` })).exitCode).toBe(EXIT.failed)
  })

  it('ends with 4 without a token, and with one that may not', async () => {
    const { url, tokens } = await startScene({ withTokens: true })
    const nobody = await cli(['status'], { url })
    expect([nobody.exitCode, nobody.err]).toEqual([EXIT.forbidden, expect.stringMatching(/--token-file.*WELLPOOL_TOKEN\b/)])
    const { exitCode, err } = await cli(['pause', 'orders'], { url, token: tokens.viewer })
    expect([exitCode, err]).toEqual([EXIT.forbidden, expect.stringContaining('needs the role operator')])
    const file = path.join(folder, 'my-token')
    writeFileSync(file, `${tokens.operator}\n`)
    expect((await cli(['pause', 'orders', '--token-file', file], { url })).exitCode).toBe(0)
    expect((await cli(['--token-file', file, 'resume', 'orders'], { url })).exitCode).toBe(0)
  })

  it('tells problems to programs as JSON', async () => {
    const { url } = await startScene()
    const { exitCode, err } = await cli(['pause', 'none', '--json'], { url })
    expect([exitCode, JSON.parse(err)]).toEqual([
      EXIT.failed,
      expect.objectContaining({ code: 'POOL_NOT_FOUND', status: 404, pools: ['orders', 'billing'] }),
    ])
  })
})

/** A server with answers of its own, by `method path`. */
async function startAnswering(answers: Readonly<Record<string, object>>): Promise<string> {
  const server = createHttpServer(({ method, url }, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[`${method} ${url?.replace('/api/v1/', '')}`]))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('what is written', () => {
  // An escape, and the one character that stands for an escape and a bracket.
  const EVIL = 'evil\u001b[2J\u009b2J\u007f'
  const TERMINAL = { columns: 200, rows: 30 }
  const steers = (text: string): boolean => /(?![\t\n])\p{Cc}/u.test(text)

  it('steers no terminal as JSON, and means the same', async () => {
    const { url, pools, billing } = await startScene()
    pools.add(EVIL, billing.driver, { minConnections: 0 })
    const { out } = await cli(['status', '--json'], { url })
    expect(steers(out)).toBe(false)
    expect(JSON.parse(out).pools.map(({ name }: { name: string }) => name)).toContain(EVIL)
    const { err } = await cli(['pause', 'none', '--json'], { url })
    expect([steers(err), JSON.parse(err).pools]).toEqual([false, ['orders', 'billing', EVIL]])
    pools.get(EVIL)?.pause()
    await until(async () => (await cli(['events'], { url })).out.includes('poolPaused'))
    const events = await cli(['events', '--json'], { url })
    expect([steers(events.out), events.out]).toEqual([false, expect.stringContaining('evil\\u001b[2J\\u009b2J\\u007f')])
  })

  it.each(['rows', 'reply', 'output'])('steers no terminal as %s of a peer', async (kind) => {
    const result = {
      kind,
      columns: [{ name: EVIL }],
      rows: [[EVIL]],
      rowCount: 1,
      reply: EVIL,
      stdout: EVIL,
      stderr: EVIL,
      truncated: false,
    }
    const url = await startAnswering({ 'GET pools/db': { protocol: 'redis' }, 'POST pools/db/execute': result })
    const { out, err } = await cli(['exec', 'db', '--', 'x'], { url, terminal: TERMINAL })
    expect([out, steers(out), steers(err)]).toEqual([expect.stringContaining('evil [2J'), false, false])
    const json = await cli(['exec', 'db', '--json', '--', 'x'], { url, terminal: TERMINAL })
    expect([steers(json.out), JSON.parse(json.out)]).toEqual([false, result])
  })

  it('steers no terminal when an agent writes what it does', async () => {
    const file = path.join(folder, 'evil.yaml')
    const port = await freePort()
    writeFileSync(
      file,
      `server: { port: ${port}, dashboard: false }\npools: { ${JSON.stringify(EVIL)}: { tcp: { port: 1, probe: x }, min_connections: 0 } }\n`,
    )
    const agent = startCli(['serve', '--config', file])
    await until(() => agent.out().includes('"listening"'))
    expect((await cli(['reload'], { url: `http://127.0.0.1:${port}` })).exitCode).toBe(0)
    agent.interrupt()
    const { out } = await agent.ended
    expect([steers(out), out]).toEqual([false, expect.stringContaining('evil\\u001b[2J\\u009b2J\\u007f')])
  })

  it('steers no terminal when something is rebuilt or reloaded', async () => {
    const one = { connectionId: EVIL, oldGeneration: 1, newGeneration: 2, durationMs: 1 }
    for (const success of [true, false]) {
      const url = await startAnswering({ 'POST rebuild': { state: 'completed', result: { ...one, success } } })
      const { out } = await cli(['rebuild', '--all'], { url })
      expect([out, steers(out)]).toEqual([expect.stringContaining('evil [2J'), false])
    }
    const none = { removed: [], replaced: [], reconfigured: [], unchanged: [], needsRestart: [] }
    const url = await startAnswering({ 'POST config/reload': { applied: true, added: [EVIL], ...none } })
    const { out } = await cli(['reload'], { url })
    expect([out, steers(out)]).toEqual([expect.stringContaining('evil [2J'), false])
  })
})

describe('status and connections', () => {
  it('shows pools, and which connections are ill and why', async () => {
    const { url, orders, pools } = await startScene()
    const well = await cli(['status'], { url })
    expect(well.exitCode).toBe(0)
    expect(well.out).toMatch(/orders +memory +running +closed +2\/4/)
    expect(well.out).toContain('all connections are well')
    pools.get('orders')?.reconfigure({ healthCheckInterval: 20, unhealthyThreshold: 99 })
    orders.check = () => Promise.reject(new Error('the disk is full'))
    await until(() =>
      pools
        .get('orders')
        ?.connections()
        .every(({ health }) => health === 'degraded'),
    )
    const ill = await cli(['status'], { url })
    expect(ill.out).toMatch(/~ +orders-\d+ +memory +idle +degraded/)
    pools.get('billing')?.pause()
    const paused = await cli(['status'], { url })
    expect([paused.exitCode, paused.out]).toEqual([EXIT.unwell, expect.stringContaining('paused by hand')])
    expect(paused.out).not.toContain('well\n')
  })

  it('is JSON for programs', async () => {
    const { url } = await startScene()
    const { pools, ill } = JSON.parse((await cli(['--json', 'status'], { url })).out)
    expect([pools.length, ill]).toEqual([2, []])
    const { connections } = JSON.parse((await cli(['connections', '--json', '--pool', 'billing', '--health', 'unknown'], { url })).out)
    expect(connections.map(({ pool }: { pool: string }) => pool)).toEqual(['billing', 'billing'])
    expect((await cli(['connections', '--marked'], { url })).out).toBe('no such connections\n')
  })

  it('lets no name steer the terminal', async () => {
    const { url, pools, billing } = await startScene()
    pools.add('evil\u001b[2J\r\nname', billing.driver, { minConnections: 0 })
    const { out } = await cli(['status'], { url })
    expect(out).toContain('evil [2J name')
    expect(out).not.toContain('\u001b')
  })
})

describe('events', () => {
  it('shows what has happened, and follows what happens until it is interrupted', async () => {
    const { url, pools } = await startScene()
    pools.get('orders')?.pause()
    await until(async () => (await cli(['events'], { url })).out.includes('poolPaused'))
    const following = startCli(['events', '--follow', '--pool', 'orders', '--limit', '1'], { url })
    await until(() => following.out().includes('poolPaused'))
    pools.get('orders')?.resume()
    await until(() => following.out().includes('poolResumed'))
    following.interrupt()
    const { exitCode, out } = await following.ended
    expect(exitCode).toBe(0)
    expect(out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}orders poolPaused\n\S+ info {2}orders poolResumed\n$/)
  })

  it('says what was left out, and is a line of JSON for each event', async () => {
    const { url, server } = await startScene()
    const following = startCli(['events', '--follow', '--json', '--limit', '1', '--names', 'leakSuspected'], { url })
    const { feed, stream } = server.parts.observation
    await until(() => stream.clients === 1)
    for (let n = 0; n < 500; n++) feed.tell('leakSuspected', { timestamp: 0, pool: 'orders', protocol: 'memory' })
    await until(() => following.out().includes('leftOut'))
    following.interrupt()
    const lines = (await following.ended).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.at(-1)).toEqual({ leftOut: { leakSuspected: 480 } })
    expect(lines[0]).toMatchObject({ name: 'leakSuspected', level: 'warn' })
  })
})

describe('rebuild', () => {
  it('rebuilds a connection, a pool, a protocol or all', async () => {
    const { url, connectionId } = await startScene()
    const one = await cli(['rebuild', connectionId()], { url })
    expect([one.exitCode, one.out]).toEqual([0, expect.stringMatching(/rebuilt in .*: generation 1 → 2/)])
    expect((await cli(['rebuild', 'billing'], { url })).out).toContain('2 of 2 rebuilt')
    expect((await cli(['rebuild', 'memory'], { url })).out).toContain('2 of 2 rebuilt')
    expect((await cli(['rebuild', '--protocol', 'ledger'], { url })).out).toContain('2 of 2 rebuilt')
    expect((await cli(['rebuild', '--all'], { url })).out).toContain('4 of 4 rebuilt')
    expect((await cli(['rebuild', '--all', '--due'], { url })).out).toBe('nothing to rebuild\n')
    expect((await cli(['rebuild', 'orders-999'], { url })).exitCode).toBe(EXIT.failed)
    expect(JSON.parse((await cli(['rebuild', '--all', '--json'], { url })).out)).toMatchObject({
      state: 'completed',
      result: { succeeded: 4 },
    })
  })

  it.each([
    ['connections', ['connections', '--protocol', 'postgers']],
    ['events', ['events', '--protocol', 'postgers']],
    ['rebuild', ['rebuild', '--protocol', 'postgers']],
  ])('%s knows no protocol that no pool has', async (_, args) => {
    const { exitCode, err } = await cli(args, { url: (await startScene()).url })
    expect([exitCode, err]).toEqual([EXIT.failed, expect.stringContaining("no pool of the protocol 'postgers'")])
  })

  it('takes no option that is about something else than what it is to rebuild', async () => {
    const { url, connectionId, pools } = await startScene()
    const due = await cli(['rebuild', connectionId(), '--due'], { url })
    expect([due.exitCode, due.err]).toEqual([EXIT.usage, expect.stringContaining('--due chooses among many connections')])
    for (const target of [['billing'], ['--all']]) {
      const urgent = await cli(['rebuild', ...target, '--urgent'], { url })
      expect([urgent.exitCode, urgent.err]).toEqual([EXIT.usage, expect.stringContaining('--urgent is for one connection')])
    }
    expect([...pools].flatMap(([, pool]) => pool.connections()).every(({ generation }) => generation === 1)).toBe(true)
    expect((await cli(['rebuild', connectionId(), '--urgent', '--timeout', '5s'], { url })).exitCode).toBe(0)
  })

  it('ends with 5 and says why when a rebuild has failed', async () => {
    const { url, orders, connectionId } = await startScene()
    orders.check = () => Promise.reject(new Error('not ready'))
    const { exitCode, out } = await cli(['rebuild', '--pool', 'orders'], { url })
    expect([exitCode, out]).toEqual([EXIT.unwell, expect.stringMatching(/check +check of connection .*not ready/)])
    expect((await cli(['rebuild', connectionId()], { url })).exitCode).toBe(EXIT.unwell)
  })

  it('shows how far it is, and cancels what has not begun when it is interrupted', async () => {
    const { url, orders, pools } = await startScene()
    pools.get('orders')?.reconfigure({ rebuildConcurrency: 1 })
    const release = orders.holdChecks()
    const running = startCli(['rebuild', 'orders'], { url, terminal: { columns: 100, rows: 30 } })
    await until(() => running.err().includes('0/2'))
    await until(() => orders.made() > 2)
    running.interrupt()
    await until(async () => (await (await fetch(`${url}/api/v1/audit`)).text()).includes('"cancel"'))
    release()
    const { exitCode, out } = await running.ended
    expect([exitCode, out]).toEqual([EXIT.unwell, expect.stringMatching(/1 of 2 rebuilt.*1 not begun, cancelled/)])
  })
})

describe('pause, resume and evict', () => {
  it('do so and say so', async () => {
    const { url, pools } = await startScene()
    expect((await cli(['pause', 'orders', '--fail-waiting'], { url })).out).toBe('orders is paused, 0 are waiting\n')
    await expect(pools.get('orders')?.acquire()).rejects.toMatchObject({ code: 'POOL_PAUSED' })
    expect((await cli(['resume', 'orders'], { url })).out).toBe('orders is running\n')
    expect((await cli(['evict', 'orders'], { url })).out).toContain('idle connections are closed')
    expect(pools.get('orders')?.stats().closed.evicted).toBe(2)
    expect(JSON.parse((await cli(['pause', 'orders', '--json'], { url })).out)).toMatchObject({ state: 'paused' })
  })
})

describe('init', () => {
  it('writes a configuration that is right, as is what it has as comments, and writes over nothing', async () => {
    const file = path.join(folder, 'wellpool.yaml')
    const { exitCode, out } = await cli(['init', file])
    expect([exitCode, out]).toEqual([0, expect.stringContaining('wellpool check')])
    const text = readFileSync(file, 'utf8')
    expect((await parseConfig(text, file, { env: {} })).pools.size).toBe(0)
    const secret = path.join(folder, 'router')
    writeFileSync(secret, 'sesame')
    const everything = text
      .split('\n')
      .map((line) => line.replace(/^(\s*)# (?=(?:\s|- )*[a-z_0-9-]+:(?: |$)| *- )/, '$1'))
      .filter((line) => !line.startsWith('yaml-language-server'))
      .join('\n')
      .replace('/run/secrets/router', secret)
    const { pools, server } = await parseConfig(everything, file, { env: { ORDERS_PASSWORD: 'x' } })
    expect([...pools.keys()]).toEqual(['orders', 'cache', 'router-17'])
    expect(server.tokensFile).toBe(path.join(folder, 'tokens.json'))
    expect((await cli(['init', file])).exitCode).toBe(EXIT.failed)
    expect((await cli(['init', file, '--force'])).exitCode).toBe(0)
  })

  it('gives as defaults what the defaults are', async () => {
    const { INITIAL_CONFIG } = await import('../../src/cli/initial-config.ts')
    const { DEFAULT_OPTIONS } = await import('wellpool')
    const { toCamelCase } = await import('../../src/config/names.ts')
    const given = [...INITIAL_CONFIG.matchAll(/^# ([a-z_]+): (\S+)$/gm)].filter(([, name = '']) => toCamelCase(name) in DEFAULT_OPTIONS)
    expect(given.length).toBeGreaterThan(5)
    for (const [, name = '', value] of given)
      expect(String(DEFAULT_OPTIONS[toCamelCase(name) as keyof typeof DEFAULT_OPTIONS]), name).toBe(value)
  })
})

describe('token', () => {
  it('makes, lists and revokes tokens in a file that its owner alone can read', async () => {
    const file = path.join(folder, 'tokens.json')
    const { out, err, exitCode } = await cli(['token', 'create', 'alice', '--role', 'viewer,operator', '--expires', '90d', '--file', file])
    expect([exitCode, out, err]).toEqual([0, expect.stringMatching(/^wellpool_\S{54}\n$/), expect.stringContaining('shown this once')])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toContain(out.trim())
    expect((await cli(['token', 'create', 'alice', '--role', 'viewer', '--file', file])).exitCode).toBe(EXIT.failed)
    const made = JSON.parse((await cli(['token', 'create', 'bob', '--role', 'executor', '--file', file, '--json'])).out)
    expect(made).toMatchObject({ token: expect.stringMatching(/^wellpool_/), name: 'bob', roles: ['executor'] })
    const list = await cli(['token', 'list', '--file', file])
    expect(list.out).toMatch(/alice +\S{10} +viewer, operator +\S+ +\d{4}-/)
    expect(list.out).not.toContain(readTokens(file)[0]?.hash)
    const { url } = await startScene({ tokens: file })
    expect((await cli(['status'], { url, token: out.trim() })).exitCode).toBe(0)
    expect((await cli(['token', 'revoke', 'alice', '--file', file])).exitCode).toBe(0)
    await until(async () => (await cli(['status'], { url, token: out.trim() })).exitCode === EXIT.forbidden)
    expect((await cli(['token', 'revoke', 'alice', '--file', file])).exitCode).toBe(EXIT.failed)
  })

  it('keeps every token of those that are made at the same time, behind a link too', async () => {
    const file = path.join(folder, 'many.json')
    const link = path.join(folder, 'many-link.json')
    writeTokens(file, [])
    symlinkSync(file, link)
    const names = Array.from({ length: 12 }, (_, index) => `one-${index}`)
    const made = await Promise.all(
      names.map((name, index) => cli(['token', 'create', name, '--role', 'viewer', '--file', index % 2 === 0 ? file : link])),
    )
    expect(made.map(({ exitCode }) => exitCode)).toEqual(names.map(() => 0))
    expect(
      readTokens(file)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...names].sort())
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
  })

  it('does not write over a link to a file that is not there', async () => {
    const link = path.join(folder, 'dangling.json')
    symlinkSync(path.join(folder, 'not-mounted', 'tokens.json'), link)
    const { exitCode, err } = await cli(['token', 'create', 'alice', '--role', 'viewer', '--file', link])
    expect([exitCode, err]).toEqual([EXIT.failed, expect.stringContaining('is a link to a file that is not there')])
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
  })

  it.each([
    ['an empty name', ['']],
    ['a blank name', [' ']],
    ['a date that has no four digits', ['carol', '--expires', '9000000d']],
    ['a date that is none', ['carol', '--expires', '99999999999d']],
  ])('refuses %s, and leaves the file as it is', async (_, args) => {
    const file = path.join(folder, 'refused.json')
    writeTokens(file, [createToken('alice', ['viewer'], new Date()).record])
    const before = readFileSync(file, 'utf8')
    const { exitCode, err, out } = await cli(['token', 'create', '--role', 'viewer', '--file', file, ...args])
    expect([exitCode, out]).toEqual([EXIT.usage, ''])
    expect(err).toMatch(/empty|too long/)
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('finds the file in a configuration', async () => {
    const config = path.join(folder, 'with-tokens.yaml')
    writeFileSync(config, 'server: { tokens_file: from-config.json }\n')
    expect((await cli(['token', 'create', 'carol', '--role', 'viewer', '--config', config])).exitCode).toBe(0)
    expect(existsSync(path.join(folder, 'from-config.json'))).toBe(true)
    writeFileSync(config, 'pools: {}\n')
    expect((await cli(['token', 'list', '--config', config])).exitCode).toBe(EXIT.usage)
    expect((await cli(['token', 'create', 'x', '--role', 'viewer', '--expires', 'soon', '--file', 'x'])).exitCode).toBe(EXIT.usage)
  })
})

describe('top', () => {
  it('shows which connection is ill and why, the worst first, and gives the terminal back', async () => {
    const { url, orders, pools, connectionId } = await startScene()
    pools.get('orders')?.reconfigure({ healthCheckInterval: 20, unhealthyThreshold: 99 })
    orders.check = () => Promise.reject(new Error('the disk is full'))
    await until(() =>
      pools
        .get('orders')
        ?.connections()
        .every(({ health }) => health === 'degraded'),
    )
    const top = startCli(['top', '--interval', '0.1'], { url, terminal: { columns: 160, rows: 30 } })
    const page = (): string[] => top.out().split('\u001b[H').at(-1)?.replaceAll('\u001b[K', '').split('\r\n') ?? []
    await until(() => page().some((line) => line.includes(connectionId())))
    await until(() => page().some((line) => new RegExp(`^~ +${connectionId()} .*the disk is full`).test(line)))
    const lines = page()
    expect(lines[0]).toMatch(/4 connections, 2 ill/)
    const order = lines.filter((line) => /^[~+?!] +(?:orders|billing)-\d+/.test(line)).map((line) => line.split(/[ -]+/)[1])
    expect(order).toEqual(['orders', 'orders', 'billing', 'billing'])
    expect(lines.length).toBeLessThanOrEqual(30)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(160)
    // Both at once, as a slow line brings them.
    top.type('ii')
    top.type('i')
    await until(() => !page().some((line) => line.includes('billing-')))
    top.type('q')
    const { exitCode, out } = await top.ended
    expect([exitCode, out.endsWith('\u001b[?25h\u001b[?1049l')]).toEqual([0, true])
  })

  it('says of pools that can’t serve that they can’t, also where there is no connection to be ill', async () => {
    const { url, pools } = await startScene()
    pools.get('orders')?.pause()
    const top = startCli(['top', '--interval', '0.1'], { url, terminal: { columns: 160, rows: 30 } })
    await until(() => top.out().includes('1 pool can’t serve'))
    expect(top.out()).not.toContain('all well')
    expect((await cli(['status'], { url })).out).toContain('1 pool can’t serve')
    void pools.get('billing')?.drain()
    top.interrupt()
    await top.ended
  })

  it('goes on when the agent is away for a moment', async () => {
    const { url, server } = await startScene()
    const top = startCli(['top', '--interval', '0.1'], { url, terminal: { columns: 100, rows: 20 } })
    await until(() => top.out().includes('4 connections'))
    await server.close()
    await until(() => top.out().includes('no answer from'))
    top.interrupt()
    expect((await top.ended).exitCode).toBe(0)
  })

  it('ends at once by q, Ctrl-C and an interruption, though the agent takes the request and never answers', async () => {
    const url = await startSilent()
    for (const end of ['q', '\u0003', undefined]) {
      const top = startCli(['top'], { url, terminal: { columns: 100, rows: 20 } })
      await until(() => top.out() !== '')
      const began = performance.now()
      if (end === undefined) top.interrupt()
      else top.type(end)
      const { exitCode, out } = await top.ended
      expect([exitCode, out.endsWith('\u001b[?25h\u001b[?1049l')]).toEqual([0, true])
      expect(performance.now() - began).toBeLessThan(2_000)
    }
  })

  it('is shown on a terminal that does not know how large it is', async () => {
    const { url } = await startScene()
    const top = startCli(['top', '--interval', '0.1'], { url, terminal: { columns: 0, rows: 0 } })
    await until(() => top.out().includes('LATEST EVENTS'))
    top.type('q')
    expect((await top.ended).exitCode).toBe(0)
  })

  it('scrolls where there is more than fits', async () => {
    const { url } = await startScene()
    const top = startCli(['top', '--interval', '0.1'], { url, terminal: { columns: 100, rows: 12 } })
    await until(() => top.out().includes('… 3 more'))
    top.type('\u001b[B')
    await until(() => top.out().includes('… 2 more'))
    top.type('q')
    await top.ended
  })
})

describe('who asks', () => {
  const SECRET = 'wellpool_29wkabcdef_s3cr3t'

  it.each([
    ['a file with two lines', (file: string) => ({ args: ['--token-file', file], env: {} })],
    ['a variable with two lines', () => ({ args: [], env: { WELLPOOL_TOKEN: `a token for alice\n${SECRET}` } })],
    ['a variable that is no token', () => ({ args: [], env: { WELLPOOL_TOKEN: `日本${SECRET}` } })],
    ['an address with a password', () => ({ args: ['--url', `http://u:${SECRET}@127.0.0.1:1`], env: {} })],
  ])('is refused with %s, which is not shown', async (_, given) => {
    const file = path.join(folder, 'two-lines.tok')
    writeFileSync(file, `a token for alice (viewer). It is shown this once:\n${SECRET}\n`)
    const { args, env } = given(file)
    const { exitCode, out, err } = await cli(['status', ...args], { env })
    expect(exitCode).toBe(EXIT.usage)
    expect(`${out}${err}`).not.toContain('s3cr3t')
  })

  it('may leave the variables empty', async () => {
    const { url } = await startScene()
    expect((await cli(['status'], { url, env: { WELLPOOL_TOKEN: '' } })).exitCode).toBe(0)
    expect((await cli(['status'], { env: { WELLPOOL_URL: '', WELLPOOL_TOKEN: '\n' } })).err).toContain(
      'no answer from http://127.0.0.1:7710',
    )
  })
})

it('events --follow says that the agent has hung up', async () => {
  const { url, server } = await startScene()
  const running = startCli(['events', '--follow'], { url })
  await until(() => server.parts.observation.stream.clients === 1)
  await server.close()
  const { exitCode, err } = await running.ended
  expect([exitCode, err]).toEqual([EXIT.unreachable, expect.stringContaining(`${url} has hung up`)])
})

it.each([
  ['check', '--timeout', 'abc'],
  ['check', '--timeout', '-1'],
  ['check', '--timeout', '0'],
  ['events', '--limit', 'abc'],
  ['events', '--limit', '0'],
])('%s %s %s is a wrong command line', async (...args) => {
  const { exitCode, err } = await cli(args)
  expect([exitCode, err]).toEqual([EXIT.usage, expect.stringContaining(`'${args[2]}' is no`)])
})

it.each(['500ms', '1m', '2', '2.5s'])('check takes %s for its time-out', async (timeout) => {
  const file = path.join(folder, 'nothing.yaml')
  writeFileSync(file, 'pools: {}\n')
  expect((await cli(['check', file, '--timeout', timeout])).exitCode).toBe(0)
})
